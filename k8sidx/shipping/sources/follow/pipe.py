"""Standard input or a pipe that is read until its writer closes it."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator

from k8sidx.compression import is_compressed
from k8sidx.errors import UsageError
from k8sidx.events.records import Chunk, Rejected
from k8sidx.shipping.sources.files.blocks import Blocks
from k8sidx.shipping.sources.files.lines import long_line, whole_lines
from k8sidx.shipping.sources.files.partial_lines import complete_length

_READ_BYTES = 1024 * 1024


class Stream:
    """Lines as they come.

    :param descriptor: where to read.
    :param ends: when its writer closes it; else other writers may come.
    :ivar ended: its writer closed it.
    """

    def __init__(self, name: str, descriptor: int, record_limit: int, *, ends: bool = True) -> None:
        self.ended = False
        self._ends = ends
        self._name = name
        self._descriptor = descriptor
        self._limit = record_limit
        self._number = 1
        self._held = b""
        self._position = 0

    def read(self) -> Iterator[Chunk | Rejected]:
        """Return what has arrived, without waiting.

        :raises UsageError: when it is compressed, which cannot be read as it comes.
        """
        if self.ended or not select.select([self._descriptor], [], [], 0)[0]:
            return
        data = os.read(self._descriptor, _READ_BYTES)
        if not self._position and is_compressed(data):
            raise UsageError(
                f"{self._name} is compressed and cannot be followed.",
                remedy="Pipe it through zcat (or zstdcat, bzcat), or leave out --follow.",
            )
        self.ended = self._ends and not data
        before, newline, after = data.rpartition(b"\n")
        if newline:
            lines = self._held + before
            length = complete_length(lines, self._limit)
            if length >= 0:
                yield from self._lines(lines[:length])
            # Lines whose last part is missing wait for it.
            self._held = lines[length + 1 :] + newline if length < len(lines) else b""
            self._held += after
        else:
            self._held += data
        if self.ended:
            yield from self.rest()
        elif len(self._held) - self._held.rfind(b"\n") - 1 > self._limit:
            before, newline, self._held = self._held.rpartition(b"\n")
            if newline:
                yield from self._lines(before)
            yield from self._long_line()

    def rest(self) -> Iterator[Chunk | Rejected]:
        """Return what was read of a line that has no end yet: nobody can read it once more."""
        if self._held:
            begun, self._held = self._held, b""
            yield from self._lines(begun)

    def _lines(self, lines: bytes) -> Iterator[Chunk | Rejected]:
        yield from whole_lines(self._name, self._number, lines, self._position, self._limit)
        self._number += lines.count(b"\n") + 1
        self._position += len(lines) + 1

    def _long_line(self) -> Iterator[Chunk | Rejected]:
        rest = b""

        def blocks() -> Iterator[bytes]:
            nonlocal rest
            yield self._held
            while data := os.read(self._descriptor, _READ_BYTES):
                line, newline, rest = data.partition(b"\n")
                self._position += len(line)
                yield line
                if newline:
                    return

        yield from long_line(self._name, self._number, Blocks(blocks()), self._limit)
        self._position += len(self._held) + 1
        self._number += 1
        self._held = rest
