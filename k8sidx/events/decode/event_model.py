"""Typed model of an audit.k8s.io/v1 Event: typed at the top level, raw JSON below.

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

from k8sidx.events.decode.dotted_keys import with_dots

GROUP = "audit.k8s.io/"
V1 = "audit.k8s.io/v1"
NOTHING = Raw(b"")
UNDECODABLE = (msgspec.MsgspecError, UnicodeError, RecursionError)
"""Errors of JSON that cannot be decoded, or written again. Raw parts are decoded by
normalization only, so it raises them, too."""


class ObjectReference(Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """objectRef: the object of the request."""

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

_decode = msgspec.json.Decoder(AuditEvent).decode


class _WithOtherKeys(AuditEvent, forbid_unknown_fields=False, gc=False):
    """An event among whose keys there may be others, which are passed over."""


_decode_with_other_keys = msgspec.json.Decoder(_WithOtherKeys).decode


def decode_text(text: bytes | memoryview) -> AuditEvent | None:
    """Decode JSON text that is an event as the API server writes it, and nothing else.

    Raw parts are not validated yet.

    :returns: ``None`` for any other text. That includes events that lack their type, which
        the envelope readers recognise: Rancher's log of its own API has the same keys.
    """
    try:
        event = _decode(text)
    except UNDECODABLE:
        return None
    return event if event.kind == "Event" and event.apiVersion == V1 else None


def from_object(body: dict[str, Any]) -> tuple[AuditEvent, dict[str, Any], int]:
    """Return the event in a JSON object of any shape.

    Raw parts are JSON again, since normalization looks them up by their bytes: writing the
    object as a whole and decoding that is the cheapest way to them.

    :returns: the event; what of the object is not part of audit.k8s.io/v1: keys that it
        does not define, and values of another type than it defines; and the length of the
        object as compact JSON, in bytes.
    :raises RecursionError: when it is nested too deeply.
    :raises UnicodeError: when it contains text that is not valid Unicode.
    """
    body = with_dots(body)
    text = to_json(body)
    rest = {key: value for key, value in body.items() if key not in V1_KEYS}
    try:
        event: AuditEvent = _decode_with_other_keys(text)
    except msgspec.ValidationError:
        event = _with_other_types(body, rest)
    else:
        if None in body.values():
            for key in _RAW:
                if body.get(key) is None:
                    setattr(event, key, NOTHING)
    return event, rest, len(text)


def _with_other_types(body: dict[str, Any], rest: dict[str, Any]) -> AuditEvent:
    """Return the event in an object, some of whose values have a type that
    audit.k8s.io/v1 does not define for them; these are added to the rest."""
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
    return event


def to_json(value: Any) -> bytes:
    """Write compact JSON; also for whole numbers beyond 64 bits, which orjson refuses."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return msgspec.json.encode(value)
