"""Chunks of lines that were read: several around lines that are too long."""

from __future__ import annotations

from collections.abc import Iterator

from k8sidx.errors import Where
from k8sidx.events.records import Chunk, Rejected
from k8sidx.shipping.sources.files.blocks import Blocks
from k8sidx.shipping.sources.files.json_documents import Documents, Fault
from k8sidx.shipping.sources.files.partial_lines import has_parts, joined

_SLICE_BYTES = 64 * 1024


def whole_lines(
    name: str, number: int, data: bytes, begin: int, record_limit: int, stop: int | None = None
) -> Iterator[Chunk | Rejected]:
    """Yield lines as a chunk, or as several around lines that are too long.

    :param number: 1-based number of the first line.
    :param data: the lines, without the last newline.
    :param begin: position of the data in the source.
    :param stop: position of the line after it; by default behind a newline.
    """
    stop = begin + len(data) + 1 if stop is None else stop
    start = 0
    position = 0
    step = 1
    if has_parts(data):
        data, faults = joined(data, record_limit)
        for index, fault in faults:
            yield Rejected(fault.reason, Where(name, number + index), fault.raw)
        step = 0  # lengths are not those of the source any more
    while len(data) - position > record_limit:
        newline = data.rfind(b"\n", position, position + record_limit + 1)
        if newline >= 0:
            position = newline + 1
            continue
        end = data.find(b"\n", position)
        end = end if end >= 0 else len(data)
        if position > start:
            yield Chunk(name, number, data[start : position - 1], begin + step * position)
            number += data.count(b"\n", start, position)
        line = Blocks(slices(data[position:end], _SLICE_BYTES))
        yield from long_line(name, number, line, record_limit)
        number += 1
        start = position = end + 1
    if start < len(data):
        yield Chunk(name, number, data[start:], stop)


def long_line(
    name: str, number: int, line: Blocks, record_limit: int
) -> Iterator[Chunk | Rejected]:
    """Yield the records of an overlong line, if it is an envelope that can be split."""
    where = Where(name, number)
    for record in Documents(line, record_limit):
        if isinstance(record, Fault):
            yield Rejected(record.reason, where, record.raw)
        else:
            yield Chunk(name, number, record)


def slices(data: bytes, size: int) -> Iterator[bytes]:
    """Yield data in pieces of a size."""
    for start in range(0, len(data), size):
        yield data[start : start + size]
