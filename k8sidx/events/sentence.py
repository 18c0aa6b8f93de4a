"""Sentences of requests: verb, object and outcome in the words of Kubernetes.

Values come from the log and are inserted unchanged: they are escaped where the sentence is
displayed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from k8sidx.events.kinds import is_cluster_scoped, singular
from k8sidx.events.outcome import DENIED, FAILED_STATUS, FORBID, outcome_of

FIELDS = (
    "stage", "verb", "requestURI", "url.path",
    "objectRef.resource", "objectRef.subresource", "objectRef.namespace", "target.name",
    "responseStatus.code", "responseStatus.reason", "event.outcome", "request.dry_run",
    "annotations.authorization.k8s.io/decision",
    "exec.command_line", "rbac.role", "rbac.role_kind", "rbac.subjects",
    "pod.privileged", "pod.host_network", "pod.host_pid", "pod.host_ipc", "pod.host_paths",
    "requestObject.metadata.name",
)  # fmt: skip
"""Stored fields that a sentence is made of; missing ones may be absent."""

READS = frozenset({"get", "list", "watch", "head"})
"""Verbs that change nothing by themselves."""
_UNAUTHENTICATED = (401, 16)
"""HTTP's Unauthorized, and gRPC's UNAUTHENTICATED in converted logs."""
MAX_TEXT = 200
"""Characters of a value that a sentence contains."""

_PAST = {
    "get": "read", "list": "listed", "watch": "watched", "create": "created",
    "update": "updated", "patch": "patched", "delete": "deleted",
    "deletecollection": "deleted all", "post": "posted to", "put": "put to", "head": "requested",
}  # fmt: skip
_SUBRESOURCES = {
    "exec": "ran a command in", "attach": "attached to", "portforward": "forwarded ports to",
    "log": "read the log of", "eviction": "evicted", "proxy": "used the proxy of",
    "scale": "scaled", "ephemeralcontainers": "added an ephemeral container to",
    "token": "created a token for", "binding": "bound to a node:",
}  # fmt: skip
"""Clauses for requests to a subresource whose verb is not a read."""
_READ_TOO = frozenset({"exec", "attach", "portforward", "log", "proxy"})
"""Subresources that a ``get`` uses like a ``create``: WebSockets begin with one."""
_BINDINGS = frozenset({"rolebindings", "clusterrolebindings"})
_FLAGS = (
    ("pod.host_pid", "hostPID"), ("pod.host_network", "hostNetwork"),
    ("pod.host_ipc", "hostIPC"), ("pod.privileged", "privileged"),
)  # fmt: skip


def past(verb: str) -> str:
    """Return what a request of a verb has done, before the object: ``created``."""
    return _PAST.get(verb, f"did {_text(verb)} on" if verb else "sent a request to")


def sentence(row: Mapping[str, Any]) -> str:
    """Return one line on a request, without its caller: ``created pod shop/web``.

    :param row: stored fields, of :data:`FIELDS` at least those that are not missing.
    """
    code = row.get("responseStatus.code")
    text = _attempt(row) if _failed(row) or _is_open(row) else _done(row)
    if row.get("request.dry_run"):
        text = f"{text} (dry run)"
    reason = row.get("responseStatus.reason")
    if _is_denied(row) and code not in _UNAUTHENTICATED:
        return f"denied ({_text(code or reason or FORBID)}): {text}"
    if _failed(row):
        number = "no code" if code is None else str(code)
        named = f"{number} {_text(reason)}" if reason else number
        return f"{'unauthenticated' if code in _UNAUTHENTICATED else 'failed'} ({named}): {text}"
    return f"requested, no response logged: {text}" if _is_open(row) else text


def _failed(row: Mapping[str, Any]) -> bool:
    return row.get("event.outcome") == "failure"


def _is_denied(row: Mapping[str, Any]) -> bool:
    decision = row.get("annotations.authorization.k8s.io/decision")
    status = FAILED_STATUS if _failed(row) else None
    reason = row.get("responseStatus.reason")
    return outcome_of(decision, row.get("responseStatus.code"), status, reason) == DENIED


def _is_open(row: Mapping[str, Any]) -> bool:
    return row.get("event.outcome") not in ("success", "failure")


def _attempt(row: Mapping[str, Any]) -> str:
    """Return verb and object as in ``kubectl auth can-i``: ``create pods/exec in shop``."""
    verb = _text(row.get("verb") or "request")
    resource = row.get("objectRef.resource")
    if not resource:
        return f"{verb} {_path(row)}"
    subresource = row.get("objectRef.subresource")
    target = f"{_text(resource)}/{_text(subresource)}" if subresource else _text(resource)
    name = row.get("target.name") or row.get("requestObject.metadata.name")
    namespace = row.get("objectRef.namespace")
    text = f"{verb} {target}"
    if name:
        text += f" {_text(name)}"
    if namespace and resource != "namespaces":
        text += f" in {_text(namespace)}"
    return f"{text}{_details(row)}"


def _done(row: Mapping[str, Any]) -> str:
    verb = str(row.get("verb") or "")
    resource = row.get("objectRef.resource")
    if not resource:
        return f"requested {_text(verb)} {_path(row)}".replace("  ", " ")
    subresource = str(row.get("objectRef.subresource") or "")
    if resource in _BINDINGS and verb in ("create", "update", "patch") and row.get("rbac.role"):
        return _bound(row)
    act = past(verb)
    if subresource:
        act = _of_subresource(verb, act, subresource)
    return f"{act} {_object(row, verb)}{_details(row)}"


def _of_subresource(verb: str, act: str, subresource: str) -> str:
    if subresource in _SUBRESOURCES and (verb not in READS or subresource in _READ_TOO):
        return _SUBRESOURCES[subresource]
    return f"{act} the {_text(subresource)} of"


def _object(row: Mapping[str, Any], verb: str) -> str:
    resource = str(row.get("objectRef.resource"))
    namespace = row.get("objectRef.namespace")
    name = row.get("target.name") or row.get("requestObject.metadata.name")
    if resource == "namespaces":
        namespace = None
    if verb == "deletecollection" or not name:
        where = f" in {_text(namespace)}" if namespace else ""
        everywhere = "" if where or verb not in READS else " in all namespaces"
        return f"{_text(resource)}{where}{everywhere if _has_namespaces(row) else ''}"
    path = f"{_text(namespace)}/{_text(name)}" if namespace else _text(name)
    return f"{_text(singular(resource))} {path}"


def _has_namespaces(row: Mapping[str, Any]) -> bool:
    return not is_cluster_scoped(str(row.get("objectRef.resource")))


def _bound(row: Mapping[str, Any]) -> str:
    namespace = row.get("objectRef.namespace")
    subjects = row.get("rbac.subjects") or []
    named = ", ".join(_subject(str(subject)) for subject in subjects[:3])
    more = f" and {len(subjects) - 3} more" if len(subjects) > 3 else ""
    scope = f"in {_text(namespace)}" if namespace else "cluster-wide"
    kind = _text(row.get("rbac.role_kind") or "role")
    return f"bound {kind} {_text(row['rbac.role'])} to {named or 'nobody'}{more} ({scope})"


def _subject(subject: str) -> str:
    """Return ``group x``, ``user x`` or ``ServiceAccount ns/x`` of ``kind/namespace/name``."""
    kind, _, rest = subject.partition("/")
    namespace, _, name = rest.partition("/")
    words = {"User": "user", "Group": "group"}
    path = f"{namespace}/{name}" if namespace else name
    return f"{words.get(kind, _text(kind))} {_text(path)}"


def _details(row: Mapping[str, Any]) -> str:
    command = row.get("exec.command_line")
    if command:
        return f": {_text(command)}"
    if row.get("verb") in READS:
        return ""
    parts = [word for name, word in _FLAGS if row.get(name)]
    parts += [f"hostPath {_text(path)}" for path in (row.get("pod.host_paths") or [])[:3]]
    return f" with {', '.join(parts)}" if parts else ""


def _path(row: Mapping[str, Any]) -> str:
    return _text(row.get("url.path") or row.get("requestURI") or "an unknown path")


def _text(value: object) -> str:
    text = str(value)
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"
