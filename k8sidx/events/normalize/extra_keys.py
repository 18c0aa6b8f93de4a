"""Keys that audit.k8s.io/v1 does not have: what shippers keep beside an event.

Many keep the line as it was, which would store every secret a second time. A copy that
decodes to the same event says nothing new and is dropped; everything else is redacted as a
body of the request would be.
"""

from __future__ import annotations

from typing import Any

import msgspec

from k8sidx.events.decode.event_model import V1_KEYS, AuditEvent, from_object
from k8sidx.events.normalize.embedded_text import parse_text
from k8sidx.events.normalize.event_id import canonical_json
from k8sidx.events.normalize.json_tree import Fields
from k8sidx.events.normalize.redact import redact_tree

MAX_DEPTH = 8
"""Levels below an event at which copies of it are looked for."""


def clean_extra_keys(rest: Fields, event: AuditEvent, target: str) -> tuple[Fields, bool]:
    """Return the keys to keep, redacted, and whether a secret was taken out of them.

    :param rest: keys of the event that are not of audit.k8s.io/v1, and values of another type
        than it defines.
    :param target: resource, or resource/subresource, of the request.
    """
    kept = _without_copies(rest, event, MAX_DEPTH)
    # As JSON and back: what is kept is changed in place, and the caller's object is not ours.
    kept = msgspec.json.decode(canonical_json(kept)) if kept else {}
    return kept, bool(kept) and redact_tree(kept, target)


def _without_copies(node: Fields, event: AuditEvent, depth: int) -> Fields:
    kept: Fields = {}
    for key, value in node.items():
        if type(value) is dict and depth:
            child = value if _is_copy(value, event) else _without_copies(value, event, depth - 1)
            if child is value:
                continue
            if child or not value:
                kept[key] = child
        elif not (type(value) is str and _is_copy(value, event)):
            kept[key] = value
    return kept


def _is_copy(value: Any, event: AuditEvent) -> bool:
    """Whether a text or object decodes to the same event."""
    if not event.auditID:
        return False
    if type(value) is str:
        if event.auditID not in value:
            return False
        start = value.find("{")
        value = parse_text(value[start:]) if start >= 0 else None
    if type(value) is not dict or value.get("auditID") != event.auditID:
        return False
    known = {key: child for key, child in value.items() if key in V1_KEYS}
    copy, rest, _ = from_object(known)
    return not rest and all(
        _canonical(getattr(copy, name)) == _canonical(getattr(event, name))
        for name in V1_KEYS - {"kind", "apiVersion"}
    )


def _canonical(value: Any) -> Any:
    if isinstance(value, msgspec.Raw):
        raw = bytes(value)
        return canonical_json(msgspec.json.decode(raw) or None) if raw else canonical_json(None)
    return value or None
