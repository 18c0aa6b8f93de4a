"""Decoder of input records: chunks of bytes to typed audit events.

Every record that is not blank ends as at least one :class:`Event`, :class:`Skipped` or
:class:`Rejected`; nothing raises, whatever the bytes are.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from k8sidx.errors import Where
from k8sidx.events.decode.envelope import FORMATS
from k8sidx.events.decode.event_model import UNDECODABLE, decode_text, from_object
from k8sidx.events.decode.json_repair import UnreadableError, parse
from k8sidx.events.decode.unwrap import Unwrapper, reason_of, to_bytes
from k8sidx.events.failure import failure_reason
from k8sidx.events.records import Chunk, Event, Record, Rejected

__all__ = ["FORMATS", "decode", "rejected", "repaired"]


def decode(chunk: Chunk, format: str = "auto") -> Iterator[Record]:
    """Return the records of a chunk, in their order.

    :param format: envelope to expect: ``auto`` recognises it by content; with another
        format, records of other formats are rejected.
    :raises UsageError: when the format is unknown.
    """
    return _decode(chunk, _unwrapper(format))


_unwrapper = lru_cache(maxsize=None)(Unwrapper)


def _decode(chunk: Chunk, unwrapper: Unwrapper) -> Iterator[Record]:
    source, context, takes_events = chunk.source, unwrapper.context, unwrapper.takes_events
    new = tuple.__new__  # what a named tuple's own constructor adds is 1 % of all time
    for number, line in enumerate(_lines(chunk.data), chunk.first):
        where = new(Where, (source, number))
        # Most records are events as the API server writes them, and nothing else.
        if takes_events and (audit := decode_text(line)) is not None:
            yield new(Event, (audit, None, context, where, len(line), line, line))
        elif line:
            yield from unwrapper.unwrap(bytes(line), where)


def _lines(data: bytes) -> Iterator[memoryview]:
    """Yield the lines without copying them."""
    view = memoryview(data)
    start = 0
    while True:
        end = data.find(b"\n", start)
        if end < 0:
            yield view[start:]
            return
        yield view[start:end]
        start = end + 1


def repaired(event: Event) -> Event | Rejected:
    """Decode the text of an event again, as a whole and repairing what can be repaired.

    For events whose raw parts turn out not to be valid JSON.
    """
    try:
        body = parse(bytes(event.text))
    except UnreadableError as problem:
        return Rejected(problem.reason, event.where, to_bytes(event.raw, bytes(event.text)))
    try:
        audit, rest, size = from_object(body)
    except (RecursionError, UnicodeError) as error:
        return rejected(event, error)
    return event._replace(audit=audit, rest=rest, size=size, text=b"")


def rejected(event: Event, error: Exception) -> Rejected:
    """Return the reject for an event that cannot be normalized.

    :param error: one of ``UNDECODABLE``, or one that nobody foresaw.
    """
    reason = reason_of(error) if isinstance(error, UNDECODABLE) else failure_reason(error)
    return Rejected(reason, event.where, to_bytes(event.raw, bytes(event.text)))
