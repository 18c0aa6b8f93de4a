"""Discovery of the files to follow, and of what became of known ones."""

from __future__ import annotations

import glob
import os
import stat
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

from k8sidx.shipping.sources.files.chunks import is_lines
from k8sidx.shipping.sources.files.json_documents import WHOLE_BYTES
from k8sidx.shipping.sources.follow.readers import Packed, Reading, Tail
from k8sidx.shipping.sources.follow.registry import LogFile, Registry, identity
from k8sidx.shipping.sources.follow.rotation import (
    PACKED,
    Content,
    file_status,
    is_being_packed,
    rotated,
)

FRESH_SECONDS = 600.0
"""Files written to so recently are kept open: they can be read on when they are deleted."""
SETTLED_SECONDS = 2.0
"""A compressed file that has not changed for so long is complete."""
_SEARCH_SECONDS = 5.0
"""So long a rotated file is looked for after its name was given to another."""
_CLOCK_SECONDS = 2.0
"""By so much a file system's clock may differ from ours."""


class Watch:
    """Finds the files of some inputs and opens those to be read.

    A log that is rotated twice between two scans leaves a file that was never
    seen under the log's name; such files are found by the names that rotation gives.

    :param inputs: files, globs, folders; they need not exist yet.
    :param excluded: files and folders that are never read.
    :param growing: files may be written while they are read.
    :param on_message: called with a message about what was lost.
    :param on_bytes: called with how many stored bytes were read.
    """

    def __init__(
        self,
        inputs: Sequence[str],
        register: Registry,
        record_limit: int,
        excluded: Sequence[Path],
        on_message: Callable[[str], None],
        on_bytes: Callable[[int], None] | None = None,
        *,
        growing: bool = True,
    ) -> None:
        self._inputs = [str(Path(given).absolute()) for given in inputs]
        self._register = register
        self._limit = record_limit
        self._excluded = [path.resolve() for path in excluded]
        self._on_message = on_message
        self._on_bytes = on_bytes
        self._growing = growing
        self._reported: set[str] = set()
        self._readings: dict[int, Reading] = {}
        self._unnamed: set[int] = set()
        self._is_first = True
        self._searches: dict[str, tuple[int, float, float]] = {}
        self._lock = threading.RLock()

    def readings(self) -> list[Reading]:
        """Return the open files in the order in which they were found."""
        with self._lock:
            return list(self._readings.values())

    def is_named(self, number: int) -> bool:
        """Whether an input still leads to the file."""
        return number not in self._unnamed

    def close(self, reading: Reading) -> None:
        """Stop reading the file; it is opened again when it changes."""
        with self._lock:
            self._readings.pop(reading.number, None)
            reading.close()
            if reading.changed and not self._register[reading.number].packed:
                self._register.lost(reading.number, name=False)

    def scan(self) -> None:
        """Update the set of files from the file system."""
        with self._lock:
            now = time.time()
            files = self._register.items()
            self._known = {file.identity: number for number, file in reversed(files) if file.inode}
            last = {file.log: number for number, file in reversed(files)}
            last |= {file.path: number for number, file in reversed(files) if file.path}
            named: dict[tuple[int, int], tuple[str, os.stat_result]] = {}
            for path in self._paths():
                about = file_status(path)
                if about is None or not self._is_wanted(path, about):
                    continue
                if self._is_complete(path, about, now):
                    named.setdefault(identity(about), (path, about))
            for path, about in named.values():
                self._visit(path, about, last.get(path), now)
            self._search(now)
            self._is_first = False
            at_hand = {self._known.get(key) for key in named}
            self._unnamed = set(self._readings) - {
                number for number in at_hand if number is not None
            }
            for number, file in files:
                if number in at_hand or number in self._readings:
                    continue
                if self._is_of_input(file.log):
                    self._handle_missing(number, file, now)
            self._register.forget_gone(self._readings)

    def _visit(self, path: str, about: os.stat_result, last: int | None, now: float) -> None:
        number = self._known_as(path, about)
        # At first also when nothing seems to have changed: identities are given anew.
        if last is not None and (last != number or self._is_first):
            self._searches[path] = last, self._register[last].seen, now + _SEARCH_SECONDS
            self._search(now, path)
        if number is not None:
            self._open(number, path, about, now)
        elif (registered := self._register_file(path, path, now)) is not None:
            self._open(registered[0], path, registered[1], now)

    def _known_as(self, path: str, about: os.stat_result) -> int | None:
        """Return the number of a known file; a file whose identity was reused loses it."""
        number = self._known.get(identity(about))
        if number is None or self._register[number].identity != identity(about):
            return None
        if self._is_same(number, path, about):
            return number
        self._register.lost(number, name=False)
        return None

    def _is_same(self, number: int, path: str, about: os.stat_result) -> bool:
        """Whether a file that has the identity of a known one is that file.

        Identities are given anew, but not that of an open file.
        """
        file = self._register[number]
        if number in self._readings:
            return True
        if (file.size, file.modified) == (about.st_size, about.st_mtime_ns):
            return True
        return not file.packed and self._holds(path, file, unread=True)

    def _search(self, now: float, only: str = "") -> None:
        """Find the files that names which stand for other files now stood for before.

        Not only once: just when a folder is read a file in it may get its compressed form.
        """
        for log, (number, since, until) in list(self._searches.items()):
            if now > until:
                del self._searches[log]
            elif only in ("", log):
                self._rotated(number, log, since, now)

    def _rotated(self, number: int, log: str, since: float, now: float) -> None:
        file = self._register[number]
        for path, about in rotated(log):
            known = self._known_as(path, about)
            if known == number:
                self._open(number, path, about, now)
            elif known is None and self._is_wanted(path, about):
                later = about.st_mtime >= since - _CLOCK_SECONDS
                if later or self._holds(path, file):
                    registered = self._register_file(log, path, now)
                    if registered is not None:
                        self._open(registered[0], path, registered[1], now)

    def _register_file(self, log: str, path: str, now: float) -> tuple[int, os.stat_result] | None:
        """Register a new file; return its number and its status, ``None`` when it cannot be read.

        The status is that of the file that was opened: the name may stand for another one than a
        moment ago, whose identity can be given to a third.
        """
        descriptor = self._descriptor(path)
        if descriptor is None:
            return None
        try:
            about = os.fstat(descriptor)
            if (known := self._known_as(path, about)) is not None:
                return known, about
            content = Content(descriptor)
            number = self._known_content(content, log, path)
            if number is None:
                number = self._register.add(LogFile(log, path))
            self._register[number].packed = content.packed or (
                not self._growing and not is_lines(os.pread(descriptor, WHOLE_BYTES + 1, 0))
            )
        finally:
            os.close(descriptor)
        self._register.saw(number, path, about, now)
        self._known[identity(about)] = number
        return number, about

    def _known_content(self, content: Content, log: str, path: str) -> int | None:
        """Return the file with this content, or a new one that continues where it ends."""
        for number, file in self._register.items():
            reading, position = self._readings.get(number), file.read
            if reading is not None and content.packed and reading.deleted:
                position = reading.end()  # it was complete when it was compressed
            if file.packed or not content.holds(position):
                continue
            if not self._is_there(number, file, content):
                return number
            if content.holds(file.delivered):
                return self._register.add(LogFile(log, path, delivered=file.delivered))
        return None

    def _is_there(self, number: int, file: LogFile, content: Content) -> bool:
        """Whether the file itself is still there, besides one with the same content."""
        if number in self._readings:
            # A writer may hold a deleted file, but nobody compresses what is not complete.
            return not (content.packed and self._readings[number].deleted)
        about = file_status(file.path) if file.path and file.inode else None
        return about is not None and identity(about) == file.identity

    def _handle_missing(self, number: int, file: LogFile, now: float) -> None:
        """Open a file that no input leads to, or forget it."""
        if not file.path:
            return
        about = file_status(file.path) if file.inode else None
        if about is not None and identity(about) == file.identity:
            if file.read.ended:
                return
            if self._is_same(number, file.path, about):
                self._open(number, file.path, about, now, unnamed=True)
                return
        if file.read.ended:
            self._register.lost(number)
            return
        self._register.lost(number, name=False)
        before = len(self._readings)
        self._rotated(number, file.log, file.seen, now)
        if number not in self._readings:
            # A file of which nothing was read may have been found under any of the names.
            if file.unread and (file.read.offset or len(self._readings) == before):
                self._report(
                    f"{file.log}: a file that had this name was removed before all of it was "
                    f"read; what was in it after byte {file.read.offset} is lost"
                )
            self._register.lost(number)

    def _open(
        self, number: int, path: str, about: os.stat_result, now: float, *, unnamed: bool = False
    ) -> None:
        file = self._register[number]
        self._register.saw(number, path, about, now)
        fresh = about.st_mtime > now - FRESH_SECONDS and not file.packed
        wanted = file.unread or fresh or unnamed
        if number in self._readings or file.read.ended or not wanted:
            return
        descriptor = self._descriptor(path)
        if descriptor is None:
            return
        if identity(os.fstat(descriptor)) != identity(about):
            os.close(descriptor)  # The name stands for another file by now: the next scan sees it.
            return
        kind = Packed if file.packed else Tail
        self._readings[number] = kind(number, file, descriptor, self._limit, self._on_bytes)

    def _holds(self, path: str, file: LogFile, *, unread: bool = False) -> bool:
        """Whether the file of that name contains what was read of another.

        :param unread: the result where nothing was read, and it is not a compressed form either.
        """
        descriptor = self._descriptor(path)
        if descriptor is None:
            return False
        try:
            content = Content(descriptor)
            if not file.read.offset:
                return unread and not content.packed
            return content.holds(file.read)
        finally:
            os.close(descriptor)

    def _descriptor(self, path: str) -> int | None:
        try:
            return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            self._report(f"{path} cannot be read: {why}; trying again until it can")
            return None

    def _is_wanted(self, path: str, about: os.stat_result) -> bool:
        if not stat.S_ISREG(about.st_mode) or is_being_packed(path):
            return False
        real = Path(path).resolve()
        return not any(path == real or path in real.parents for path in self._excluded)

    def _is_complete(self, path: str, about: os.stat_result, now: float) -> bool:
        """Whether a file, if compressed, is not written any more."""
        if not self._growing or not path.endswith(PACKED) or identity(about) in self._known:
            return True
        return now - about.st_mtime >= SETTLED_SECONDS

    def _paths(self) -> Iterator[str]:
        for given in self._inputs:
            if Path(given).is_dir():
                yield from _below(given)
            elif Path(given).exists() or not glob.has_magic(given):
                yield given
            else:
                # Not pathlib: what its "**" matches depends on the version of Python.
                for name in sorted(glob.glob(given, recursive=True)):  # noqa: PTH207
                    if Path(name).is_dir():
                        yield from _below(name)
                    else:
                        yield name

    def _is_of_input(self, log: str) -> bool:
        """Whether an input of this run leads to the name: a state may list others."""
        within = (given for given in self._inputs if Path(given) in Path(log).parents)
        return (
            log in self._inputs or any(within) or any(fnmatch(log, given) for given in self._inputs)
        )

    def _report(self, text: str) -> None:
        if text not in self._reported:
            self._reported.add(text)
            self._on_message(text)


def _below(folder: str) -> Iterator[str]:
    for path, folders, files in os.walk(folder):
        folders.sort()
        for file in sorted(files):
            yield str(Path(path, file))
