"""audit.k8s.io/v1 Event as it is decoded: typed at the top, raw JSON below.

Most of an event repeats from line to line (the user, the annotations, the status), so
these parts stay raw bytes here and are normalized once for each distinct value
(:mod:`k8sidx.events.normalize.parts`). Types and names: Kubernetes API reference, "kube-apiserver
Audit Configuration (v1)", Event.
"""

from __future__ import annotations

from typing import Any

import msgspec
import orjson
from msgspec import Raw, Struct

NOTHING = Raw(b"")


class ObjectReference(Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """objectRef: what the request is about."""

    resource: str | None = None
    namespace: str | None = None
    name: str | None = None
    uid: str | None = None
    apiGroup: str | None = None  # noqa: N815 - the API's own spelling
    apiVersion: str | None = None  # noqa: N815
    resourceVersion: str | None = None  # noqa: N815
    subresource: str | None = None


class AuditEvent(Struct, forbid_unknown_fields=True, gc=False):
    """One event; ``None`` and empty raw JSON mean that the key is missing or null."""

    kind: str | None = None
    apiVersion: str | None = None  # noqa: N815
    level: str | None = None
    auditID: str | None = None  # noqa: N815
    stage: str | None = None
    requestURI: str | None = None  # noqa: N815
    verb: str | None = None
    user: Raw = NOTHING
    impersonatedUser: Raw = NOTHING  # noqa: N815
    authenticationMetadata: Raw = NOTHING  # noqa: N815
    sourceIPs: Raw = NOTHING  # noqa: N815
    userAgent: str | None = None  # noqa: N815
    objectRef: ObjectReference | None = None  # noqa: N815
    responseStatus: Raw = NOTHING  # noqa: N815
    requestObject: Raw = NOTHING  # noqa: N815
    responseObject: Raw = NOTHING  # noqa: N815
    requestReceivedTimestamp: str | None = None  # noqa: N815
    stageTimestamp: str | None = None  # noqa: N815
    annotations: Raw = NOTHING


V1_KEYS = frozenset(AuditEvent.__struct_fields__)
_TEXTS = (
    "kind", "apiVersion", "level", "auditID", "stage", "requestURI", "verb", "userAgent",
    "requestReceivedTimestamp", "stageTimestamp",
)  # fmt: skip
_RAW = (
    "user", "impersonatedUser", "authenticationMetadata", "sourceIPs", "responseStatus",
    "requestObject", "responseObject", "annotations",
)  # fmt: skip

decode_line = msgspec.json.Decoder(AuditEvent).decode
"""JSON line → AuditEvent. Raises :class:`msgspec.DecodeError`, :class:`UnicodeDecodeError`
or :class:`RecursionError` for anything but a well-formed event whose top-level types are
those of the API."""


def from_object(body: dict[str, Any]) -> tuple[AuditEvent, dict[str, Any]]:
    """An event from a JSON object of any shape.

    :returns: the event, and what of the object is not of audit.k8s.io/v1: keys that it
        does not have, and values of another type than it defines.
    """
    rest = {key: value for key, value in body.items() if key not in V1_KEYS}
    event = AuditEvent()
    for key in _TEXTS:
        value = body.get(key)
        if type(value) is str:
            setattr(event, key, value)
        elif value is not None:
            rest[key] = value
    for key in _RAW:
        value = body.get(key)
        if value is not None:
            setattr(event, key, Raw(to_json(value)))
    reference = body.get("objectRef")
    if type(reference) is dict:
        known = {
            key: value
            for key, value in reference.items()
            if key in ObjectReference.__struct_fields__ and type(value) is str
        }
        odd = {key: value for key, value in reference.items() if key not in known}
        event.objectRef = ObjectReference(**known)
        if any(value is not None for value in odd.values()):
            rest["objectRef"] = odd
    elif reference is not None:
        rest["objectRef"] = reference
    return event, rest


def to_json(value: Any) -> bytes:
    """Compact JSON; also for whole numbers beyond 64 bits, which orjson refuses."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return msgspec.json.encode(value)
