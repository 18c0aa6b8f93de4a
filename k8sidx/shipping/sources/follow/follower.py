"""Following logs while they are written and rotated: their records as they come.

A thread looks which files there are, also while nobody takes what was read: a file that is
open can be read to its end, whatever becomes of its name.
"""

from __future__ import annotations

import os
import resource
import stat
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from k8sidx.events.records import Chunk
from k8sidx.shipping.sources.files.inputs import STDIN, refuse_address
from k8sidx.shipping.sources.follow.discovery import FRESH_SECONDS, Watch
from k8sidx.shipping.sources.follow.pipe import Stream
from k8sidx.shipping.sources.follow.readers import Piece, Reading
from k8sidx.shipping.sources.follow.registry import Registry

POLL_SECONDS = 0.2
"""Files that have nothing new are looked at again after so long."""
_MUCH_BYTES = 256 * 1024
_LOOK_SHARE = 10
"""Looking takes at most one such part of the time."""
CLOSE_AFTER_SECONDS = 60.0
"""A file that was rotated away is read until nothing was added to it for so long."""


class Follower:
    """The records of some inputs, now and as they are added; a context manager, inside of which
    files are watched, and stay open also when nothing is read of them any more.

    :param inputs: files, globs, folders, ``-``; they need not exist yet.
    :param register: the files as far as they are known.
    :param record_limit: longest record in bytes.
    :param excluded: files and folders that are never read.
    :param on_message: called with a message about what is waited for, or what was lost.
    :param stopped: whether to end; it is called several times a second.
    :param until_delivered: keep a file open until all that was read of it is delivered, as the
        register has it.
    :raises UsageError: for an input that cannot be followed.
    """

    def __init__(
        self,
        inputs: Sequence[str],
        register: Registry,
        record_limit: int,
        excluded: Sequence[Path] = (),
        on_message: Callable[[str], None] = lambda text: None,
        close_after: float = CLOSE_AFTER_SECONDS,
        stopped: Callable[[], bool] = lambda: False,
        *,
        until_delivered: bool = False,
    ) -> None:
        self._stop = threading.Event()
        self._stopped = stopped
        self._register = register
        self._until_delivered = until_delivered
        self._failed: Exception | None = None
        self._close_after = close_after
        self._streams: list[Stream] = []
        names = []
        for given in inputs:
            if given == STDIN:
                self._streams.append(Stream(given, sys.stdin.fileno(), record_limit))
            elif (descriptor := _pipe(given)) is not None:
                self._streams.append(Stream(given, descriptor, record_limit, ends=False))
            else:
                refuse_address(given)
                names.append(given)
        self._watch = Watch(names, register, record_limit, excluded, on_message) if names else None

    def __enter__(self) -> Follower:
        self._looking = threading.Thread(target=self._scan, daemon=True)
        if self._watch is not None:
            _allow_many_files()
            self._watch.scan()
            self._looking.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._watch is not None:
            self._looking.join()
            for reading in self._watch.readings():
                self._watch.close(reading)

    def stop(self) -> None:
        """End soon; may be called from another thread, but not from a signal handler."""
        self._stop.set()

    def readings(self) -> list[Reading]:
        """The open files."""
        return self._watch.readings() if self._watch is not None else []

    def is_named(self, number: int) -> bool:
        """Whether an input still leads to the file."""
        return self._watch is not None and self._watch.is_named(number)

    def pieces(self) -> Iterator[Piece | None]:
        """The records; ``None`` whenever all that there was is read."""
        if self._watch is not None:
            yield None
        while not self._is_stopped():
            size = 0
            for piece in self._round():
                size += len(piece.data) if isinstance(piece, Chunk) else 1
                yield piece
            if self._failed is not None:
                raise self._failed
            if self._watch is None and all(stream.ended for stream in self._streams):
                return
            if size < _MUCH_BYTES:
                yield None
                # Lines that come one by one make one chunk: each costs as much as 50 lines.
                self._stop.wait(POLL_SECONDS)
        # What a pipe holds is gone with its reader.
        for stream in self._streams:
            yield from stream.read()
            yield from stream.rest()

    def _is_stopped(self) -> bool:
        return self._stop.is_set() or self._stopped()

    def _round(self) -> Iterator[Piece]:
        """Something of each file, so that none waits for another."""
        for stream in self._streams:
            yield from stream.read()
        if self._watch is None:
            return
        for reading in self._watch.readings():
            if self._is_stopped():
                return
            yield from reading.read()
            yield from self._let_go(self._watch, reading)

    def _let_go(self, watch: Watch, reading: Reading) -> Iterator[Piece]:
        """Close a file that nothing more is expected of for now."""
        idle = time.monotonic() - reading.active
        if reading.changed:
            watch.close(reading)
        elif reading.deleted or not watch.is_named(reading.number):
            if idle > self._close_after:
                yield from reading.rest(ended=True)
                self._close(watch, reading)
        elif idle > FRESH_SECONDS:
            self._close(watch, reading)

    def _close(self, watch: Watch, reading: Reading) -> None:
        """Close a file, unless its content may be needed once more."""
        if not self._until_delivered or self._register[reading.number].is_delivered:
            watch.close(reading)

    def _scan(self) -> None:
        pause = POLL_SECONDS
        while self._watch is not None and not self._stop.wait(pause):
            began = time.monotonic()
            try:
                self._watch.scan()
            except Exception as error:  # noqa: BLE001 - raised again where it is read
                self._failed = error
                return
            pause = max(POLL_SECONDS, _LOOK_SHARE * (time.monotonic() - began))


class OnceReader:
    """The records of files that were not read yet, as the register has it; a context manager,
    inside of which files stay open until they are delivered.

    :param inputs: files, globs, folders.
    """

    def __init__(
        self,
        inputs: Sequence[str],
        register: Registry,
        record_limit: int,
        excluded: Sequence[Path] = (),
        on_message: Callable[[str], None] = lambda text: None,
        on_bytes: Callable[[int], None] | None = None,
    ) -> None:
        self._register = register
        self._watch = Watch(
            inputs, register, record_limit, excluded, on_message, on_bytes, growing=False
        )

    def __enter__(self) -> OnceReader:
        _allow_many_files()
        self._watch.scan()
        return self

    def __exit__(self, *_: object) -> None:
        for reading in self._watch.readings():
            self._watch.close(reading)

    def readings(self) -> list[Reading]:
        """The open files."""
        return self._watch.readings()

    def is_named(self, number: int) -> bool:
        """Whether an input still leads to the file."""
        return self._watch.is_named(number)

    def pieces(self) -> Iterator[Piece]:
        """Read each file to its end."""
        read: deque[Reading] = deque()
        for reading in self._watch.readings():
            yield from reading.rest(ended=False)
            read.append(reading)
            while read and self._register[read[0].number].is_delivered:
                self._watch.close(read.popleft())


def _pipe(given: str) -> int | None:
    """An input that is a named pipe, opened without waiting for a writer."""
    try:
        if not stat.S_ISFIFO(Path(given).stat().st_mode):
            return None
        descriptor = os.open(given, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    os.set_blocking(descriptor, True)
    return descriptor


def _allow_many_files() -> None:
    """Every file that is followed is kept open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65536 if hard == resource.RLIM_INFINITY else min(hard, 65536)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
