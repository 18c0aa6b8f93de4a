"""The files that are followed, by what they are and not by their names."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from k8sidx.events.records import START, Position

KEPT_WHEN_GONE = 200
"""So many files that are not there any more are remembered: what was compressed under another
name may come to light later."""


@dataclass(slots=True)
class LogFile:
    """One file, whatever it is called today.

    :param log: the name it was followed by.
    :param path: its name when last seen; empty when it has none any more.
    :param device: of the file system it is on; with ``inode`` its identity while it exists.
    :param size: bytes as stored, when last seen.
    :param modified: when it was last written, as last seen, nanoseconds since 1970.
    :param seen: when it was last seen under its name, seconds since 1970.
    :param packed: compressed, or a document: it does not grow and is read as a whole.
    :param delivered: everything before this position is stored.
    :ivar read: everything before this position was read.
    """

    log: str
    path: str
    device: int = 0
    inode: int = 0
    size: int = 0
    modified: int = 0
    seen: float = 0.0
    packed: bool = False
    delivered: Position = START
    read: Position = field(init=False)

    def __post_init__(self) -> None:
        self.read = self.delivered

    @property
    def identity(self) -> tuple[int, int]:
        return self.device, self.inode

    @property
    def unread(self) -> bool:
        """There may be more of it than was read."""
        return not self.read.ended and (self.packed or self.size > self.read.offset)

    @property
    def is_delivered(self) -> bool:
        """Everything that was read of it is stored."""
        return self.delivered == self.read


def identity(about: os.stat_result) -> tuple[int, int]:
    """Which file it is, as long as it exists."""
    return about.st_dev, about.st_ino


class Registry:
    """The files by number. Used by two threads: the one that looks and the one that reads.

    :ivar changes: counts files that came, went, or got another name.
    """

    def __init__(self, files: Iterable[LogFile] = ()) -> None:
        self._files = dict(enumerate(files))
        self._next = len(self._files)
        self._lock = threading.Lock()
        self.changes = 0

    def __getitem__(self, number: int) -> LogFile:
        return self._files[number]

    def add(self, file: LogFile) -> int:
        """Take a file in; returns its number."""
        with self._lock:
            number = self._next
            self._next += 1
            self._files[number] = file
            self.changes += 1
        return number

    def items(self) -> list[tuple[int, LogFile]]:
        """The files, the one found last first."""
        with self._lock:
            return sorted(self._files.items(), reverse=True)

    def copies(self) -> list[LogFile]:
        """The files as they are now, the one found first first."""
        with self._lock:
            return [replace(file) for _, file in sorted(self._files.items())]

    def saw(self, number: int, path: str, about: os.stat_result, now: float) -> None:
        """Take down where a file is and how it looks."""
        file = self._files[number]
        with self._lock:
            # A log that shrinks is another one, which its reader will notice.
            size = file.size if file.identity == identity(about) else 0
            self.changes += (file.path, file.identity) != (path, identity(about))
            file.path, file.seen = path, now
            file.device, file.inode = identity(about)
            file.size, file.modified = max(size, about.st_size), about.st_mtime_ns

    def lost(self, number: int, *, name: bool = True) -> None:
        """The file that had this identity is another one now, or gone.

        :param name: it has lost its name as well.
        """
        file = self._files[number]
        with self._lock:
            file.device = file.inode = 0
            self.changes += 1
            if name:
                file.path = ""

    def forget_gone(self, in_use: Iterable[int]) -> None:
        """Drop the oldest of those that are gone, but none that is in use."""
        used = set(in_use)
        gone = [number for number, file in self.items() if not file.path and number not in used]
        with self._lock:
            for number in gone[KEPT_WHEN_GONE:]:
                del self._files[number]
