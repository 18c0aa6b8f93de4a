"""Envelope readers: the record they are declared by, and the parts they return."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeAlias

from k8sidx.events.records import Context, JsonObject

FORMATS = ("auto", "apiserver", "eks", "gke", "aks", "openshift", "rancher", "shipper")
"""Values of ``--format``; ``auto`` accepts the records of every reader."""
PROVIDERS = frozenset({"eks", "gke", "aks", "openshift", "rancher"})
"""Formats that name the provider of their events."""


class Nested(NamedTuple):
    """Content of an envelope that is decoded in turn.

    :param content: a JSON value, or text or bytes that contain JSON.
    :param alone: the envelope with nothing but this content, for the dead-letter file;
        ``None`` where the envelope contains nothing else.
    """

    content: Any
    context: Context
    alone: JsonObject | bytes | None = None


class Base64Payload(NamedTuple):
    """Base64 of text that may be compressed."""

    text: str


class AuditObject(NamedTuple):
    """An audit event as a decoded JSON object, in the form of audit.k8s.io/v1."""

    body: JsonObject
    context: Context


class NotAnEvent(NamedTuple):
    """Something that never was an audit event."""

    kind: str


class Malformed(NamedTuple):
    """Something that should contain an audit event and does not.

    :param context: what an event in another place of the record has; ``None`` if it can have none.
    """

    reason: str
    context: Context | None = None


Part: TypeAlias = Nested | AuditObject | NotAnEvent | Malformed
Read: TypeAlias = Callable[[JsonObject, Context], Iterable[Part] | None]
"""Returns the parts of a JSON object; ``None`` when it is not of the reader's form."""


class Reader(NamedTuple):
    """Declaration of an envelope reader.

    :param name: the format of its records, as it appears in error messages.
    :param formats: the values of ``--format`` besides ``auto`` that accept its records.
    :param keys: its records have at least one of these keys; empty when that is not known.
        Most records are of one form, and this is the quickest way past the other readers.
    :param arrays: paths of the arrays that contain its records, with dots between keys.
        Documents that are too long to be decoded at once are split at these.
    """

    name: str
    formats: tuple[str, ...]
    keys: frozenset[str]
    arrays: tuple[str, ...]
    read: Read


UNKNOWN = NotAnEvent("JSON of another kind")
EMPTY = NotAnEvent("empty list")


def at(record: Any, *path: str) -> Any:
    """Return the value at a path of keys, ``None`` when there is none."""
    for key in path:
        if type(record) is not dict:
            return None
        record = record.get(key)
    return record


def text(value: Any) -> str:
    """Return the value when it is text, else the empty string."""
    return value if type(value) is str else ""


def elements(record: JsonObject, key: str, context: Context) -> Iterable[Part]:
    """Return the elements of an array, each to be decoded separately."""
    if not record[key]:
        return (EMPTY,)
    return (Nested(element, context, {**record, key: [element]}) for element in record[key])
