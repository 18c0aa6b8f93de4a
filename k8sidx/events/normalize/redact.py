"""Secrets out of events before anything is stored (docs/contract: Promises).

Replaced are the values, never the keys, of Secrets and ConfigMaps, the tokens of
TokenRequests and TokenReviews, the request and certificate of
CertificateSigningRequests, ``kubectl.kubernetes.io/last-applied-configuration`` of
any object, and bearer tokens in URIs: in requests and answers, lists, merge patches
and JSON patches alike.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from k8sidx.events.normalize.event_id import canonical_json

MARK = "[redacted by k8sidx]"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

KIND_OF_RESOURCE = {
    "secrets": "Secret",
    "configmaps": "ConfigMap",
    "tokenreviews": "TokenReview",
    "certificatesigningrequests": "CertificateSigningRequest",
    "certificatesigningrequests/approval": "CertificateSigningRequest",
    "certificatesigningrequests/status": "CertificateSigningRequest",
    "serviceaccounts/token": "TokenRequest",
}
_PARTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "Secret": (("data",), ("stringData",), ("binaryData",)),
    "ConfigMap": (("data",), ("binaryData",)),
    "TokenRequest": (("status", "token"),),
    "TokenReview": (("spec", "token"),),
    "CertificateSigningRequest": (("spec", "request"), ("status", "certificate")),
}
_TYPED_GROUPS = frozenset({"core", "apps", "batch", "policy", "authorization.k8s.io"})
_TYPED_RESOURCES = frozenset(
    {
        "bindings", "cronjobs", "daemonsets", "deployments", "endpoints", "events", "jobs",
        "localsubjectaccessreviews", "namespaces", "nodes", "persistentvolumeclaims",
        "persistentvolumes", "poddisruptionbudgets", "pods", "replicasets",
        "selfsubjectaccessreviews", "selfsubjectrulesreviews", "services", "statefulsets",
        "subjectaccessreviews",
    }
)  # fmt: skip
_SUSPECTS = tuple(b'"kind":"' + kind.encode() for kind in _PARTS)
# In compact JSON an unescaped quote is never inside a text, so this finds just the
# annotation, wherever in an object it stands.
_LAST_APPLIED_ENTRY = re.compile(
    b'"' + re.escape(LAST_APPLIED.encode()) + rb'":"(?!\[redacted)(?:[^"\\]|\\.)*+"'
)
_LAST_APPLIED_KEY = f'"{LAST_APPLIED}":'.encode()
_PATCH_PATH = b"kubectl.kubernetes.io~1last-applied-configuration"
_LAST_APPLIED_MARK = f'"{LAST_APPLIED}":"{MARK}"'.encode()
_JWT = re.compile(r"eyJ[\w-]{8,}(?:\.|%2[eE])[\w-]{8,}(?:\.|%2[eE])[\w-]*")
_TOKEN_PARAMETER = re.compile(
    r"((?:token|authorization|bearer)(?:=|%3[dD])(?:bearer(?:\+|%20| ))?)([^&\s]+)", re.IGNORECASE
)


def embeds_objects(resource: str, group: str) -> bool:
    """Whether bodies of a resource can hold a Secret inside another object.

    Kubernetes' own types cannot: the API server logs them as typed objects. Custom
    resources, lists over many types and templates can.
    """
    return group not in _TYPED_GROUPS or resource not in _TYPED_RESOURCES


def redact_json(body: bytes, target: str, embedding: bool = True) -> bytes:
    """A request or response object without its secrets.

    :param body: canonical JSON.
    :param target: resource, or resource/subresource, of the request: says what a patch
        or an item of a list is, since these carry no kind.
    :param embedding: :func:`embeds_objects` of the resource.
    :returns: canonical JSON; the same object when there was nothing to redact.
    """
    if b"last-applied-configuration" in body:
        body = _without_last_applied(body)
    if target in KIND_OF_RESOURCE or (embedding and any(suspect in body for suspect in _SUSPECTS)):
        value = msgspec.json.decode(body)
        if redact_object(value, target):
            return canonical_json(value)
    return body


def _without_last_applied(body: bytes) -> bytes:
    body, _ = _LAST_APPLIED_ENTRY.subn(_LAST_APPLIED_MARK, body)
    # Something else than text under the annotation's key, or a JSON patch of it.
    if body.count(_LAST_APPLIED_KEY) != body.count(_LAST_APPLIED_MARK) or _PATCH_PATH in body:
        value = msgspec.json.decode(body)
        if redact_object(value, ""):
            return canonical_json(value)
    return body


def redact_uri(uri: str) -> str:
    """The URI without bearer tokens and JSON web tokens."""
    if "eyJ" in uri:
        uri = _JWT.sub(MARK.replace(" ", "+"), uri)
    return _TOKEN_PARAMETER.sub(rf"\1{MARK.replace(' ', '+')}", uri)


def redact_object(body: Any, target: str) -> bool:
    """Replace the secrets in a request or response object, in place.

    :returns: whether anything was replaced.
    """
    kind = KIND_OF_RESOURCE.get(target, "")
    if isinstance(body, list):
        return _redact_json_patch(body, kind)
    if kind and isinstance(body, dict):
        said = body.get("kind", kind)
        if said == kind:
            return _redact_one(body, kind)
        items = body.get("items")
        if said == f"{kind}List" and isinstance(items, list):
            return sum(_redact_one(one, kind) for one in items if isinstance(one, dict)) > 0
    return _redact_objects(body, kind)


def _redact_one(node: dict[str, Any], kind: str) -> bool:
    """An object of a kind of Kubernetes' own: its secrets are in known places."""
    changed = False
    for path in _PARTS[kind]:
        changed |= _mask_path(node, path)
    metadata = node.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    if isinstance(annotations, dict):
        changed |= _mask_entry(annotations, LAST_APPLIED)
    return changed


def redact_annotations(annotations: dict[str, Any], target: str) -> bool:
    """Audit annotations that quote the object: webhook patches and validation failures."""
    changed = False
    for key, value in annotations.items():
        quotes = target in KIND_OF_RESOURCE and "patch.webhook" in key
        if (
            value != MARK
            and isinstance(value, str)
            and (quotes or "last-applied-configuration" in value)
        ):
            annotations[key] = MARK
            changed = True
    return changed


def _redact_objects(root: Any, kind: str) -> bool:
    """Walk the whole object; ``kind`` is what the root is when it does not say."""
    changed = False
    pending: list[tuple[Any, str]] = [(root, kind)]
    while pending:
        node, implied = pending.pop()
        if isinstance(node, list):
            pending.extend((element, implied) for element in node)
            continue
        if not isinstance(node, dict):
            continue
        said = node.get("kind")
        actual = said if isinstance(said, str) and said else implied
        for path in _PARTS.get(actual, ()):
            changed |= _mask_path(node, path)
        changed |= _mask_entry(node, LAST_APPLIED)
        items_are = actual.removesuffix("List") if actual.endswith("List") else implied
        pending.extend(
            (child, items_are if key in ("items", "object") else "")
            for key, child in node.items()
            if isinstance(child, dict | list)
        )
    return changed


def _redact_json_patch(operations: list[Any], kind: str) -> bool:
    changed = False
    for operation in operations:
        if not isinstance(operation, dict) or "value" not in operation:
            continue
        path = str(operation.get("path", ""))
        keys = [key.replace("~1", "/").replace("~0", "~") for key in path.split("/")[1:]]
        if LAST_APPLIED in keys or any(
            tuple(keys[: len(part)]) == part for part in _PARTS.get(kind, ())
        ):
            changed |= _mask_entry(operation, "value")
        else:
            changed |= _redact_objects(_rooted(keys, operation["value"]), kind)
    return changed


def _rooted(keys: list[str], value: Any) -> Any:
    """The value as it will lie in the object, so that paths from the root apply to it."""
    for key in reversed(keys):
        value = {key: value}
    return value


def _mask_path(node: dict[str, Any], path: tuple[str, ...]) -> bool:
    for key in path[:-1]:
        child = node.get(key)
        if not isinstance(child, dict):
            return False
        node = child
    return _mask_entry(node, path[-1])


def _mask_entry(node: dict[str, Any], key: str) -> bool:
    value = node.get(key)
    if value is None or value == MARK:
        return False
    if isinstance(value, dict):
        changed = any(entry != MARK for entry in value.values())
        node[key] = dict.fromkeys(value, MARK)
        return changed
    node[key] = MARK
    return True
