"""Redaction of everything that is kept of an event (docs/secrets.md lists what is replaced).

The target of the request decides: bodies of requests for Secrets are redacted as Secrets,
whatever kind they name. Kinds that bodies name add to it, at any depth, in patches, in
lists, and in text that holds JSON or YAML. What cannot be looked into and could hold a
secret is replaced as a whole, with its length and a digest for comparison.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import msgspec

from k8sidx.events.normalize.event_id import canonical_json
from k8sidx.events.normalize.redact_hints import (
    APPLIED_TEXTS,
    KUBECTL_ENTRY,
    KUBECTL_MARK,
    LAST_APPLIED,
    is_suspect,
    may_be_packed,
)
from k8sidx.events.normalize.redact_kinds import APPLIED, KIND_OF_RESOURCE, mask_parts
from k8sidx.events.normalize.redact_marks import MARK, is_mark
from k8sidx.events.normalize.redact_message import redact_message
from k8sidx.events.normalize.redact_text import redact_text
from k8sidx.events.normalize.redact_walk import (
    SUSPECT_KIND,
    mask_target,
    redact_json_patch,
    redact_member,
    redact_metadata,
    redact_object_text,
    redact_objects,
    redact_packed,
)

_PLAIN_KINDS = frozenset({"Secret", "ConfigMap", "TokenRequest", "TokenReview"})
"""Kinds that hold no other objects, but for annotations."""
_OBJECT_KEYS = frozenset(
    {
        "apiVersion", "binaryData", "data", "immutable", "items", "kind", "metadata", "spec",
        "status", "stringData", "type",
    }
)  # fmt: skip

_CONTENT_KEY = re.compile(
    "body|object|payload|data|raw|content|original|message|log|line|text|patch|value|request|respon",
    re.IGNORECASE,
)
_SHORT = 300
"""Characters of annotations that repeat from event to event: decisions and their reasons."""
_SIMPLE = re.compile(r"[\w.:/+-]{0,64}")


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
        return not is_mark(body) and redact_object_text(holder, "body", kind, 0)
    if isinstance(body, list):
        return redact_json_patch(body, kind)
    if isinstance(body, dict):
        is_plain = kind in _PLAIN_KINDS and _OBJECT_KEYS.issuperset(body)
        if is_plain and body.get("kind", kind) in (kind, f"{kind}List"):
            return _redact_plain(body, kind)
        if body.get("kind") == "Status":
            return _redact_status(body, kind) | redact_objects(body, kind, 0)
        return redact_objects(body, kind, 0) | mask_target(body, kind)
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
        changed |= mask_parts(node, kind)
        metadata = node.get("metadata")
        if isinstance(metadata, dict):
            changed |= redact_metadata(metadata)
    return changed


def redact_annotations(annotations: dict[str, Any], target: str) -> bool:
    """Redact audit annotations that quote the object: webhook patches, validation failures.

    :returns: whether anything was replaced.
    """
    changed = False
    for key, value in annotations.items():
        if not isinstance(value, str) or is_mark(value):
            continue
        if target in KIND_OF_RESOURCE and "patch.webhook" in key:
            annotations[key] = MARK
        elif key in APPLIED or len(value) > _SHORT or not _is_plain_annotation(value):
            _redact_annotation(annotations, key, value)
        changed |= annotations[key] is not value
    return changed


def _redact_annotation(annotations: dict[str, Any], key: str, value: str) -> None:
    if any(hint in value for hint in APPLIED_TEXTS):
        annotations[key] = MARK
    elif SUSPECT_KIND.search(value):
        redact_object_text(annotations, key, "", 0)
    elif not (may_be_packed(value) and redact_packed(annotations, key, 0)):
        redact_member(annotations, key, value, 0)
        annotations[key] = redact_text(annotations[key], prose=True)


@lru_cache(maxsize=8192)
def _is_plain_annotation(value: str) -> bool:
    """Return whether an annotation stays as it is, whatever its key but for those of tools."""
    annotations = {"": value}
    _redact_annotation(annotations, "", value)
    return annotations[""] is value


def redact_tree(root: dict[str, Any], target: str) -> bool:
    """Replace secrets in an object of any form that is kept beside an event, in place.

    Every text is looked into, and every object below a key that a body could have is
    treated as one.

    :returns: whether anything was replaced.
    """
    kind = KIND_OF_RESOURCE.get(target, "")
    changed = redact_objects(root, "", 0)
    pending: list[Any] = [root]
    while pending:
        node = pending.pop()
        children = node.items() if isinstance(node, dict) else enumerate(node)
        for key, child in list(children):
            if isinstance(child, dict):
                changed |= bool(kind) and mask_parts(child, kind)
                pending.append(child)
            elif isinstance(child, list):
                pending.append(child)
            elif isinstance(child, str) and not is_mark(child):
                changed |= _redact_kept_text(node, key, child, kind)
    return changed


def _redact_kept_text(node: Any, key: Any, text: str, kind: str) -> bool:
    suspect = bool(kind) or SUSPECT_KIND.search(text) is not None
    if suspect or may_be_packed(text):
        is_plain = not suspect or _SIMPLE.fullmatch(text) is not None or not _is_content(key)
        if redact_object_text(node, key, kind, 0, keep_plain=is_plain):
            return True
    redacted = redact_text(text)
    if redacted is text:
        return False
    node[key] = redacted
    return True


def _is_content(key: Any) -> bool:
    """Whether a key beside an event names something that may be a body of it."""
    return not isinstance(key, str) or _CONTENT_KEY.search(key) is not None
