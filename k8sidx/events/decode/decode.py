"""Chunks of records → events, and what else was in them.

Every record that is not blank ends as at least one :class:`Event`, :class:`Skipped` or
:class:`Rejected`; nothing raises, whatever the bytes are.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import msgspec

from k8sidx.errors import Where
from k8sidx.events.decode.event_model import V1_KEYS
from k8sidx.events.decode.providers.apiserver import V1
from k8sidx.events.decode.unwrap import FORMATS, Unwrapper
from k8sidx.events.records import Chunk, Event, Record

__all__ = ["FORMATS", "decode"]

_QUICK = frozenset(name for name, families in FORMATS.items() if "apiserver" in families)


def decode(chunk: Chunk, format: str = "auto") -> Iterator[Record]:
    """The events of a chunk, in their order.

    :param format: what wraps the events: ``auto`` recognises it by content; with another
        format, records of other formats are rejected.
    :raises UsageError: when the format is unknown.
    """
    return _decode(chunk, _unwrapper(format))


_unwrapper = lru_cache(maxsize=None)(Unwrapper)


def _decode(chunk: Chunk, unwrapper: Unwrapper) -> Iterator[Record]:
    load, is_v1 = msgspec.json.decode, V1_KEYS.issuperset
    source, context = chunk.source, unwrapper.context
    quick = unwrapper.format in _QUICK
    new = tuple.__new__  # what a named tuple's own constructor adds is a tenth of all time
    for number, line in enumerate(chunk.data.split(b"\n"), chunk.first):
        try:
            record = load(line)
        except (ValueError, RecursionError):
            record = None
        if type(record) is not dict:
            yield from unwrapper.line(line, Where(source, number))
        # Most records are events as the API server writes them, and nothing else.
        elif (
            quick
            and record.get("apiVersion") == V1
            and record.get("kind") == "Event"
            and is_v1(record)
            and "stageTimestamp" in record
        ):
            where = new(Where, (source, number))
            yield new(Event, (record, context, where))
        else:
            yield from unwrapper.object(record, line, Where(source, number))
