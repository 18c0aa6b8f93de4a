"""``@message``: the whole event as one line of JSON, in the order in which the API server writes
it, so that a ``parse`` by adjacent members matches here, too.

The order is that of the fields in audit.k8s.io/v1's types.go, and of the types that it holds.
"""

from __future__ import annotations

from typing import Any

from k8sidx.events.normalize.event_id import canonical_json

_USER = ("username", "uid", "groups", "extra")
_ORDER: dict[str, tuple[str, ...]] = {
    "": (
        "kind", "apiVersion", "level", "auditID", "stage", "requestURI", "verb", "user",
        "impersonatedUser", "authenticationMetadata", "sourceIPs", "userAgent", "objectRef",
        "responseStatus", "requestObject", "responseObject", "requestReceivedTimestamp",
        "stageTimestamp", "annotations",
    ),
    "user": _USER,
    "impersonatedUser": _USER,
    "objectRef": (
        "resource", "namespace", "name", "uid", "apiGroup", "apiVersion", "resourceVersion",
        "subresource",
    ),
    "responseStatus": ("metadata", "status", "message", "reason", "details", "code"),
}  # fmt: skip


def message_of(event: dict[str, Any]) -> str:
    """Return the event as JSON text; keys that types.go does not order are sorted."""
    return _object(event, "")


def _object(value: dict[str, Any], name: str) -> str:
    order = _ORDER[name]
    known = [key for key in order if key in value]
    keys = [*known, *sorted(key for key in value if key not in order)]
    members = (f"{_text(key)}:{_member(value[key], key, name)}" for key in keys)
    return f"{{{','.join(members)}}}"


def _member(value: Any, key: str, name: str) -> str:
    is_ordered = not name and key in _ORDER and isinstance(value, dict)
    return _object(value, key) if is_ordered else _text(value)


def _text(value: Any) -> str:
    return canonical_json(value).decode()
