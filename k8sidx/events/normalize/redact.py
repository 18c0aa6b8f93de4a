"""Redaction of everything that is kept of an event (docs/secrets.md lists what is replaced).

The target of the request decides: bodies of requests for Secrets are redacted as Secrets,
whatever kind they name. Kinds that bodies name add to it, at any depth, in patches, in
lists, and in text that holds JSON or YAML. What cannot be looked into and could hold a
secret is replaced as a whole, with its length and a digest for comparison.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

import msgspec

from k8sidx.events.normalize.embedded_text import parse_text
from k8sidx.events.normalize.event_id import canonical_json
from k8sidx.events.normalize.redact_container import redact_arguments, redact_environment
from k8sidx.events.normalize.redact_hints import (
    APPLIED_TEXTS,
    KUBECTL_ENTRY,
    KUBECTL_MARK,
    LAST_APPLIED,
    PACKED,
    REDACTED_KINDS,
    is_suspect,
)
from k8sidx.events.normalize.redact_text import (
    MARK,
    is_mark,
    redact_message,
    redact_text,
    redact_value,
)

APPLIED = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        "kapp.k14s.io/original",
        "kapp.k14s.io/original-diff",
        "objectset.rio.cattle.io/applied",
        "banzaicloud.com/last-applied",
        "argocd.argoproj.io/last-applied-configuration",
    }
)
"""Annotations in which tools keep the object as it was applied."""

KIND_OF_RESOURCE = {
    "secrets": "Secret",
    "secrets/status": "Secret",
    "configmaps": "ConfigMap",
    "tokenreviews": "TokenReview",
    "certificatesigningrequests": "CertificateSigningRequest",
    "certificatesigningrequests/approval": "CertificateSigningRequest",
    "certificatesigningrequests/status": "CertificateSigningRequest",
    "serviceaccounts/token": "TokenRequest",
    "helmreleases": "HelmRelease",
    "helmcharts": "HelmChart",
    "helmchartconfigs": "HelmChartConfig",
}
_PARTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "Secret": (("data",), ("stringData",), ("binaryData",)),
    "ConfigMap": (("data",), ("binaryData",)),
    "TokenRequest": (("status", "token"),),
    "TokenReview": (("spec", "token"), ("status", "user"), ("status", "error")),
    "CertificateSigningRequest": (("spec", "request"), ("status", "certificate")),
    "HelmRelease": (("spec", "values"),),
    "HelmChart": (("spec", "valuesContent"), ("spec", "set")),
    "HelmChartConfig": (("spec", "valuesContent"), ("spec", "set")),
}
_PLAIN_KINDS = frozenset(
    {"Secret", "ConfigMap", "TokenRequest", "TokenReview", "CertificateSigningRequest"}
)
"""Kinds that hold no other objects, but for annotations."""
_OBJECT_KEYS = frozenset(
    {
        "apiVersion", "binaryData", "data", "immutable", "items", "kind", "metadata", "spec",
        "status", "stringData", "type",
    }
)  # fmt: skip

_SUSPECT_KIND = re.compile(rf"kind[\\\"': ]{{1,12}}(?:{REDACTED_KINDS})")
_ARGUMENT_KEYS = frozenset({"args", "command"})
_SENSITIVE_PATCH = re.compile(r"/env/[^/]+/value$")
_CONTENT_KEY = re.compile(
    "body|object|payload|data|raw|content|original|message|log|line|text|patch|value|request|respon",
    re.IGNORECASE,
)
_SIMPLE = re.compile(r"[\w.:/+-]{0,64}")
MAX_TEXT_DEPTH = 4
"""Texts with objects inside one another that are looked into."""


def opaque(text: str) -> str:
    """Return what stands for a text that cannot be looked into."""
    data = text.encode("utf-8", "surrogatepass")
    return f"{MARK[:-1]}: {len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()[:12]}]"


def redact_json(body: bytes, target: str, embedding: bool = True) -> bytes:
    """Return a request or response object without its secrets.

    :param body: canonical JSON.
    :param target: resource, or resource/subresource, of the request.
    :param embedding: :func:`embeds_objects` of the resource.
    :returns: canonical JSON; the same object when there was nothing to redact.
    """
    if LAST_APPLIED in body:
        # Most often the annotation is all there is, and the body needs no decoding for it.
        body = KUBECTL_ENTRY.sub(KUBECTL_MARK, body)
    if target in KIND_OF_RESOURCE or is_suspect(body, embedding):
        value = msgspec.json.decode(body)
        holder = {"body": value}
        if redact_object(holder, target):
            return canonical_json(holder["body"])
    return body


def redact_object(holder: dict[str, Any], target: str) -> bool:
    """Replace the secrets in ``holder["body"]``, in place.

    :returns: whether anything was replaced.
    """
    kind = KIND_OF_RESOURCE.get(target, "")
    body = holder["body"]
    if isinstance(body, str):
        return not is_mark(body) and _redact_text_value(holder, "body", kind, 0)
    if isinstance(body, list):
        return _redact_json_patch(body, kind)
    if isinstance(body, dict):
        is_plain = kind in _PLAIN_KINDS and _OBJECT_KEYS.issuperset(body)
        if is_plain and body.get("kind", kind) in (kind, f"{kind}List"):
            return _redact_plain(body, kind)
        if body.get("kind") == "Status":
            return _redact_status(body, kind) | _redact_tree(body, kind, 0)
        return _redact_tree(body, kind, 0) | _mask_target(body, kind)
    return False


def _redact_status(body: dict[str, Any], kind: str) -> bool:
    """Redact an error in place of an object: its messages quote the request."""
    details = body.get("details")
    causes = details.get("causes") if isinstance(details, dict) else None
    changed = False
    for node in [body, *(causes if isinstance(causes, list) else [])]:
        if isinstance(node, dict) and isinstance(message := node.get("message"), str):
            node["message"] = redact_message(message, quotes_secrets=bool(kind))
            changed |= node["message"] != message
    return changed


def _redact_plain(body: dict[str, Any], kind: str) -> bool:
    """Redact an object or a list of a kind of Kubernetes' own: its secrets are in known places."""
    items = body.get("items")
    changed = False
    for node in items if isinstance(items, list) else [body]:
        if not isinstance(node, dict):
            continue
        changed |= _mask_parts(node, kind)
        metadata = node.get("metadata")
        if isinstance(metadata, dict):
            changed |= _redact_metadata(metadata)
    return changed


def _redact_metadata(metadata: dict[str, Any]) -> bool:
    """Redact annotations and labels of an object that holds secrets: often they are copied."""
    changed = False
    for part in ("annotations", "labels"):
        if isinstance(values := metadata.get(part), dict):
            changed |= _redact_tree({part: values}, "", 0) | _redact_entries(values)
    return changed


def _redact_entries(values: dict[str, Any]) -> bool:
    changed = False
    for key, value in values.items():
        if isinstance(value, str) and not is_mark(value):
            values[key] = redact_text(value)
            changed |= values[key] is not value
    return changed


def _mask_target(body: dict[str, Any], kind: str) -> bool:
    """Mask an object that the request was about, or each of a list, whatever kind it names."""
    if not kind:
        return False
    items = body.get("items")
    objects = items if isinstance(items, list) else [body]
    changed = False
    for node in objects:
        if isinstance(node, dict):
            changed |= _mask_parts(node, kind)
            if isinstance(metadata := node.get("metadata"), dict):
                changed |= _redact_metadata(metadata)
    return changed


def _is_json_patch(value: list[Any]) -> bool:
    return bool(value) and all(
        isinstance(operation, dict) and "op" in operation and "path" in operation
        for operation in value
    )


def _mask_parts(node: dict[str, Any], kind: str) -> bool:
    changed = False
    for path in _PARTS.get(kind, ()):
        changed |= _mask_path(node, path)
    return changed


def redact_annotations(annotations: dict[str, Any], target: str) -> bool:
    """Redact audit annotations that quote the object: webhook patches, validation failures.

    :returns: whether anything was replaced.
    """
    changed = False
    for key, value in annotations.items():
        if not isinstance(value, str) or is_mark(value):
            continue
        quotes = target in KIND_OF_RESOURCE and "patch.webhook" in key
        if quotes or any(hint in value for hint in APPLIED_TEXTS):
            annotations[key] = MARK
        elif _SUSPECT_KIND.search(value) or PACKED.search(value):
            is_plain = _SUSPECT_KIND.search(value) is None
            _redact_text_value(annotations, key, "", 0, keep_plain=is_plain)
        else:
            annotations[key] = redact_text(value, prose=True)
        changed |= annotations[key] is not value
    return changed


def redact_tree(root: dict[str, Any], target: str) -> bool:
    """Replace secrets in an object of any form that is kept beside an event, in place.

    Every text is looked into, and every object below a key that a body could have is
    treated as one.

    :returns: whether anything was replaced.
    """
    kind = KIND_OF_RESOURCE.get(target, "")
    changed = _redact_tree(root, "", 0)
    pending: list[Any] = [root]
    while pending:
        node = pending.pop()
        children = node.items() if isinstance(node, dict) else enumerate(node)
        for key, child in list(children):
            if isinstance(child, dict):
                changed |= bool(kind) and _mask_parts(child, kind)
                pending.append(child)
            elif isinstance(child, list):
                pending.append(child)
            elif isinstance(child, str) and not is_mark(child):
                changed |= _redact_kept_text(node, key, child, kind)
    return changed


def _redact_kept_text(node: Any, key: Any, text: str, kind: str) -> bool:
    suspect = bool(kind) or _SUSPECT_KIND.search(text) is not None
    if suspect or PACKED.search(text):
        is_plain = not suspect or _SIMPLE.fullmatch(text) is not None or not _is_content(key)
        if _redact_text_value(node, key, kind, 0, keep_plain=is_plain):
            return True
    redacted = redact_text(text)
    if redacted is text:
        return False
    node[key] = redacted
    return True


def _is_content(key: Any) -> bool:
    """Whether a key beside an event names something that may be a body of it."""
    return not isinstance(key, str) or _CONTENT_KEY.search(key) is not None


def _redact_tree(root: Any, kind: str, depth: int) -> bool:
    """Walk the whole object; ``kind`` is what the root is when it does not name one."""
    changed = False
    pending: list[tuple[Any, str]] = [(root, kind)]
    while pending:
        node, implied = pending.pop()
        if isinstance(node, list):
            for index, child in enumerate(node):
                if isinstance(child, str):
                    changed |= _redact_member(node, index, child, depth)
                elif isinstance(child, dict | list):
                    pending.append((child, implied))
            continue
        named = node.get("kind")
        actual = named if isinstance(named, str) and named else implied
        changed |= _mask_parts(node, actual)
        items_are = actual.removesuffix("List") if actual.endswith("List") else implied
        for key, child in list(node.items()):
            if isinstance(child, str):
                changed |= _redact_member(node, key, child, depth)
            elif isinstance(child, dict | list):
                if key in APPLIED:
                    changed |= _mask_entry(node, key)
                    continue
                if isinstance(child, list) and _is_json_patch(child):
                    changed |= _redact_json_patch(child, kind)
                    continue
                changed |= _redact_container_member(key, child)
                pending.append((child, items_are if key in ("items", "object") else ""))
    return changed


def _redact_member(node: Any, key: Any, text: str, depth: int) -> bool:
    if key in APPLIED:
        return _mask_entry(node, key)
    if len(text) > 12 and (
        _SUSPECT_KIND.search(text) or any(hint in text for hint in APPLIED_TEXTS)
    ):
        return _redact_text_value(node, key, "", depth)
    changed = False
    if len(text) > 12 and PACKED.search(text):
        changed = _redact_text_value(node, key, "", depth, keep_plain=True)
    return _redact_value(node, key) | changed


def _redact_value(node: Any, key: Any) -> bool:
    text = node[key]
    redacted = redact_value(text) if len(text) > 8 and not is_mark(text) else text
    node[key] = redacted
    return redacted is not text


def _redact_container_member(key: str, child: Any) -> bool:
    if key in ("env", "httpHeaders"):
        return redact_environment(child)
    if key in _ARGUMENT_KEYS and isinstance(child, list):
        return redact_arguments(child)
    return False


def _redact_text_value(
    node: Any, key: Any, kind: str, depth: int, *, keep_plain: bool = False
) -> bool:
    """Redact a text that may hold an object; replace it when it cannot be looked into.

    :param kind: what the object is when it does not name a kind.
    :param keep_plain: leave a text that is neither JSON nor YAML of an object.
    """
    text = node[key]
    value = parse_text(text) if depth < MAX_TEXT_DEPTH else None
    if value is None:
        if keep_plain and not _SUSPECT_KIND.search(text):
            return False
        node[key] = opaque(text)
        return True
    if isinstance(value, list):
        changed = _redact_json_patch(value, kind)
    else:
        changed = _redact_tree(value, kind, depth + 1) | _mask_target(value, kind)
    if changed:
        node[key] = canonical_json(value).decode()
    return changed


def _redact_json_patch(operations: list[Any], kind: str) -> bool:
    changed = False
    for operation in operations:
        if isinstance(operation, list):
            changed |= _redact_json_patch(operation, kind)
            continue
        if not isinstance(operation, dict):
            continue
        if "value" not in operation or "path" not in operation:
            changed |= _redact_tree(operation, kind, 0)
            continue
        path = str(operation["path"])
        keys = [key.replace("~1", "/").replace("~0", "~") for key in path.strip("/").split("/")]
        keys = [key for key in keys if key]
        in_part = any(tuple(keys[: len(part)]) == part for part in _PARTS.get(kind, ()))
        if in_part or not APPLIED.isdisjoint(keys) or _SENSITIVE_PATCH.search(path):
            changed |= _mask_entry(operation, "value")
        else:
            changed |= _redact_rooted(operation, keys, kind)
    return changed


def _redact_rooted(operation: dict[str, Any], keys: list[str], kind: str) -> bool:
    """Redact a patch's value as it will lie in the object, so that paths from the root apply."""
    value = operation["value"]
    root: Any = value
    for key in reversed(keys):
        root = {key: root}
    if not isinstance(root, dict):
        return isinstance(root, list) and _redact_json_patch(root, kind)
    changed = _redact_tree(root, kind, 0) | _mask_target(root, kind)
    for key in keys:
        root = root[key] if isinstance(root, dict) else root
    if changed:
        operation["value"] = root
    return changed


def _mask_path(node: dict[str, Any], path: tuple[str, ...]) -> bool:
    for key in path[:-1]:
        child = node.get(key)
        if not isinstance(child, dict):
            return False
        node = child
    return _mask_entry(node, path[-1])


def _mask_entry(node: dict[str, Any], key: str) -> bool:
    value = node.get(key)
    if value is None or is_mark(value):
        return False
    if isinstance(value, dict):
        changed = any(not is_mark(entry) for entry in value.values())
        node[key] = dict.fromkeys(value, MARK)
        return changed
    node[key] = MARK
    return True
