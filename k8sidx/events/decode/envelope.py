"""What a reader of envelopes finds in a JSON object."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeAlias

from k8sidx.events.records import Context, JsonObject


class Held(NamedTuple):
    """Something that is to be decoded in its turn.

    :param content: a JSON value, or text or bytes with JSON in it.
    :param alone: the envelope with this one thing in it, for the dead-letter file; left
        out where the envelope holds nothing else.
    """

    content: Any
    context: Context
    alone: JsonObject | bytes | None = None


class Packed(NamedTuple):
    """Base64, of text that may be compressed."""

    text: str


class Found(NamedTuple):
    """An audit event, in the form of audit.k8s.io/v1."""

    body: JsonObject
    context: Context


class NoEvent(NamedTuple):
    """Something that is no audit event and never was one."""

    kind: str


class Broken(NamedTuple):
    """Something that should hold an audit event and does not."""

    reason: str


Piece: TypeAlias = Held | Found | NoEvent | Broken
Reader: TypeAlias = Callable[[JsonObject, Context], Iterable[Piece] | None]
"""Looks at a JSON object; ``None`` when it is not of the reader's format."""

UNKNOWN = NoEvent("JSON of another kind")
EMPTY = NoEvent("empty list")


def at(record: Any, *path: str) -> Any:
    """The value at a path of keys, ``None`` when there is none."""
    for key in path:
        if type(record) is not dict:
            return None
        record = record.get(key)
    return record


def text(value: Any) -> str:
    """The value when it is text, else the empty string."""
    return value if type(value) is str else ""


def elements(record: JsonObject, key: str, context: Context) -> Iterable[Piece]:
    """The elements of an array, each to be decoded by itself."""
    if not record[key]:
        return (EMPTY,)
    return (Held(one, context, {**record, key: [one]}) for one in record[key])
