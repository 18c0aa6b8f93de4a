"""Input records and what they decode to: events, records of other kinds, and rejects."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

from k8sidx.errors import Where
from k8sidx.events.decode.event_model import AuditEvent

JsonObject: TypeAlias = dict[str, Any]


class Context(NamedTuple):
    """Properties of events that only their envelope contains.

    :param provider: ``kube-apiserver``, ``eks``, ``gke``, ``aks``, ``openshift``, ``rancher``.
    :param cluster: the cluster's name, empty when the envelope has none.
    :param time: ISO-8601 time that the provider gives, for events without one of their own.
    """

    provider: str = "kube-apiserver"
    cluster: str = ""
    time: str = ""


class Event(NamedTuple):
    """One audit event.

    :param audit: the event; its raw parts are not validated when it comes from text.
    :param rest: what of it is not part of audit.k8s.io/v1.
    :param size: bytes of its JSON: as read when it was text, else in compact form.
    :param raw: what to keep for the dead-letter file when it cannot be stored.
    :param text: the JSON text that it was decoded from; empty when that was decoded before,
        with all that wraps it.
    """

    audit: AuditEvent
    rest: JsonObject | None
    context: Context
    where: Where
    size: int
    raw: bytes | memoryview | JsonObject
    text: bytes | memoryview = b""


class Skipped(NamedTuple):
    """A record that never was an audit event; ``kind`` names what it is instead."""

    kind: str
    where: Where


class Rejected(NamedTuple):
    """A record that should have been an event and cannot be stored.

    :param raw: the record as it was read, for the dead-letter file.
    """

    reason: str
    where: Where
    raw: bytes


Record: TypeAlias = Event | Skipped | Rejected


MARK_BYTES = 1024
"""So many bytes at the start of a file and before a place tell it from others."""


class Mark(NamedTuple):
    """Some bytes, by their digest.

    :param length: how many bytes.
    :param digest: BLAKE2b of them, hexadecimal.
    """

    length: int = 0
    digest: str = ""


class Position(NamedTuple):
    """A place between two records of a file, and what tells the file from others.

    Both marks are needed: a client can choose how the first line of a log begins, for it
    chooses ``auditID`` and ``requestURI``, but not the times that stand at the end of lines.

    :param offset: bytes before it, decompressed.
    :param record: records before it.
    :param head: the first bytes of the file, as far as they are before the place.
    :param tail: the bytes just before the place.
    :param ended: nothing follows in the file, ever.
    """

    offset: int = 0
    record: int = 0
    head: Mark = Mark()
    tail: Mark = Mark()
    ended: bool = False


START = Position()


class Chunk(NamedTuple):
    """Whole records, separated by newlines.

    :param source: name of the source.
    :param first: 1-based number of the first record; the line number in files of lines.
    :param data: the records, as read.
    :param end: a position in the decompressed source, in bytes, before which nothing is left
        to read once this chunk is delivered: where the next line starts. Inside of a document
        or a line that is taken apart, where that one starts.
    :param file: number of the file in the
        :class:`~k8sidx.shipping.sources.follow.registry.Registry`.
    :param position: of the same place, for a state file to resume from; ``None`` where there is
        none.
    :param segment: number of the spool's segment that it is in; 0 for other sources.
    :param cluster: name of the cluster that its events are stored with, instead of the run's.
    :param receipt: number of the message that led to it, which is acknowledged once all of its
        chunks are delivered; 0 for other sources.
    """

    source: str
    first: int
    data: bytes
    end: int = 0
    file: int = 0
    position: Position | None = None
    segment: int = 0
    cluster: str = ""
    receipt: int = 0
