"""Settings of objects that change who may do what, beside those that have a field of their own.

Values of ``object.settings``: a word, or a word and a value with a colon between.
"""

from __future__ import annotations

from k8sidx.events.normalize.json_tree import Fields, mapping, mappings, text, texts

REPOSITORIES = frozenset(
    {"applications", "applicationsets", "gitrepositories", "helmrepositories", "ocirepositories"}
)
"""Resources of Argo CD and Flux that name what is deployed."""
RESOURCES = REPOSITORIES | {
    "customresourcedefinitions",
    "flowschemas",
    "httproutes",
    "networkpolicies",
    "nodes",
    "resourceclaims",
    "resourceclaimtemplates",
    "services",
    "validatingadmissionpolicybindings",
}
"""Resources, beside pods and workloads, whose settings :func:`object_settings` reads."""

_NODE_LABELS = ("node-role.kubernetes.io/", "node-restriction.kubernetes.io/")
_BREAK_GLASS = (
    "image-policy.k8s.io/break-glass",
    "alpha.image-policy.k8s.io/break-glass",
)
_GITOPS = (
    "argocd.argoproj.io/instance",
    "argocd.argoproj.io/tracking-id",
    "kustomize.toolkit.fluxcd.io/name",
    "helm.toolkit.fluxcd.io/name",
)
_EVERYWHERE = frozenset({"0.0.0.0/0", "::/0"})
_TEXT_MEMBERS = 5_000
"""Nodes of a body that are looked at for repositories."""


def object_settings(body: Fields, target: str, verb: str) -> list[str]:
    """Return the settings of an object other than pods and workloads."""
    spec = mapping(body, "spec")
    match target:
        case "customresourcedefinitions":
            strategy = text(mapping(spec, "conversion"), "strategy")
            return [f"conversion:{strategy}"] if strategy == "Webhook" else []
        case "flowschemas":
            level = text(mapping(spec, "priorityLevelConfiguration"), "name")
            return [f"priority-level:{level}"] if level else []
        case "httproutes":
            return _other_namespaces(body, spec)
        case "networkpolicies":
            return [f"allows-all:{way}" for way in ("ingress", "egress") if _allows_all(spec, way)]
        case "nodes":
            return _node_settings(body, spec, verb)
        case "resourceclaims" | "resourceclaimtemplates":
            return _claim_settings(mapping(spec, "spec") or spec)
        case "services":
            name = text(spec, "externalName")
            return [f"external-name:{name}"] if text(spec, "type") == "ExternalName" or name else []
        case "validatingadmissionpolicybindings":
            actions = texts(spec, "validationActions")
            return ["validation:without-Deny"] if actions and "Deny" not in actions else []
    return _repositories(spec) if target in REPOSITORIES else []


def pod_settings(body: Fields, template: Fields, containers: list[Fields]) -> list[str]:
    """Return the settings of a pod or a workload's template."""
    spec = mapping(template, "spec")
    metadata = [mapping(node, "metadata") for node in (body, template)]
    marks: Fields = {}
    for node in metadata:
        marks |= mapping(node, "labels") | mapping(node, "annotations")
    settings = []
    if any(
        container.get("stdin") is True and container.get("tty") is True for container in containers
    ):
        settings.append("interactive")
    if spec.get("hostUsers") is False:
        settings.append("user-namespace")
    if any(str(marks.get(key, "")).lower() == "true" for key in _BREAK_GLASS):
        settings.append("break-glass")
    if any(key in marks for key in _GITOPS):
        settings.append("managed-by:gitops")
    return settings


def _other_namespaces(body: Fields, spec: Fields) -> list[str]:
    own = text(mapping(body, "metadata"), "namespace")
    named = {
        text(backend, "namespace")
        for rule in mappings(spec, "rules")
        for backend in mappings(rule, "backendRefs")
    }
    return [f"backend-namespace:{name}" for name in sorted(named - {own, ""})]


def _allows_all(spec: Fields, way: str) -> bool:
    """Whether a rule allows traffic with everybody on all ports."""
    peers = "from" if way == "ingress" else "to"
    for rule in mappings(spec, way):
        blocks = {text(mapping(peer, "ipBlock"), "cidr") for peer in mappings(rule, peers)}
        if not rule.get("ports") and (not rule.get(peers) or blocks & _EVERYWHERE):
            return True
    return False


def _node_settings(body: Fields, spec: Fields, verb: str) -> list[str]:
    metadata = mapping(body, "metadata")
    settings = ["ownerReferences"] if mappings(metadata, "ownerReferences") else []
    if verb == "patch":
        labels = [key for key in mapping(metadata, "labels") if key.startswith(_NODE_LABELS)]
        settings += [f"label:{key}" for key in labels]
        settings += ["taints"] if "taints" in spec else []
    return settings


def _claim_settings(spec: Fields) -> list[str]:
    requests = mappings(mapping(spec, "devices"), "requests")
    nodes = [node for request in requests for node in (request, mapping(request, "exactly"))]
    return ["adminAccess"] if any(node.get("adminAccess") is True for node in nodes) else []


def _repositories(spec: Fields) -> list[str]:
    """Return the repositories that an object names, wherever in its specification."""
    nodes: list[object] = [spec]
    urls: dict[str, None] = {}
    for node in nodes:
        if len(nodes) > _TEXT_MEMBERS:
            break
        if type(node) is dict:
            for key in ("repoURL", "url"):
                if url := text(node, key):
                    urls[url] = None
            nodes += node.values()
        elif type(node) is list:
            nodes += node
    return [f"repository:{url}" for url in urls]
