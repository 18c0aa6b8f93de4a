"""Entries of records, one a line, that a source gives in order."""

from __future__ import annotations

from types import TracebackType

from k8sidx.shipping.spool.segment import EntryAttributes, EntryKind
from k8sidx.shipping.spool.spool import Spool, SpoolEntry, SpoolError

ENTRY_BYTES = 32 * 1024 * 1024
"""An entry that has reached this size is followed by another one, so that little is delivered
twice after a process was killed."""


class LineEntries:
    """Writes records to a spool; a context manager, whose end makes them durable.

    :raises SpoolError: at the end, too, when the spool is full or cannot be written.
    """

    def __init__(self, spool: Spool, source: str, cluster: str) -> None:
        self._spool = spool
        self._source = source
        self._cluster = cluster
        self._entry: SpoolEntry | None = None
        self._next = 0
        self._size = 0

    def __enter__(self) -> LineEntries:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.commit()

    def add(self, first: int, lines: bytes) -> None:
        """Append records; all of them or none.

        :param first: number of the first one in its source.
        :param lines: without the last newline.
        :raises SpoolError: when the spool is full or cannot be written.
        """
        if self._entry is not None and (first != self._next or self._size >= ENTRY_BYTES):
            self.commit()
        if self._entry is None:
            attributes = EntryAttributes(EntryKind.LINES, self._source, first, self._cluster)
            self._entry = self._spool.entry(attributes)
            self._size = 0
        self._entry.write(lines + b"\n")
        self._next = first + lines.count(b"\n") + 1
        self._size += len(lines) + 1

    def commit(self) -> None:
        """Make what was added durable.

        :raises SpoolError: when it cannot be written; what is on disk stays.
        """
        if self._entry is not None:
            entry, self._entry = self._entry, None
            try:
                entry.commit()
            except SpoolError:
                entry.keep()
                raise
