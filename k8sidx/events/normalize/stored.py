"""Stored events under the present rules of redaction and identity.

A store may have been filled by an earlier version, which redacted less or identified events
otherwise. Its events are put together again and normalized as if they had just been shipped;
what that changes is what the earlier version left.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from k8sidx.events.decode.event_model import from_object
from k8sidx.events.fields.lookup import BY_NAME
from k8sidx.events.fields.moment import text_of
from k8sidx.events.fields.table import Kind
from k8sidx.events.normalize.bodies import FROM_MASKED
from k8sidx.events.normalize.event import Normalized, Normalizer
from k8sidx.events.normalize.json_tree import Fields
from k8sidx.events.normalize.places import PLACES
from k8sidx.events.normalize.reconstruct import REST, whole_event
from k8sidx.events.normalize.redact_hints import REDACTED_KINDS
from k8sidx.events.normalize.redact_kinds import APPLIED, KIND_OF_RESOURCE
from k8sidx.events.normalize.redact_marks import MARKS
from k8sidx.events.records import Context

TIME = "@timestamp"
REDACTED = "event.redacted"
_KINDS = frozenset(REDACTED_KINDS.split("|"))
_AS_STORED = frozenset({"event.id", "event.bytes", "event.duration", "message"})
"""Fields that are not derived from the event as it is stored, or are for reading alone."""
_BODIES = frozenset({"requestObject", "responseObject", REST})


class Replacement(NamedTuple):
    """A value that redaction replaces.

    :param field: path of the value in the event, with dots.
    :param kind: the reason: a kind of object, ``environment variable``, ``applied
        configuration``, ``credential``.
    """

    field: str
    kind: str


class Renormalized(NamedTuple):
    """A stored event under the present rules.

    :param replaced: values that the stored event still has.
    :param changed: whether the event has to be stored again.
    """

    event: Normalized
    replaced: list[Replacement]
    changed: bool


def renormalize(row: Fields, normalizer: Normalizer) -> Renormalized:
    """Normalize a stored event again.

    :param row: stored fields: moments as microseconds since 1970, JSON as text or bytes,
        ``event.id`` as 16 bytes or hexadecimal digits.
    """
    event, rest, length = from_object(whole_event(row))
    moment = row.get(TIME)
    context = Context(
        row.get("event.provider") or "kube-apiserver",
        row.get("orchestrator.cluster.name") or "",
        text_of(moment) if moment is not None else "",
    )
    # Earlier versions did not store event.bytes: the size of the event as it is stored.
    normalized = normalizer.normalize(event, rest, context, row.get("event.bytes") or length)
    for name in (*FROM_MASKED, *PLACES):
        # It is made of what an earlier version replaced, or of a database that is not at hand.
        if name not in normalized.extra and (value := row.get(name)):
            normalized.extra[name] = value
    replaced = list(_replacements(row, normalized)) if normalized.redacted else []
    identity = row["event.id"]
    known = normalized.values.id in (identity, _bytes_of(identity))
    stated = bool(row.get(REDACTED)) == normalized.redacted
    changed = bool(replaced) or not known or not stated or _has_new(row, normalized.row)
    return Renormalized(normalized, replaced, changed)


def _has_new(row: Fields, now: Fields) -> bool:
    """Whether an event has a derived value that the stored one lacks, or has otherwise."""
    return any(
        row.get(name) != value
        for name, value in now.items()
        if name not in _AS_STORED and BY_NAME[name].kind not in (Kind.JSON, Kind.TIME)
    )


def _bytes_of(identity: bytes | str) -> bytes:
    return bytes.fromhex(identity) if isinstance(identity, str) else identity


def _replacements(row: Fields, normalized: Normalized) -> Iterator[Replacement]:
    target = row.get("target.resource") or ""
    now = normalized.row
    for name, after in now.items():
        before = row.get(name)
        if before is None or before == after:
            continue
        field = BY_NAME[name]
        if field.kind is Kind.JSON:
            kind = KIND_OF_RESOURCE.get(target, "") if name in _BODIES else ""
            path = "" if name == REST else name
            yield from _differences(_decoded(before), _decoded(after), path, kind)
        elif field.kind is Kind.KEYWORD and name != "event.id" and name != "message":
            yield from _differences(before, after, name, "")


def _decoded(value: str | bytes) -> Any:
    return msgspec.json.decode(value)


def _differences(before: Any, after: Any, path: str, kind: str) -> Iterator[Replacement]:
    """Yield the values that are marks in ``after`` and something else in ``before``."""
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        named = before.get("kind")
        kind = named if isinstance(named, str) and named.removesuffix("List") in _KINDS else kind
        for key, child in before.items():
            if key in after:
                below = f"{path}.{key}" if path else key
                yield from _differences(child, after[key], below, _kind_at(key, before, kind))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _differences(old, new, f"{path}[{index}]", kind)
    elif any(mark in str(after) for mark in MARKS):
        yield Replacement(path, _reason(kind))


def _kind_at(key: str, parent: Fields, kind: str) -> str:
    if key in APPLIED:
        return "applied configuration"
    if key == "value" and "name" in parent:
        return "environment variable"
    if key in ("args", "command"):
        return "credential"
    return kind.removesuffix("List")


def _reason(kind: str) -> str:
    known = kind in _KINDS or kind in ("applied configuration", "environment variable")
    return kind if known else "credential"
