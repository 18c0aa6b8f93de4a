"""Reading one file as it grows, and noticing when it is not the same any more."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol, TypeAlias

from k8sidx.events.records import MARK_BYTES, Chunk, Position, Rejected, Skipped
from k8sidx.shipping.sources.files.blocks import Blocks
from k8sidx.shipping.sources.files.chunks import (
    BOM,
    is_read_as_a_whole,
    read_on,
    unreadable,
)
from k8sidx.shipping.sources.files.lines import long_line, whole_lines
from k8sidx.shipping.sources.files.partial_lines import complete_length
from k8sidx.shipping.sources.follow.position import Cursor, mark
from k8sidx.shipping.sources.follow.registry import LogFile
from k8sidx.shipping.sources.follow.rotation import Stored

READ_BYTES = 1024 * 1024
Piece: TypeAlias = Chunk | Rejected | Skipped


class Undelivered(NamedTuple):
    """Records that were not delivered, read or not.

    :param first: number of the first one in the file.
    :param lines: one record a line, without the last newline; empty for the position alone.
    :param position: the position after them.
    """

    first: int
    lines: bytes
    position: Position


class Reading(Protocol):
    """One open file.

    :ivar changed: its content is not what was read so far: it was truncated or replaced.
    :ivar active: when it last had something new, on the monotonic clock.
    """

    number: int
    changed: bool
    active: float

    def read(self) -> Iterator[Piece]:
        """Yield some of the content that was not read yet; nothing when there is none."""

    def rest(self, *, ended: bool) -> Iterator[Piece]:
        """Yield all that is left, a line without end included.

        :param ended: nothing will be added, ever.
        """

    def end(self) -> Position:
        """Return the current end of the file, read or not; only its marks and offset count."""

    def undelivered(self, *, ended: bool) -> Iterator[Undelivered | Rejected | Skipped]:
        """Read all that was not delivered; nothing else may be read of the file any more.

        :param ended: nothing will be added, ever: a line without end is a record.
        """

    def left(self) -> int | None:
        """Return how many bytes are not delivered; ``None`` when only reading them shows it."""

    @property
    def deleted(self) -> bool:
        """Whether the file has no name any more."""

    def close(self) -> None:
        """Close the file."""


class _Opened:
    """Base of open files.

    :param number: of the file in the register.
    :param descriptor: of the open file, closed with this.
    """

    def __init__(self, number: int, file: LogFile, descriptor: int) -> None:
        self.number = number
        self.changed = False
        self.active = time.monotonic()
        self._file = file
        self._descriptor = descriptor

    @property
    def deleted(self) -> bool:
        return os.fstat(self._descriptor).st_nlink == 0

    def close(self) -> None:
        os.close(self._descriptor)

    def _nothing(self, position: Position) -> Chunk:
        """Return a chunk without records, which advances the position."""
        return Chunk(
            self._file.path, position.record + 1, b"", position.offset, self.number, position
        )


class Tail(_Opened):
    """A file of lines that may grow. A line that has no end yet waits for the rest of it."""

    def __init__(
        self,
        number: int,
        file: LogFile,
        descriptor: int,
        record_limit: int,
        on_bytes: Callable[[int], None] | None = None,
    ) -> None:
        super().__init__(number, file, descriptor)
        self._limit = record_limit
        self._on_bytes = on_bytes
        first = os.pread(descriptor, min(file.read.offset, MARK_BYTES), 0)
        self._cursor = Cursor(file.read, first)
        self._searched = 0
        self._compared = -1

    def read(self) -> Iterator[Piece]:
        before = self._file.read
        if before.ended:
            return
        data = os.pread(self._descriptor, READ_BYTES, before.offset)
        if not self._is_same(before, more=bool(data)):
            self.changed = True
        elif data:
            yield from self._pieces(before, data)

    def rest(self, *, ended: bool) -> Iterator[Piece]:
        position: Position | None = None
        while position != self._file.read and not self.changed:
            position = self._file.read
            yield from self.read()
        if position is None or self.changed or position.ended:
            return
        # Not passed: should the line go on after all, it is read again as a whole.
        if line := os.pread(self._descriptor, self._limit + 1, position.offset):
            yield from self._placed(position, position, self._lines(position, line))
        if ended:
            self._arrive(position._replace(ended=True))
            yield self._nothing(self._file.read)

    def left(self) -> int | None:
        position = self._file.delivered
        return 0 if position.ended else max(0, os.fstat(self._descriptor).st_size - position.offset)

    def undelivered(self, *, ended: bool) -> Iterator[Undelivered | Rejected | Skipped]:
        position = self._file.delivered
        self._compared = -1
        if not self._is_same(position, more=True):
            self.changed = True
            return
        cursor = Cursor(position, os.pread(self._descriptor, min(position.offset, MARK_BYTES), 0))
        size = READ_BYTES
        while not position.ended:
            data = os.pread(self._descriptor, size, position.offset)
            if not position.offset and is_read_as_a_whole(data):
                return
            if not position.record and (hole := len(data) - len(data.lstrip(b"\0"))):
                position = cursor.move(data[:hole], 0)
                continue
            lines = data[: max(0, data.rfind(b"\n"))]
            lines = lines[: max(0, complete_length(lines, self._limit))]
            if not lines and len(data) == size and size <= self._limit:
                size *= 2  # a line that is longer than what is read at a time
                continue
            if len(data) < size and ended:
                lines = data.removesuffix(b"\n")
            if not lines:
                break
            first, count = position.record + 1, lines.count(b"\n") + 1
            position = cursor.move(data[: len(lines) + 1], count)
            yield Undelivered(first, lines, position)
            size = READ_BYTES
        if ended and not position.ended and position.offset >= os.fstat(self._descriptor).st_size:
            yield Undelivered(position.record + 1, b"", position._replace(ended=True))

    def end(self) -> Position:
        size = os.fstat(self._descriptor).st_size
        length = min(size, MARK_BYTES)
        first = mark(os.pread(self._descriptor, length, 0))
        return Position(size, 0, first, mark(os.pread(self._descriptor, length, size - length)))

    def _is_same(self, before: Position, *, more: bool) -> bool:
        """Whether the file still has what was read of it.

        Checked after reading, so that the data read then follows this position.
        """
        about = os.fstat(self._descriptor)
        if about.st_size < before.offset:
            return False
        if about.st_mtime_ns == self._compared and not more:
            return True
        self._compared = about.st_mtime_ns
        tail = before.tail.length
        return (
            mark(os.pread(self._descriptor, before.head.length, 0)) == before.head
            and mark(os.pread(self._descriptor, tail, before.offset - tail)) == before.tail
        )

    def _pieces(self, before: Position, data: bytes) -> Iterator[Piece]:
        if not before.record:
            # copytruncate leaves a hole before the first line.
            hole = len(data) - len(data.lstrip(b"\0"))
            # One zero may be the first half of a character in UTF-16.
            problem = unreadable(self._file.path, data[hole:] or b"{" if hole > 1 else data)
            # It was empty when it was opened.
            if before.offset == 0 and is_read_as_a_whole(data):
                self.changed = self._file.packed = True
                return
            if before.offset == 0 and problem is not None:
                yield problem
                self._arrive(before._replace(ended=True))
                yield self._nothing(self._file.read)
                return
            if hole:
                self._arrive(self._cursor.move(data[:hole], 0))
                return
        cut = data.rfind(b"\n")
        if cut < 0:
            yield from self._one_line(before, data)
            return
        while (length := complete_length(data[:cut], self._limit)) < 0:
            more = os.pread(self._descriptor, 2 * len(data), before.offset)
            if len(more) <= len(data):
                return  # the last part of a line is not written yet
            data = more
            cut = data.rfind(b"\n")
        cut = length
        after = self._cursor.move(data[: cut + 1], data.count(b"\n", 0, cut + 1))
        yield from self._placed(before, after, self._lines(before, data[:cut]))

    def _lines(self, before: Position, data: bytes) -> Iterator[Chunk | Rejected]:
        bare = data.removeprefix(BOM) if not before.record else data
        begin = before.offset + len(data) - len(bare)
        return whole_lines(self._file.path, before.record + 1, bare, begin, self._limit)

    def _one_line(self, before: Position, start: bytes) -> Iterator[Piece]:
        """Yield a line that is longer than what is read at a time, once it has its end."""
        end = self._line_end(before.offset + len(start))
        if end < 0:
            return
        length = end - before.offset
        if length <= self._limit:
            line = os.pread(self._descriptor, length + 1, before.offset)
            after = self._cursor.move(line, 1)
            pieces = self._lines(before, line[:-1])
        else:
            blocks = Blocks(self._blocks(before.offset, end))
            pieces = long_line(self._file.path, before.record + 1, blocks, self._limit)
            after = self._cursor.jump(
                end + 1,
                os.pread(self._descriptor, MARK_BYTES, 0),
                os.pread(self._descriptor, MARK_BYTES, end + 1 - MARK_BYTES),
            )
        yield from self._placed(before, after, pieces)

    def _line_end(self, searched: int) -> int:
        searched = max(searched, self._searched)
        while block := os.pread(self._descriptor, READ_BYTES, searched):
            newline = block.find(b"\n")
            if newline >= 0:
                self._searched = 0
                return searched + newline
            searched += len(block)
        self._searched = searched
        return -1

    def _blocks(self, offset: int, end: int) -> Iterator[bytes]:
        while offset < end:
            block = os.pread(self._descriptor, min(READ_BYTES, end - offset), offset)
            if not block:
                return
            yield block
            offset += len(block)

    def _placed(
        self, before: Position, after: Position, pieces: Iterator[Chunk | Rejected]
    ) -> Iterator[Piece]:
        """Yield the pieces, the last of which advances the position."""
        last: Chunk | None = None
        for piece in pieces:
            if isinstance(piece, Rejected):
                yield piece
                continue
            if last is not None:
                yield last._replace(file=self.number, position=before)
            last = piece
        if last is None:
            last = self._nothing(after)
        self._arrive(after)
        yield last._replace(file=self.number, position=after)

    def _arrive(self, position: Position) -> None:
        if self._on_bytes is not None:
            self._on_bytes(position.offset - self._file.read.offset)
        self._file.read = position
        self.active = time.monotonic()


class Packed(_Opened):
    """A compressed file, or a document, which does not grow."""

    def __init__(
        self,
        number: int,
        file: LogFile,
        descriptor: int,
        record_limit: int,
        on_bytes: Callable[[int], None] | None = None,
    ) -> None:
        super().__init__(number, file, descriptor)
        self._limit = record_limit
        self._pieces = self._read(record_limit, on_bytes)

    def read(self) -> Iterator[Piece]:
        piece = next(self._pieces, None)
        if piece is not None:
            self.active = time.monotonic()
            yield piece

    def rest(self, *, ended: bool) -> Iterator[Piece]:
        yield from self._pieces

    def left(self) -> int | None:
        return 0 if self._file.delivered.ended else None

    def undelivered(self, *, ended: bool) -> Iterator[Undelivered | Rejected | Skipped]:
        file, position = self._file, self._file.delivered
        pieces = read_on(file.path, Stored(self._descriptor), position, READ_BYTES, self._limit)
        for piece in pieces:
            if not isinstance(piece, Chunk):
                yield piece
                continue
            if piece.end > position.offset:
                record = piece.first + piece.data.count(b"\n")
                position = position._replace(offset=piece.end, record=record)
            yield Undelivered(piece.first, piece.data, position)
        yield Undelivered(position.record + 1, b"", position._replace(ended=True))

    def end(self) -> Position:
        return self._file.read

    def _read(self, record_limit: int, on_bytes: Callable[[int], None] | None) -> Iterator[Piece]:
        file, stream = self._file, Stored(self._descriptor)
        for piece in read_on(file.path, stream, file.read, READ_BYTES, record_limit, on_bytes):
            if isinstance(piece, Chunk):
                if piece.end > file.read.offset:
                    record = piece.first + piece.data.count(b"\n")
                    file.read = file.read._replace(offset=piece.end, record=record)
                piece = piece._replace(file=self.number, position=file.read)
            yield piece
        file.read = file.read._replace(ended=True)
        yield self._nothing(file.read)
