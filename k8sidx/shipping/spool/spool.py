"""Spool: a bounded folder of what was received or read and is not delivered yet.

Entries are durable when :meth:`SpoolEntry.commit` returns, and are delivered in the order in which
they were begun. One entry is one file, a segment (:mod:`k8sidx.shipping.spool.segment`), which is
deleted once all of it is delivered. A process that ends at any moment leaves segments that the
next one delivers; events that were stored meanwhile are recognised by their ids.

The segments contain records as they were read, secrets included, so only their owner may read
them. One process at a time uses a spool.
"""

from __future__ import annotations

import os
import re
import threading
from dataclasses import dataclass, field
from pathlib import Path

from k8sidx.backends.durable import FOLDER_MODE, lock_file, make_private_folder, sync_folder
from k8sidx.errors import StoreError, UsageError
from k8sidx.events.records import Chunk
from k8sidx.shipping.spool.segment import EntryAttributes, SegmentReader, SegmentWriter

SPOOL_SIZE = 1024**3
"""Default limit of all segments, in bytes."""
_OVERHEAD = 4096
"""Bytes that are reserved for an entry besides its data."""
_NAME = re.compile(r"(\d{16})\.segment")
_LOCK = "lock"


class SpoolError(StoreError):
    """The spool is full, or cannot be written."""


@dataclass(slots=True)
class SpoolReport:
    """Contents of the spool at the end of a run.

    :ivar entries: number of those that are not delivered.
    :ivar size: their bytes.
    :ivar lost: what had to be written to it and could not, in words for the user.
    """

    folder: Path
    entries: int = 0
    size: int = 0
    lost: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Segment:
    """A segment that is not delivered.

    :ivar taken: it is being delivered.
    :ivar open: chunks that were begun and are not delivered.
    """

    size: int
    taken: bool = False
    open: int = 0
    all_begun: bool = False


class Spool:
    """The spool of one process; a context manager. Its methods may be called in any thread.

    :param size: limit of all segments, in bytes.
    :param create: make the folder at once; else with the first entry.
    :raises UsageError: when another process uses it, or it cannot be used.
    """

    def __init__(self, folder: Path, size: int = SPOOL_SIZE, *, create: bool = True) -> None:
        self.folder = folder
        self.size = size
        self._lock = threading.Condition()
        self._exclusive = -1
        self._segments: dict[int, _Segment] = {}
        self._reserved = 0
        self._next = 1
        if create or folder.exists():
            self._open()

    def _open(self) -> None:
        """Lock the folder, and find what is in it."""
        try:
            make_private_folder(self.folder)
            self.folder.chmod(FOLDER_MODE)
            sync_folder(self.folder.parent)
            exclusive = lock_file(self.folder / _LOCK)
        except BlockingIOError:
            raise UsageError(
                f"another k8sidx is using the spool {self.folder}.",
                remedy="Wait for it to end, or give another --spool.",
            ) from None
        except OSError as error:
            raise _unusable(self.folder, error) from error
        try:
            self._segments = {
                int(match[1]): _Segment(entry.stat().st_size)
                for entry in sorted(self.folder.iterdir())
                if (match := _NAME.fullmatch(entry.name))
            }
        except OSError as error:
            os.close(exclusive)
            raise _unusable(self.folder, error) from error
        self._next = max(self._segments, default=0) + 1
        self._exclusive = exclusive

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        if self._exclusive >= 0:
            os.close(self._exclusive)

    @property
    def used(self) -> int:
        """Bytes of the segments, and reserved for those that are being written."""
        with self._lock:
            return self._used()

    @property
    def segments(self) -> int:
        """Number of entries that are not delivered."""
        with self._lock:
            return len(self._segments)

    @property
    def free(self) -> int:
        """Bytes that another entry may have."""
        return max(0, self.size - self.used - _OVERHEAD)

    def oldest(self) -> float | None:
        """Return when the oldest segment was last written, seconds since 1970; ``None`` without
        segments."""
        with self._lock:
            number = min(self._segments, default=None)
        if number is None:
            return None
        try:
            return self.path(number).stat().st_mtime
        except FileNotFoundError:  # delivered meanwhile
            return None

    def entry(self, attributes: EntryAttributes, expected: int = 0) -> SpoolEntry:
        """Begin an entry.

        :param expected: bytes of its data, for which room is reserved.
        :raises SpoolError: when there is not enough room, or it cannot be written.
        """
        with self._lock:
            if self._exclusive < 0:
                try:
                    self._open()
                except UsageError as error:
                    raise SpoolError(error.message, remedy=error.remedy) from error
            self._reserve(expected + _OVERHEAD)
            number = self._next
            self._next += 1
        try:
            writer = SegmentWriter(self.path(number), attributes)
        except OSError as error:
            self.close_entry(number, expected + _OVERHEAD, None)
            raise self.unwritable(error) from error
        return SpoolEntry(self, number, writer, expected + _OVERHEAD)

    def take(self) -> int | None:
        """Return the next segment to deliver; ``None`` when there is none for now."""
        with self._lock:
            ready = (number for number, segment in self._segments.items() if not segment.taken)
            number = min(ready, default=None)
            if number is not None:
                self._segments[number].taken = True
            return number

    def begin_again(self) -> None:
        """Let :meth:`take` return all segments again: what was in flight is abandoned."""
        with self._lock:
            for segment in self._segments.values():
                segment.taken, segment.open, segment.all_begun = False, 0, False

    def wait(self, seconds: float) -> None:
        """Wait for another entry."""
        with self._lock:
            self._lock.wait(seconds)

    def open(self, number: int) -> SegmentReader:
        """Open a segment to read it.

        :raises SpoolError: when it cannot be read.
        """
        try:
            return SegmentReader(self.path(number))
        except OSError as error:
            raise SpoolError(
                f"the spool segment {self.path(number)} cannot be read: {_text(error)}.",
                remedy="Make it readable, or move it away; nothing else was lost.",
            ) from error

    def path(self, number: int) -> Path:
        """Return the file of a segment."""
        return self.folder / f"{number:016d}.segment"

    def begun(self, chunk: Chunk) -> None:
        """Record that a chunk of a segment was read; an empty one is its end."""
        with self._lock:
            segment = self._segments[chunk.segment]
            segment.open += 1
            segment.all_begun |= not chunk.data

    def delivered(self, chunk: Chunk) -> None:
        """Record that a chunk is delivered; with the last one of a segment this is deleted."""
        with self._lock:
            segment = self._segments[chunk.segment]
            segment.open -= 1
            if segment.open or not segment.all_begun:
                return
        self.drop(chunk.segment)

    def drop(self, number: int) -> None:
        """Delete a segment. Should its name survive a power cut, it is delivered twice."""
        self.path(number).unlink(missing_ok=True)
        with self._lock:
            self._segments.pop(number, None)

    def extend(self, reserved: int) -> None:
        """Reserve more room for an entry.

        :raises SpoolError: when there is none.
        """
        with self._lock:
            self._reserve(reserved)

    def close_entry(self, number: int, reserved: int, size: int | None) -> None:
        """Account for an entry that is committed, or aborted.

        :param size: its bytes on disk; ``None`` when it was aborted.
        """
        with self._lock:
            self._reserved -= reserved
            if size is not None:
                self._segments[number] = _Segment(size)
            self._lock.notify_all()

    def full(self) -> SpoolError:
        """Return the error of a full spool."""
        return SpoolError(
            f"the spool {self.folder} is full ({self.size:,} bytes).",
            remedy="Make the store available, or give it more room with --spool-size.",
        )

    def unwritable(self, error: OSError) -> SpoolError:
        """Return the error of a file that cannot be written."""
        return SpoolError(
            f"the spool {self.folder} cannot be written: {_text(error)}.",
            remedy="Make room, or give another --spool.",
        )

    def _used(self) -> int:
        return self._reserved + sum(segment.size for segment in self._segments.values())

    def _reserve(self, size: int) -> None:
        if self._used() + size > self.size:
            raise self.full()
        self._reserved += size


class SpoolEntry:
    """One entry that is being written."""

    def __init__(self, spool: Spool, number: int, writer: SegmentWriter, reserved: int) -> None:
        self._spool = spool
        self._number = number
        self._writer = writer
        self._reserved = reserved

    def write(self, data: bytes) -> None:
        """Append data; what was appended before is intact when it fails.

        :raises SpoolError: when the spool is full or cannot be written.
        """
        missing = self._writer.size + len(data) + _OVERHEAD - self._reserved
        if missing > 0:
            self._spool.extend(missing)
            self._reserved += missing
        try:
            self._writer.write(data)
        except OSError as error:
            raise self._spool.unwritable(error) from error

    def commit(self) -> None:
        """Finish the entry: it survives a power cut from now on, and will be delivered.

        :raises SpoolError: when it cannot be written; the caller aborts it, or keeps what there
            is of it.
        """
        try:
            self._writer.finish()
            sync_folder(self._spool.folder)
        except OSError as error:
            raise self._spool.unwritable(error) from error
        self._writer.close()
        self._spool.close_entry(self._number, self._reserved, self._writer.size)

    def abort(self) -> None:
        """Delete the entry."""
        self._writer.close()
        self._spool.path(self._number).unlink(missing_ok=True)
        self._spool.close_entry(self._number, self._reserved, None)

    def keep(self) -> None:
        """Keep an entry that cannot be finished, as a process leaves it that is killed."""
        self._writer.close()
        self._spool.close_entry(self._number, self._reserved, self._writer.size)


def _unusable(folder: Path, error: OSError) -> UsageError:
    return UsageError(
        f"the spool {folder} cannot be used: {_text(error)}.", remedy="Give another --spool."
    )


def _text(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
