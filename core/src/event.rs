//! One event: its own values and the places of its parts, or that it is not plain.

use crate::json::{canonical, unescape, Kind, NotPlain, Plain, Reader};
use crate::moment::micros;
use crate::parts::{Family, ACTOR, AGENT, ANSWER, CALL, FAMILIES, NOTES, ORIGIN};
use crate::pods::{pod_fields, Request};
use crate::redaction::{Judge, Verdict};

/// A text in the chunk's bytes or in the arena.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub enum Span {
    #[default]
    None,
    Read(u32, u32),
    Made(u32, u32),
}

impl Span {
    pub fn is_some(self) -> bool {
        self != Span::None
    }

    pub fn of<'a>(self, text: &'a [u8], arena: &'a [u8]) -> &'a [u8] {
        match self {
            Span::None => &[],
            Span::Read(start, end) => &text[start as usize..end as usize],
            Span::Made(start, end) => &arena[start as usize..end as usize],
        }
    }
}

/// Members of objectRef, in the order in which ids have them.
pub const REFERENCE: [&[u8]; 8] = [
    b"resource",
    b"namespace",
    b"name",
    b"uid",
    b"apiGroup",
    b"apiVersion",
    b"resourceVersion",
    b"subresource",
];
pub const RESOURCE: usize = 0;
pub const NAMESPACE: usize = 1;
pub const NAME: usize = 2;
pub const UID: usize = 3;
pub const GROUP: usize = 4;
pub const VERSION: usize = 5;
pub const RESOURCE_VERSION: usize = 6;
pub const SUBRESOURCE: usize = 7;

/// A field that is a text at a place in a body.
pub struct BodyText {
    /// 0 for the request, 1 for the response.
    pub body: usize,
    pub path: Vec<Vec<u8>>,
    /// Longest text, in characters; bytes are compared with it.
    pub length: usize,
}

#[derive(Clone, Default)]
pub struct Event {
    pub start: u32,
    pub end: u32,
    pub parts: [u32; FAMILIES],
    pub level: Span,
    pub stage: Span,
    pub verb: Span,
    pub audit_id: Span,
    pub uri: Span,
    pub received: Span,
    pub staged: Span,
    pub received_us: Option<i64>,
    pub staged_us: Option<i64>,
    pub reference: [Span; 8],
    pub path: Span,
    /// Values of the texts of bodies, in their order.
    pub texts: Vec<Span>,
    /// Bodies as they were read.
    pub raw: [Span; 2],
    /// Bodies as canonical JSON.
    pub bodies: [Span; 2],
    /// Whether redaction leaves the bodies as they are.
    pub verdicts: [Verdict; 2],
    /// Fields are promoted from the bodies that the texts of bodies do not have.
    pub promotes: bool,
    /// Fields of a pod or of a workload's template, as JSON.
    pub fields: Span,
    /// The URI may name a container, and no command.
    pub names_container: bool,
    /// Python has to look at the URI.
    pub uri_in_doubt: bool,
    pub is_plain: bool,
}

#[derive(Clone, Copy)]
pub struct Source<'a> {
    pub text: &'a [u8],
    pub start: u32,
    pub end: u32,
    /// What wraps the event, as bytes that begin the keys of its calls and actors.
    pub context: &'a [u8],
}

pub struct Settings {
    pub bodies: bool,
    /// Verbs and resources of requests that write pods or objects that pods are made from.
    pub writes: Vec<Vec<u8>>,
    pub workloads: Vec<Vec<u8>>,
    pub texts: Vec<BodyText>,
}

/// The event's values that are JSON nodes, until they are looked at.
#[derive(Default)]
struct Nodes {
    user: Span,
    impersonated: Span,
    addresses: Span,
    agent: Span,
    status: Span,
    annotations: Span,
    reference: u32,
    bodies: [u32; 2],
}

pub struct EventReader<'a> {
    pub settings: &'a Settings,
    pub json: &'a mut Reader,
    pub arena: &'a mut Vec<u8>,
    pub families: &'a mut [Family; FAMILIES],
    pub key: &'a mut Vec<u8>,
    pub judge: &'a mut Judge,
}

impl EventReader<'_> {
    pub fn read(&mut self, source: Source) -> Plain<Event> {
        self.json.read(source.text, source.start as usize, source.end as usize)?;
        let mut event = Event { start: source.start, end: source.end, ..Event::default() };
        let nodes = self.members(source.text, &mut event)?;
        if nodes.reference != 0 {
            self.reference(source.text, nodes.reference, &mut event)?;
        }
        self.moments(source.text, &mut event)?;
        self.uri(source.text, &mut event)?;
        for body in 0..2 {
            if nodes.bodies[body] != 0 {
                self.body(source.text, body, nodes.bodies[body], &mut event)?;
            }
        }
        self.pods(source.text, &nodes, &mut event);
        self.parts(source, &nodes, &mut event);
        Ok(event)
    }

    fn members(&mut self, text: &[u8], event: &mut Event) -> Plain<Nodes> {
        let mut nodes = Nodes::default();
        let root = self.json.nodes[0];
        if root.kind != Kind::Object {
            return Err(NotPlain);
        }
        let mut seen = 0u32;
        let (mut is_event, mut is_v1) = (false, false);
        let mut key = root.child;
        while key != 0 {
            let member = self.json.nodes[key as usize];
            let value = self.json.nodes[member.next as usize];
            let name = &text[member.start as usize..member.end as usize];
            let whole = match value.kind {
                Kind::Text => Span::Read(value.start - 1, value.end + 1),
                _ => Span::Read(value.start, value.end),
            };
            if value.kind == Kind::Null {
                return Err(NotPlain);
            }
            let slot = match name {
                b"kind" => {
                    is_event = self.text(text, member.next)?.of(text, self.arena) == b"Event";
                    0
                }
                b"apiVersion" => {
                    let version = self.text(text, member.next)?;
                    is_v1 = version.of(text, self.arena) == b"audit.k8s.io/v1";
                    1
                }
                b"level" => self.put(text, member.next, &mut event.level, 2)?,
                b"auditID" => self.put(text, member.next, &mut event.audit_id, 3)?,
                b"stage" => self.put(text, member.next, &mut event.stage, 4)?,
                b"requestURI" => self.put(text, member.next, &mut event.uri, 5)?,
                b"verb" => self.put(text, member.next, &mut event.verb, 6)?,
                b"userAgent" => self.put(text, member.next, &mut nodes.agent, 7)?,
                b"requestReceivedTimestamp" => {
                    self.put(text, member.next, &mut event.received, 8)?
                }
                b"stageTimestamp" => self.put(text, member.next, &mut event.staged, 9)?,
                b"user" => set(&mut nodes.user, whole, 10),
                b"impersonatedUser" => set(&mut nodes.impersonated, whole, 11),
                b"sourceIPs" => set(&mut nodes.addresses, whole, 12),
                b"responseStatus" => set(&mut nodes.status, whole, 13),
                b"annotations" => set(&mut nodes.annotations, whole, 14),
                b"objectRef" => set(&mut nodes.reference, member.next, 15),
                b"requestObject" => {
                    event.raw[0] = whole;
                    set(&mut nodes.bodies[0], member.next, 16)
                }
                b"responseObject" => {
                    event.raw[1] = whole;
                    set(&mut nodes.bodies[1], member.next, 17)
                }
                _ => return Err(NotPlain),
            };
            if seen >> slot & 1 == 1 {
                return Err(NotPlain);
            }
            seen |= 1 << slot;
            key = value.next;
        }
        if is_event && is_v1 {
            Ok(nodes)
        } else {
            Err(NotPlain)
        }
    }

    /// Return a value that is a text, with its escapes undone.
    fn text(&mut self, text: &[u8], index: u32) -> Plain<Span> {
        let node = self.json.nodes[index as usize];
        if node.kind != Kind::Text {
            return Err(NotPlain);
        }
        if !node.escaped {
            return Ok(Span::Read(node.start, node.end));
        }
        let start = self.arena.len() as u32;
        unescape(&text[node.start as usize..node.end as usize], self.arena);
        if self.arena[start as usize..].contains(&0) {
            return Err(NotPlain); // keys of parts are separated by it
        }
        Ok(Span::Made(start, self.arena.len() as u32))
    }

    fn put(&mut self, text: &[u8], index: u32, into: &mut Span, slot: u32) -> Plain<u32> {
        *into = self.text(text, index)?;
        Ok(slot)
    }

    fn reference(&mut self, text: &[u8], index: u32, event: &mut Event) -> Plain<()> {
        let node = self.json.nodes[index as usize];
        if node.kind != Kind::Object {
            return Err(NotPlain);
        }
        let mut seen = 0u32;
        let mut key = node.child;
        while key != 0 {
            let member = self.json.nodes[key as usize];
            let name = &text[member.start as usize..member.end as usize];
            let slot = REFERENCE.iter().position(|known| *known == name).ok_or(NotPlain)?;
            if seen >> slot & 1 == 1 {
                return Err(NotPlain);
            }
            seen |= 1 << slot;
            let value = self.text(text, member.next)?;
            if !value.of(text, self.arena).is_empty() {
                event.reference[slot] = value;
            }
            key = self.json.nodes[member.next as usize].next;
        }
        Ok(())
    }

    fn moments(&mut self, text: &[u8], event: &mut Event) -> Plain<()> {
        for (span, into) in
            [(event.received, &mut event.received_us), (event.staged, &mut event.staged_us)]
        {
            if span.is_some() {
                *into = Some(micros(span.of(text, self.arena)).ok_or(NotPlain)?);
            }
        }
        if event.received_us.is_none() && event.staged_us.is_none() {
            return Err(NotPlain);
        }
        Ok(())
    }

    fn uri(&mut self, text: &[u8], event: &mut Event) -> Plain<()> {
        let uri = event.uri.of(text, self.arena);
        let subresource = event.reference[SUBRESOURCE].of(text, self.arena);
        let has_target = event.reference[RESOURCE].is_some();
        let (path, query) = match uri.iter().position(|byte| *byte == b'?') {
            Some(at) => (&uri[..at], &uri[at + 1..]),
            None => (uri, &uri[..0]),
        };
        event.uri_in_doubt = is_odd(uri);
        if contains(query, b"dryRun=All") {
            return Err(NotPlain);
        }
        let commands: [&[u8]; 4] = [b"exec", b"attach", b"log", b"portforward"];
        if commands.contains(&subresource) && query.contains(&b'=') {
            if subresource != b"log" || query.contains(&b'%') || contains(query, b"command") {
                return Err(NotPlain);
            }
            event.names_container = contains(query, b"container");
        }
        if !has_target && (names_resource(path) || path.contains(&b'%')) {
            return Err(NotPlain);
        }
        if !uri.is_empty() && (!has_target || subresource == b"proxy") {
            if path.contains(&b'%') {
                return Err(NotPlain);
            }
            let length = path.len() as u32;
            event.path = match event.uri {
                Span::Read(start, _) => Span::Read(start, start + length),
                Span::Made(start, _) => Span::Made(start, start + length),
                Span::None => Span::None,
            };
        }
        Ok(())
    }

    fn body(&mut self, text: &[u8], body: usize, index: u32, event: &mut Event) -> Plain<()> {
        let node = self.json.nodes[index as usize];
        if !self.settings.bodies {
            event.bodies[body] = event.raw[body];
            return Ok(());
        }
        match node.kind {
            Kind::Object => {
                self.body_texts(text, body, index, event)?;
                event.verdicts[body] = self.judge.verdict(self.json, text, index);
            }
            Kind::Array => event.promotes = true,
            _ => return Err(NotPlain),
        }
        if node.canonical {
            event.bodies[body] = Span::Read(node.start, node.end);
        } else {
            let start = self.arena.len() as u32;
            canonical(self.json, text, index, self.arena)?;
            event.bodies[body] = Span::Made(start, self.arena.len() as u32);
        }
        Ok(())
    }

    fn body_texts(&mut self, text: &[u8], body: usize, index: u32, event: &mut Event) -> Plain<()> {
        for name in [b"roleRef".as_slice(), b"subjects", b"dryRun"] {
            event.promotes |= self.json.member(text, index, name)? != 0;
        }
        let metadata = self.json.member(text, index, b"metadata")?;
        if metadata != 0 {
            let annotations = self.json.member(text, metadata, b"annotations")?;
            if annotations != 0 && body == 1 {
                event.promotes |= self.json.member(text, annotations, b"kubernetes.io/psp")? != 0;
            }
        }
        self.texts(text, body, index, event)
    }

    /// Read the texts of a body of other bytes, which are in the arena from a place on.
    pub fn texts_again(
        &mut self,
        bytes: &[u8],
        body: usize,
        start: u32,
        event: &mut Event,
    ) -> Plain<()> {
        for (span, wanted) in event.texts.iter_mut().zip(&self.settings.texts) {
            if wanted.body == body {
                *span = Span::None;
            }
        }
        self.texts(bytes, body, 0, event)?;
        for (span, wanted) in event.texts.iter_mut().zip(&self.settings.texts) {
            if let (Span::Read(from, to), true) = (*span, wanted.body == body) {
                *span = Span::Made(start + from, start + to);
            }
        }
        Ok(())
    }

    fn texts(&mut self, text: &[u8], body: usize, index: u32, event: &mut Event) -> Plain<()> {
        event.texts.resize(self.settings.texts.len(), Span::None);
        for place in 0..self.settings.texts.len() {
            let wanted = &self.settings.texts[place];
            if wanted.body != body {
                continue;
            }
            let mut value = index;
            for name in &wanted.path {
                value = self.json.member(text, value, name)?;
                if value == 0 {
                    break;
                }
            }
            if value == 0 || self.json.nodes[value as usize].kind != Kind::Text {
                continue;
            }
            let length = wanted.length;
            let span = self.text(text, value)?;
            let content = span.of(text, self.arena);
            if content.len() > length {
                return Err(NotPlain);
            }
            if !content.is_empty() {
                event.texts[place] = span;
            }
        }
        Ok(())
    }

    /// Make the fields of a pod or of a workload's template, where Python need not.
    fn pods(&mut self, text: &[u8], nodes: &Nodes, event: &mut Event) {
        let is_one_of = |span: Span, names: &[Vec<u8>]| {
            names.iter().any(|name| name.as_slice() == span.of(text, self.arena))
        };
        if !self.settings.bodies
            || event.promotes
            || event.reference[SUBRESOURCE].is_some()
            || !is_one_of(event.reference[RESOURCE], &self.settings.workloads)
            || !is_one_of(event.verb, &self.settings.writes)
        {
            return;
        }
        let kind = |index: u32| self.json.nodes[index as usize].kind;
        let mut bodies = nodes.bodies.into_iter();
        let Some(body) = bodies.find(|index| *index != 0 && kind(*index) == Kind::Object) else {
            return;
        };
        let name = event.reference[NAME].of(text, self.arena).to_vec();
        let resource = event.reference[RESOURCE].of(text, self.arena).to_vec();
        let request = Request { resource: &resource, name: &name };
        let start = self.arena.len();
        if pod_fields(self.json, text, body, &request, self.arena).is_ok() {
            event.fields = Span::Made(start as u32, self.arena.len() as u32);
        } else {
            self.arena.truncate(start);
        }
    }

    fn parts(&mut self, source: Source, nodes: &Nodes, event: &mut Event) {
        let text = source.text;
        let sensitive = [event.reference[RESOURCE], event.reference[SUBRESOURCE]];
        let reference = event.reference;
        self.key.clear();
        self.key.extend_from_slice(source.context);
        for span in [
            event.level,
            event.stage,
            event.verb,
            reference[RESOURCE],
            reference[SUBRESOURCE],
            reference[GROUP],
            reference[VERSION],
        ] {
            self.key.push(if span.is_some() { 1 } else { 2 });
            self.key.extend_from_slice(span.of(text, self.arena));
            self.key.push(0);
        }
        event.parts[CALL] = self.families[CALL].place(self.key);

        self.key.clear();
        self.key.extend_from_slice(source.context);
        self.key.extend_from_slice(nodes.user.of(text, self.arena));
        self.key.push(0);
        self.key.extend_from_slice(nodes.impersonated.of(text, self.arena));
        event.parts[ACTOR] = self.families[ACTOR].place(self.key);

        let addresses = nodes.addresses.of(text, self.arena);
        event.parts[ORIGIN] = self.families[ORIGIN].place(addresses);
        event.parts[AGENT] = self.families[AGENT].place(nodes.agent.of(text, self.arena));

        for (family, span) in [(ANSWER, nodes.status), (NOTES, nodes.annotations)] {
            self.key.clear();
            for part in sensitive {
                self.key.extend_from_slice(part.of(text, self.arena));
                self.key.push(0);
            }
            self.key.extend_from_slice(span.of(text, self.arena));
            event.parts[family] = self.families[family].place(self.key);
        }
    }
}

fn set<T>(into: &mut T, value: T, slot: u32) -> u32 {
    *into = value;
    slot
}

/// Whether a URI or a name has more than the letters of ordinary ones.
pub fn is_odd(text: &[u8]) -> bool {
    text.iter().any(|byte| {
        matches!(byte, b'?' | b'=' | b'@' | b'%' | b'_' | b' ' | b'"' | b'\'')
            || byte.is_ascii_uppercase()
            || !byte.is_ascii()
    })
}

/// Whether a path may be about a resource that no objectRef names.
fn names_resource(path: &[u8]) -> bool {
    let names: Vec<&[u8]> =
        path.split(|byte| *byte == b'/').skip_while(|name| name.is_empty()).collect();
    match names.first() {
        Some(&b"api") => names.len() > 2,
        Some(&b"apis") => names.len() > 3,
        _ => false,
    }
}

pub fn contains(text: &[u8], wanted: &[u8]) -> bool {
    memchr::memmem::find(text, wanted).is_some()
}
