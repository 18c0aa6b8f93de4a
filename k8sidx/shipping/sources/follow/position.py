"""Read position of a file, in a form that is found again after a restart, also in a file
that was renamed, copied or compressed meanwhile."""

from __future__ import annotations

import hashlib

from k8sidx.events.records import MARK_BYTES, START, Mark, Position

_DIGEST_BYTES = 16


def mark(data: bytes) -> Mark:
    """The mark of these bytes."""
    if not data:
        return Mark()
    return Mark(len(data), hashlib.blake2b(data, digest_size=_DIGEST_BYTES).hexdigest())


class Cursor:
    """Moves through a file of lines as it is read and says the place.

    :param first: the file's first bytes before the place, at most :data:`MARK_BYTES` of them.
    """

    def __init__(self, place: Position = START, first: bytes = b"") -> None:
        self.place = place
        self._first = first

    def move(self, data: bytes, records: int) -> Position:
        """The place behind some more bytes of the file.

        :param records: how many records end in them.
        """
        head = self.place.head
        if head.length < MARK_BYTES:
            self._first += data[: MARK_BYTES - len(self._first)]
            head = mark(self._first)
        offset, record = self.place.offset + len(data), self.place.record + records
        self.place = Position(offset, record, head, mark(data[-MARK_BYTES:]))
        return self.place

    def jump(self, offset: int, first: bytes, last: bytes) -> Position:
        """The place behind one record that is too long to be held.

        :param first: the file's first bytes, ``last`` those before the offset.
        """
        self._first = first[:MARK_BYTES]
        record = self.place.record + 1
        self.place = Position(offset, record, mark(self._first), mark(last[-MARK_BYTES:]))
        return self.place
