"""Delivery of a spool: its segments as pieces of an input stream, those begun first first."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from k8sidx.errors import Where
from k8sidx.events.records import Chunk, Rejected, Skipped
from k8sidx.shipping.sources.files.chunks import read_body, read_lines
from k8sidx.shipping.spool.segment import EntryAttributes, EntryKind, SegmentReader
from k8sidx.shipping.spool.spool import Spool

CHUNK_BYTES = 1024 * 1024
Piece = Chunk | Rejected | Skipped


def replayed(spool: Spool, record_limit: int, on_message: Callable[[str], None]) -> Iterator[Piece]:
    """Yield what the spool contains now, and what is added meanwhile.

    :param on_message: called with what could not be recovered from a segment.
    :raises SpoolError: when a segment cannot be read.
    """
    while (number := spool.take()) is not None:
        reader = spool.open(number)
        try:
            yield from _segment(spool, number, reader, record_limit, on_message)
        finally:
            reader.close()


def _segment(
    spool: Spool,
    number: int,
    reader: SegmentReader,
    record_limit: int,
    on_message: Callable[[str], None],
) -> Iterator[Piece]:
    path = spool.path(number)
    attributes = reader.attributes
    if attributes is None:
        if reader.is_finished():
            reason = f"the spool segment {path.name} is damaged from its start"
            yield Rejected(reason, Where(str(path)), path.read_bytes())
        else:
            on_message(f"{path}: nothing was written to this segment before the process ended")
        attributes = EntryAttributes(EntryKind.LINES, str(path))
    elif attributes.kind is EntryKind.BODY and not reader.is_finished():
        # It was not acknowledged: its sender sends it again.
        on_message(f"{attributes.source}: a body that was not received completely is left out")
    else:
        for piece in _records(attributes, reader, record_limit):
            if isinstance(piece, Chunk):
                yield piece._replace(
                    end=0, position=None, segment=number, cluster=attributes.cluster
                )
            else:
                yield piece
    yield Chunk(attributes.source, attributes.record, b"", segment=number)


def _records(
    attributes: EntryAttributes, reader: SegmentReader, record_limit: int
) -> Iterator[Piece]:
    name, data = attributes.source, reader.blocks()
    if attributes.kind is EntryKind.BODY:
        return read_body(name, data, CHUNK_BYTES, record_limit)
    return read_lines(name, attributes.record, data, CHUNK_BYTES, record_limit)
