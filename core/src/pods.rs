//! Fields of pods and of workloads' templates, as `k8sidx/events/normalize/pod.py` makes them.

use crate::json::{write_text, Kind, Node, NotPlain, Plain, Reader};
use std::borrow::Cow;

const CONTAINERS: [&[u8]; 3] = [b"containers", b"initContainers", b"ephemeralContainers"];
/// As in `k8sidx/events/normalize/settings.py`.
const BREAK_GLASS: [&[u8]; 2] =
    [b"image-policy.k8s.io/break-glass", b"alpha.image-policy.k8s.io/break-glass"];
const GITOPS: [&[u8]; 4] = [
    b"argocd.argoproj.io/instance",
    b"argocd.argoproj.io/tracking-id",
    b"kustomize.toolkit.fluxcd.io/name",
    b"helm.toolkit.fluxcd.io/name",
];
const APPARMOR: &[u8] = b"container.apparmor.security.beta.kubernetes.io/";
/// Digits of the minute by which a CronJob names its Jobs, at least.
const MINUTE: usize = 7;

/// Different texts of a field that are collected.
const MANY: usize = 64;

/// What the request says of the object.
pub struct Request<'a> {
    pub resource: &'a [u8],
    pub name: &'a [u8],
}

/// Append the fields of a body as members of a JSON object; what is rare is left to Python.
pub fn pod_fields(
    reader: &Reader,
    text: &[u8],
    body: u32,
    request: &Request,
    out: &mut Vec<u8>,
) -> Plain<()> {
    let body = Object { reader, text, index: body };
    let template = body.template()?;
    let spec = template.object(b"spec")?;
    let mut containers = Vec::new();
    for key in CONTAINERS {
        containers.extend(spec.objects(key)?);
    }
    let mut fields = Members { out, is_first: true };
    let metadata = body.object(b"metadata")?;
    owner(metadata, request, &mut fields)?;
    let is_mirror = metadata.object(b"annotations")?.has(b"kubernetes.io/config.mirror")?;
    fields.flag("pod.mirror", is_mirror);
    let is_on_host = spec.is_true(b"hostNetwork")?;
    fields.flag("pod.host_network", is_on_host);
    fields.flag("pod.host_pid", spec.is_true(b"hostPID")?);
    fields.flag("pod.host_ipc", spec.is_true(b"hostIPC")?);
    fields.text("pod.service_account", &spec.text(b"serviceAccountName")?);
    fields.text("pod.node_name", &spec.text(b"nodeName")?);
    fields.text("pod.priority_class", &spec.text(b"priorityClassName")?);
    for volume in spec.objects(b"volumes")? {
        if !volume.object(b"hostPath")?.text(b"path")?.is_empty() {
            return Err(NotPlain); // paths are normalized
        }
        if volume.object(b"image")?.index != 0 {
            return Err(NotPlain); // Python counts it among the images
        }
    }
    let mut tolerates_all = false;
    for toleration in spec.objects(b"tolerations")? {
        tolerates_all |= is_everything(toleration)?;
    }
    fields.flag("pod.tolerates_all", tolerates_all);
    fields.list("pod.escapes", &escapes(spec, &containers)?);
    let of_template = template.object(b"metadata")?;
    fields.list("object.settings", &settings(spec, [metadata, of_template], &containers)?);
    of_containers(&containers, &mut fields)?;
    if !is_on_host {
        let mut ports = Distinct::default();
        for container in &containers {
            for port in container.objects(b"ports")? {
                let value = port.member(b"hostPort")?;
                if let Some(Node { kind: Kind::Number, .. }) = value {
                    let digits = value.map_or(&[][..], |node| port.slice(node));
                    ports.add(if digits == b"0" { b"" } else { digits })?;
                }
            }
        }
        fields.list("pod.host_ports", &ports);
    }
    let annotations = of_template.object(b"annotations")?;
    security(spec.object(b"securityContext")?, annotations, &containers, &mut fields)
}

/// Return ways out of a container that have no field of their own.
fn escapes(spec: Object, containers: &[Object]) -> Plain<Distinct> {
    let mut escapes = Distinct::default();
    for volume in spec.objects(b"volumes")? {
        if volume.object(b"gitRepo")?.index != 0 {
            escapes.add(b"gitRepo")?;
        }
    }
    for holder in [spec].iter().chain(containers) {
        let context = holder.object(b"securityContext")?;
        if context.object(b"windowsOptions")?.is_true(b"hostProcess")? {
            escapes.add(b"hostProcess")?;
        }
    }
    if spec.is_true(b"shareProcessNamespace")? {
        escapes.add(b"shareProcessNamespace")?;
    }
    if !spec.object(b"securityContext")?.objects(b"sysctls")?.is_empty() {
        return Err(NotPlain); // Python has the list of safe ones
    }
    Ok(escapes)
}

/// Return settings that hunts look for.
fn settings(spec: Object, metadata: [Object; 2], containers: &[Object]) -> Plain<Distinct> {
    let mut settings = Distinct::default();
    for container in containers {
        if container.is_true(b"stdin")? && container.is_true(b"tty")? {
            settings.add(b"interactive")?;
        }
    }
    if spec.is_word(b"hostUsers", b"false")? {
        settings.add(b"user-namespace")?;
    }
    let mut is_managed = false;
    for node in metadata {
        for marks in [node.object(b"labels")?, node.object(b"annotations")?] {
            for key in BREAK_GLASS {
                if marks.has(key)? {
                    return Err(NotPlain); // the last of equal keys counts
                }
            }
            for key in GITOPS {
                is_managed |= marks.has(key)?;
            }
        }
    }
    if is_managed {
        settings.add(b"managed-by:gitops")?;
    }
    Ok(settings)
}

fn owner(metadata: Object, request: &Request, fields: &mut Members) -> Plain<()> {
    let mut controller = None;
    for reference in metadata.objects(b"ownerReferences")? {
        if controller.is_none() && reference.is_true(b"controller")? {
            controller = Some(reference);
        }
    }
    let (kind, owner) = match controller {
        Some(controller) => (controller.text(b"kind")?, controller.text(b"name")?),
        None => Default::default(),
    };
    fields.text("pod.owner_kind", &kind);
    let (own, generated) = (metadata.text(b"name")?, metadata.text(b"generateName")?);
    let mut name = match (owner.is_empty(), request.name.is_empty(), own.is_empty()) {
        (false, ..) => &owner[..],
        (_, false, _) => request.name,
        (.., false) => &own[..],
        _ => &generated[..trimmed(&generated, |byte| byte == b'-')],
    };
    if kind.as_ref() == b"ReplicaSet" && metadata.object(b"labels")?.has(b"pod-template-hash")? {
        let base = name.iter().rposition(|byte| *byte == b'-').map_or(&name[..0], |at| &name[..at]);
        name = if base.is_empty() { name } else { base };
    } else if kind.as_ref() == b"Job" || (request.resource == b"jobs" && owner.is_empty()) {
        if !name.is_ascii() || name.contains(&b'\n') {
            return Err(NotPlain); // Python knows other digits
        }
        let base = trimmed(name, |byte| byte.is_ascii_digit());
        if name.len() - base >= MINUTE && base > 0 && name[base - 1] == b'-' {
            name = &name[..base - 1];
        }
    }
    fields.text("pod.workload", name);
    Ok(())
}

/// Return the length of a text without what it ends with.
fn trimmed(text: &[u8], ends: impl Fn(u8) -> bool) -> usize {
    text.iter().rposition(|byte| !ends(*byte)).map_or(0, |at| at + 1)
}

fn of_containers(containers: &[Object], fields: &mut Members) -> Plain<()> {
    let (mut images, mut image_names) = (Distinct::default(), Distinct::default());
    let (mut names, mut commands) = (Distinct::default(), Distinct::default());
    for container in containers {
        let image = container.text(b"image")?;
        image_names.add(&image_name(&image)?)?;
        images.add(&image)?;
        names.add(&container.text(b"name")?)?;
        let mut words = container.texts(b"command")?;
        words.extend(container.texts(b"args")?);
        commands.add(&words.join(&b' '))?;
    }
    fields.list("pod.images", &images);
    fields.list("pod.image_names", &image_names);
    fields.list("pod.containers", &names);
    fields.list("pod.commands", &commands);
    Ok(())
}

fn image_name(image: &[u8]) -> Plain<Vec<u8>> {
    if !image.is_ascii() {
        return Err(NotPlain); // Python knows other capitals
    }
    let image = image.split(|byte| *byte == b'@').next().unwrap_or_default();
    let image = image.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    Ok(image.split(|byte| *byte == b':').next().unwrap_or_default().to_ascii_lowercase())
}

fn is_everything(toleration: Object) -> Plain<bool> {
    let is_any_key = match toleration.member(b"key")? {
        None | Some(Node { kind: Kind::Null, .. }) => true,
        Some(Node { kind: Kind::Text, .. }) => toleration.text(b"key")?.is_empty(),
        _ => return Err(NotPlain),
    };
    let does_not_evict = match toleration.member(b"effect")? {
        None | Some(Node { kind: Kind::Null, .. }) => true,
        Some(Node { kind: Kind::Text, .. }) => {
            matches!(toleration.text(b"effect")?.as_ref(), b"" | b"NoSchedule")
        }
        _ => false,
    };
    Ok(toleration.text(b"operator")?.as_ref() == b"Exists" && is_any_key && does_not_evict)
}

fn security(
    pod: Object,
    annotations: Object,
    containers: &[Object],
    fields: &mut Members,
) -> Plain<()> {
    let mut contexts = vec![pod];
    for container in containers {
        contexts.push(container.object(b"securityContext")?);
    }
    let (mut privileged, mut escalates, mut root) = (false, false, false);
    let (mut capabilities, mut unconfined) = (Distinct::default(), Distinct::default());
    for (number, context) in contexts.iter().enumerate() {
        let user = context.member(b"runAsUser")?;
        root |= context.is_word(b"runAsNonRoot", b"false")?
            || user.is_some_and(|user| user.kind == Kind::Number && context.slice(user) == b"0");
        for (key, name) in
            [(b"seccompProfile".as_slice(), "seccomp"), (b"appArmorProfile", "apparmor")]
        {
            if context.object(key)?.text(b"type")?.as_ref() == b"Unconfined" {
                unconfined.add(name.as_bytes())?;
            }
        }
        if context.text(b"procMount")?.as_ref() == b"Unmasked" {
            unconfined.add(b"proc")?;
        }
        if number == 0 {
            continue; // a pod's context has none of what follows
        }
        privileged |= context.is_true(b"privileged")?;
        escalates |= context.is_true(b"allowPrivilegeEscalation")?;
        for capability in context.object(b"capabilities")?.texts(b"add")? {
            if !capability.is_ascii() {
                return Err(NotPlain);
            }
            let capability = capability.to_ascii_uppercase();
            capabilities.add(capability.strip_prefix(b"CAP_").unwrap_or(&capability))?;
        }
    }
    if annotations.any_text(|key, value| key.starts_with(APPARMOR) && value == b"unconfined")? {
        unconfined.add(b"apparmor")?;
    }
    fields.flag("pod.privileged", privileged);
    fields.flag("pod.allow_privilege_escalation", escalates);
    fields.flag("pod.run_as_root", root);
    fields.list("pod.capabilities", &capabilities);
    fields.list("pod.unconfined", &unconfined);
    fields.end();
    Ok(())
}

/// An object in a body; number 0 stands for one without members.
#[derive(Clone, Copy)]
struct Object<'a> {
    reader: &'a Reader,
    text: &'a [u8],
    index: u32,
}

impl<'a> Object<'a> {
    fn slice(&self, node: Node) -> &'a [u8] {
        &self.text[node.start as usize..node.end as usize]
    }

    fn at(&self, index: u32) -> Object<'a> {
        Object { index, ..*self }
    }

    fn member_index(&self, key: &[u8]) -> Plain<u32> {
        if self.index == 0 {
            return Ok(0);
        }
        self.reader.member(self.text, self.index, key)
    }

    fn member(&self, key: &[u8]) -> Plain<Option<Node>> {
        let index = self.member_index(key)?;
        Ok((index != 0).then(|| self.reader.nodes[index as usize]))
    }

    fn has(&self, key: &[u8]) -> Plain<bool> {
        Ok(self.member_index(key)? != 0)
    }

    fn is_word(&self, key: &[u8], word: &[u8]) -> Plain<bool> {
        let member = self.member(key)?;
        Ok(member.is_some_and(|node| node.kind == Kind::Word && self.slice(node) == word))
    }

    fn is_true(&self, key: &[u8]) -> Plain<bool> {
        self.is_word(key, b"true")
    }

    /// Return the object under a key.
    fn object(&self, key: &[u8]) -> Plain<Object<'a>> {
        let index = self.member_index(key)?;
        let node = self.reader.nodes[index as usize];
        let has_members = index != 0 && node.kind == Kind::Object && node.child != 0;
        Ok(self.at(if has_members { index } else { 0 }))
    }

    fn text(&self, key: &[u8]) -> Plain<Cow<'a, [u8]>> {
        Ok(match self.member(key)? {
            Some(node) if node.kind == Kind::Text => node.decoded(self.text),
            _ => Cow::Borrowed(&[]),
        })
    }

    /// Return the numbers of the elements of the list under a key.
    fn elements(&self, key: &[u8]) -> Plain<Vec<u32>> {
        let mut elements = Vec::new();
        if let Some(Node { kind: Kind::Array, child, .. }) = self.member(key)? {
            let mut element = child;
            while element != 0 {
                elements.push(element);
                element = self.reader.nodes[element as usize].next;
            }
        }
        Ok(elements)
    }

    fn objects(&self, key: &[u8]) -> Plain<Vec<Object<'a>>> {
        let is_object = |index: &u32| self.reader.nodes[*index as usize].kind == Kind::Object;
        Ok(self.elements(key)?.into_iter().filter(is_object).map(|at| self.at(at)).collect())
    }

    fn texts(&self, key: &[u8]) -> Plain<Vec<Cow<'a, [u8]>>> {
        let nodes = self.elements(key)?.into_iter().map(|at| self.reader.nodes[at as usize]);
        let texts = nodes.filter(|node| node.kind == Kind::Text);
        Ok(texts.map(|node| node.decoded(self.text)).collect())
    }

    /// Whether a member that is a text meets a condition.
    fn any_text(&self, meets: impl Fn(&[u8], &[u8]) -> bool) -> Plain<bool> {
        let mut key =
            if self.index == 0 { 0 } else { self.reader.nodes[self.index as usize].child };
        let mut any = false;
        while key != 0 {
            let member = self.reader.nodes[key as usize];
            let value = self.reader.nodes[member.next as usize];
            if member.escaped {
                return Err(NotPlain);
            }
            any |= value.kind == Kind::Text && meets(self.slice(member), &value.decoded(self.text));
            key = value.next;
        }
        Ok(any)
    }

    /// Return the object with the PodSpec and the metadata of the pods.
    fn template(&self) -> Plain<Object<'a>> {
        let own = self.object(b"template")?;
        if own.index != 0 {
            return Ok(own);
        }
        let spec = self.object(b"spec")?;
        let job = spec.object(b"jobTemplate")?.object(b"spec")?;
        let template = if job.index == 0 { spec } else { job }.object(b"template")?;
        Ok(if template.index == 0 { *self } else { template })
    }
}

/// Texts that are not empty, each once.
#[derive(Default)]
struct Distinct(Vec<Vec<u8>>);

impl Distinct {
    fn add(&mut self, text: &[u8]) -> Plain<()> {
        if !text.is_empty() && !self.0.iter().any(|known| known == text) {
            if self.0.len() >= MANY {
                return Err(NotPlain); // each is compared with all
            }
            self.0.push(text.to_vec());
        }
        Ok(())
    }
}

/// Members of a JSON object; those that say nothing are left out.
struct Members<'a> {
    out: &'a mut Vec<u8>,
    is_first: bool,
}

impl Members<'_> {
    fn key(&mut self, name: &str) {
        self.out.push(if self.is_first { b'{' } else { b',' });
        self.is_first = false;
        write_text(name.as_bytes(), self.out);
        self.out.push(b':');
    }

    fn flag(&mut self, name: &str, value: bool) {
        if value {
            self.key(name);
            self.out.extend_from_slice(b"true");
        }
    }

    fn text(&mut self, name: &str, value: &[u8]) {
        if !value.is_empty() {
            self.key(name);
            write_text(value, self.out);
        }
    }

    fn list(&mut self, name: &str, values: &Distinct) {
        if values.0.is_empty() {
            return;
        }
        self.key(name);
        for (place, value) in values.0.iter().enumerate() {
            self.out.push(if place == 0 { b'[' } else { b',' });
            write_text(value, self.out);
        }
        self.out.push(b']');
    }

    fn end(&mut self) {
        self.out.extend_from_slice(if self.is_first { b"{}" } else { b"}" });
    }
}
