"""Read position of a file, in a form that is found again after a restart, also in a file
that was renamed, copied or compressed meanwhile."""

from __future__ import annotations

import hashlib

from k8sidx.events.records import MARK_BYTES, START, Mark, Position

_DIGEST_BYTES = 16


def mark(data: bytes) -> Mark:
    """Return the mark of these bytes."""
    if not data:
        return Mark()
    return Mark(len(data), hashlib.blake2b(data, digest_size=_DIGEST_BYTES).hexdigest())


class Cursor:
    """Read position in a file of lines.

    :param first: the file's first bytes before the position, at most :data:`MARK_BYTES` of them.
    """

    def __init__(self, position: Position = START, first: bytes = b"") -> None:
        self.position = position
        self._first = first

    def move(self, data: bytes, records: int) -> Position:
        """Advance over some more bytes of the file, and return the position behind them.

        :param records: how many records end in them.
        """
        head = self.position.head
        if head.length < MARK_BYTES:
            self._first += data[: MARK_BYTES - len(self._first)]
            head = mark(self._first)
        offset, record = self.position.offset + len(data), self.position.record + records
        self.position = Position(offset, record, head, mark(data[-MARK_BYTES:]))
        return self.position

    def jump(self, offset: int, first: bytes, last: bytes) -> Position:
        """Advance over a record that is too long for memory, and return the position behind it.

        :param first: the file's first bytes, ``last`` those before the offset.
        """
        self._first = first[:MARK_BYTES]
        record = self.position.record + 1
        self.position = Position(offset, record, mark(self._first), mark(last[-MARK_BYTES:]))
        return self.position
