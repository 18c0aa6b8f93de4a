"""A source as plain bytes in blocks, which can be put back, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from k8sidx.compression import DamagedStreamError, decompressed

_READ_BYTES = 1024 * 1024
_SAMPLE_BYTES = 16 * 1024
_LONG_LINE = 128
"""Bytes of a line from which on searching for its end is faster than counting byte by byte."""


class Blocks:
    """Blocks of plain bytes.

    :ivar damage: why the stream ended before its end, in words for the user; empty while
        it has not.
    :ivar position: bytes that were taken and not put back.
    """

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._back: list[bytes] = []
        self.damage = ""
        self.position = 0

    def next(self) -> bytes:
        """The next block; empty at the end."""
        if self._back:
            block = self._back.pop()
            self.position += len(block)
            return block
        try:
            for block in self._blocks:
                if block:
                    self.position += len(block)
                    return block
        except DamagedStreamError as error:
            self.damage = str(error)
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            self.damage = f"the input cannot be read further: {why} (what came before was kept)"
        return b""

    def put_back(self, data: bytes) -> None:
        """Give these bytes out again before all others."""
        if data:
            self.position -= len(data)
            self._back.append(data)


def newlines(data: bytes) -> int:
    """Count newlines.

    ``bytes.count`` looks at one byte after the other, ``bytes.find`` at many at once: for the
    long lines of audit logs that takes a tenth of the time.
    """
    count = data.count(b"\n", 0, _SAMPLE_BYTES)
    if count * _LONG_LINE > _SAMPLE_BYTES:
        return count + data.count(b"\n", _SAMPLE_BYTES)
    find = data.find
    place = find(b"\n", _SAMPLE_BYTES)
    while place >= 0:
        count += 1
        place = find(b"\n", place + 1)
    return count


class Readable(Protocol):
    """A source of bytes."""

    def read(self, count: int, /) -> bytes:
        """The next bytes, at most so many; empty at the end."""


def plain_blocks(stream: Readable, on_bytes: Callable[[int], None] | None) -> Blocks:
    """Read a stream, decompressing it.

    :param on_bytes: told how many stored (compressed) bytes were read.
    """
    return Blocks(decompressed(_stored(stream, on_bytes)))


def _stored(stream: Readable, on_bytes: Callable[[int], None] | None) -> Iterator[bytes]:
    # A pipe is read as it fills; `read` of a buffered stream would wait for all of it.
    read = getattr(stream, "read1", stream.read)
    while block := read(_READ_BYTES):
        if on_bytes is not None:
            on_bytes(len(block))
        yield block
