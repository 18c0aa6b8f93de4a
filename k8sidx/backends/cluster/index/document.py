"""Documents of a cluster's index, from normalized events and back.

A document is one flat JSON object; its keys are stored names, dots and all, which servers
take for paths. Besides the fields there are

``audit.<field>``           the fields that hold JSON, in one object that is not mapped
``epoch_us.<field>``        times once more, as microseconds since 1970: exact
``position.<n>.<field>``    the leading elements of lists that can be asked for by index
``text.<field>``            points once more, as text: for conditions and groups
``event.order``             the first 64 bits of the id, as a signed number: sorts as the id

The id is not a field; it is the document's ``_id`` in base64url. What repeats in the log
(:mod:`k8sidx.events.normalize.parts`) is written once for each distinct part and joined in.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode
from binascii import b2a_base64
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec
import orjson
from msgspec import Struct

from k8sidx.events.fields.lookup import BY_NAME
from k8sidx.events.fields.moment import text_of, to_micros
from k8sidx.events.fields.table import FIELDS, Kind
from k8sidx.events.normalize.event import Normalized
from k8sidx.events.normalize.event_id import canonical_json
from k8sidx.events.normalize.json_tree import Fields
from k8sidx.events.normalize.parts import Part

AUDIT = "audit"
AS_TEXT = "as_text"
"""The only key of :data:`AUDIT` in documents whose JSON a server would not accept: all of it as
JSON text. No field has that name."""
EPOCH_US = "epoch_us"
POSITION = "position"
TEXT = "text"
ORDER = "event.order"

_JSON = frozenset(field.name for field in FIELDS if field.kind is Kind.JSON)
_TIMES = tuple(field.name for field in FIELDS if field.kind is Kind.TIME)
_POSITIONS = {field.name: field.positions for field in FIELDS if field.positions}
_POINTS = frozenset(field.name for field in FIELDS if field.point)
_SPECIAL = _JSON | _POINTS | _POSITIONS.keys()
_OWN_KEYS = {
    "order": ORDER,
    "timestamp": "@timestamp",
    "timestamp_us": "epoch_us.@timestamp",
    "received": "requestReceivedTimestamp",
    "received_us": "epoch_us.requestReceivedTimestamp",
    "staged": "stageTimestamp",
    "staged_us": "epoch_us.stageTimestamp",
    "audit_id": "auditID",
    "uri": "requestURI",
    "message": "message",
    "namespace": "objectRef.namespace",
    "name": "objectRef.name",
    "uid": "objectRef.uid",
    "resource_version": "objectRef.resourceVersion",
    "target_name": "target.name",
    "duration": "event.duration",
    "outcome": "event.outcome",
    "size": "event.bytes",
}
_HALF = 2**63
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


class _Own(Struct, omit_defaults=True, gc=False, rename=lambda name: _OWN_KEYS[name]):
    """The fields with a different value in nearly every event; a missing one is omitted."""

    order: int
    timestamp: str | None = None
    timestamp_us: int | None = None
    received: str | None = None
    received_us: int | None = None
    staged: str | None = None
    staged_us: int | None = None
    audit_id: str | None = None
    uri: str | None = None
    message: str | None = None
    namespace: str | None = None
    name: str | None = None
    uid: str | None = None
    resource_version: str | None = None
    target_name: str | None = None
    duration: int | None = None
    outcome: str | None = None
    size: int | None = None


_encode = msgspec.json.Encoder().encode


def document_id(identity: bytes) -> bytes:
    """Return the ``_id`` of the event with a 16-byte id: 22 characters."""
    return b2a_base64(identity, newline=False).translate(_URL_SAFE)[:22]


def identity_of(document: str) -> bytes:
    """Return the 16-byte id of an event from the ``_id`` of its document.

    :raises ValueError: when k8sidx did not write a document of that ``_id``.
    """
    identity = urlsafe_b64decode(f"{document}==")
    if len(identity) != 16:
        raise ValueError(f"{document!r} is no id of an event")
    return identity


def position_path(name: str, position: int) -> str:
    """Return the path of the element at a position of a list."""
    return f"{POSITION}.{position}.{name}"


def epoch_path(name: str) -> str:
    """Return the path of a time in microseconds."""
    return f"{EPOCH_US}.{name}"


def text_path(name: str) -> str:
    """Return the path of a point as text."""
    return f"{TEXT}.{name}"


def document(event: Normalized) -> bytes:
    """Return the event as one line of JSON."""
    # Unpacked, and passed on by position: by name, both take several times as long.
    (identity, timestamp, received, staged, audit_id, uri, message, namespace, name,
     uid, resource_version, target_name, duration, outcome, request, response,
     size) = event.values  # fmt: skip
    own = _Own(
        int.from_bytes(identity[:8], "big") - _HALF,
        None if timestamp is None else text_of(timestamp),
        timestamp,
        None if received is None else text_of(received),
        received,
        None if staged is None else text_of(staged),
        staged,
        audit_id, uri, message, namespace, name, uid, resource_version, target_name, duration,
        outcome, size,
    )  # fmt: skip
    pieces = [_encode(own)[1:-1]]
    audit: list[bytes] = []
    for part in event.shared:
        plain, raw = part.encoded or _encoded(part)
        if plain:
            pieces.append(plain)
        if raw:
            audit.append(raw)
    if request is not None:
        audit.append(b'"requestObject":' + request)
    if response is not None:
        audit.append(b'"responseObject":' + response)
    if event.extra:
        plain, raw = _fragments(event.extra)
        if plain:
            pieces.append(plain)
        if raw:
            audit.append(raw)
    if audit:
        pieces.append(b'"audit":{' + b",".join(audit) + b"}")
    return b"{" + b",".join(pieces) + b"}"


def as_text(written: bytes) -> bytes:
    """Return the document with its JSON fields as text, for JSON that a server does not accept."""
    fields = msgspec.json.decode(written, type=dict[str, msgspec.Raw])
    audit = fields.pop(AUDIT, None)
    plain = [orjson.dumps(name) + b":" + bytes(raw) for name, raw in fields.items()]
    if audit is not None:
        text = orjson.dumps({AS_TEXT: bytes(audit).decode()})
        plain.append(orjson.dumps(AUDIT) + b":" + text)
    return b"{" + b",".join(plain) + b"}"


def stored_fields(source: Mapping[str, Any], identity: bytes | None = None) -> Fields:
    """Return the stored fields of a document: the inverse of ``Normalized.row``.

    :param source: the decoded ``_source``, or some of its fields; flat as written.
    :param identity: the event's 16-byte id.
    :returns: times as microseconds since 1970, JSON as canonical bytes, the id as
        hexadecimal digits.
    """
    row: Fields = {}
    if identity is not None:
        row["event.id"] = identity.hex()
    for name, value in source.items():
        field = BY_NAME.get(name)
        if field is None or field.kind is Kind.JSON:
            continue
        if field.kind is Kind.TIME:
            exact = source.get(epoch_path(name))
            row[name] = exact if type(exact) is int else _micros(value)
        else:
            row[name] = value
    audit = source.get(AUDIT) or {}
    if AS_TEXT in audit:
        audit = msgspec.json.decode(audit[AS_TEXT])
    row.update((name, canonical_json(value)) for name, value in audit.items() if name in _JSON)
    return row


def _micros(value: str) -> int:
    return to_micros(datetime.fromisoformat(value))


def _encoded(part: Part) -> tuple[bytes, bytes]:
    part.encoded = encoded = _fragments(part.fields)
    return encoded


def _fragments(fields: Fields) -> tuple[bytes, bytes]:
    """Return the members of a document and of its ``audit`` object, without the braces."""
    if _SPECIAL.isdisjoint(fields):
        return orjson.dumps(fields)[1:-1], b""
    plain: Fields = {}
    raw: list[bytes] = []
    for name, value in fields.items():
        if name in _JSON:
            raw.append(orjson.dumps(name) + b":" + value)
            continue
        plain[name] = value
        if name in _POINTS:
            plain[text_path(name)] = value
        if name in _POSITIONS:
            plain.update(_positions(name, value))
    return orjson.dumps(plain)[1:-1], b",".join(raw)


def _positions(name: str, values: list[str]) -> Iterable[tuple[str, str]]:
    for position, value in enumerate(values[: _POSITIONS[name]]):
        yield position_path(name, position), value


def find(source: Any, path: str) -> Any:
    """Return the value at a path; keys may contain dots (``{"a.b": {"c": 1}}``)."""
    if not isinstance(source, Mapping):
        return None
    if path in source:
        return source[path]
    for position, character in enumerate(path):
        if character == "." and path[:position] in source:
            value = find(source[path[:position]], path[position + 1 :])
            if value is not None:
                return value
    return None
