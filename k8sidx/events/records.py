"""What decoding makes of an input record: an event, something else, or a reject."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

from k8sidx.errors import Where

JsonObject: TypeAlias = dict[str, Any]


class Context(NamedTuple):
    """What an envelope says of its events.

    :param provider: ``kube-apiserver``, ``eks``, ``gke``, ``aks``, ``openshift``, ``rancher``.
    :param cluster: the cluster's name, empty when the envelope has none.
    :param time: ISO-8601 time that the provider gives, for events without one of their own.
    """

    provider: str = "kube-apiserver"
    cluster: str = ""
    time: str = ""


class Event(NamedTuple):
    """One audit.k8s.io/v1 Event as a JSON object, with what its envelope said."""

    body: JsonObject
    context: Context
    where: Where


class Skipped(NamedTuple):
    """A record that is no audit event and never was one; ``kind`` says what it is."""

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


class Place(NamedTuple):
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


START = Place()


class Chunk(NamedTuple):
    """Whole records, separated by newlines.

    :param source: name of the source.
    :param first: 1-based number of the first record; the line number in files of lines.
    :param data: the records, as read.
    :param end: a position in the decompressed source, in bytes, before which nothing is left
        to read once this chunk is delivered: where the next line starts. Inside of a document
        or a line that is taken apart, where that one starts.
    :param file: number of the file in the
        :class:`~k8sidx.shipping.sources.follow.registry.Register`.
    :param place: the same position for those who keep a state to go on from; ``None`` when
        nobody does.
    """

    source: str
    first: int
    data: bytes
    end: int = 0
    file: int = 0
    place: Place | None = None
