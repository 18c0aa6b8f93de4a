"""Input stream of a run: the inputs once, from their saved positions, or as they grow."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from enum import Enum
from itertools import chain
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from k8sidx.errors import UsageError
from k8sidx.events.records import Chunk, Rejected, Skipped
from k8sidx.shipping.flush_clock import FlushClock
from k8sidx.shipping.sources.files.chunks import read_chunks
from k8sidx.shipping.sources.files.inputs import STDIN, Source, expand
from k8sidx.shipping.sources.follow.follower import Follower, OnceReader
from k8sidx.shipping.sources.follow.readers import Reading
from k8sidx.shipping.sources.follow.registry import Registry
from k8sidx.shipping.sources.remote.reader import RemoteReader

CHUNK_BYTES = 1024 * 1024
REPORT_SECONDS = 60.0
"""Interval at which inputs that match no file are reported."""
_FILES_SHOWN = 5


class Pause(Enum):
    """In a stream of chunks: flush open batches."""

    PAUSE = "pause"


Piece: TypeAlias = Chunk | Rejected | Skipped | Pause


class OpenFiles(Protocol):
    """The files that are read, which stay open until they are delivered; a context manager."""

    def readings(self) -> list[Reading]:
        """Return the open files."""

    def is_named(self, number: int) -> bool:
        """Whether an input still leads to the file."""


class InputStream:
    """Pieces of the inputs, and the files that they come from; a context manager.

    :param pieces: what is read inside of the context.
    :param files: ``None`` when nothing is kept open.
    :ivar remote: reads the inputs in clouds; ``None`` without any.
    """

    def __init__(self, pieces: Iterator[Piece], files: Follower | OnceReader | None = None) -> None:
        self.pieces = pieces
        self.files: OpenFiles | None = files
        self.remote: RemoteReader | None = None
        self._files = files
        self._contexts = ExitStack()

    def add_remote(self, remote: RemoteReader, pieces: Iterator[Piece]) -> None:
        """Read inputs in clouds as well.

        :param pieces: of both.
        """
        self.remote = remote
        self.pieces = pieces

    def __enter__(self) -> InputStream:
        for context in (self._files, self.remote):
            if context is not None:
                self._contexts.enter_context(context)
        return self

    def __exit__(self, *raised: Any) -> None:
        self._contexts.__exit__(*raised)


def whole(
    sources: Sequence[Source], record_limit: int, on_bytes: Callable[[int], None]
) -> InputStream:
    """Read the sources from their start to their end."""
    return InputStream(_whole(sources, record_limit, on_bytes))


def _whole(
    sources: Sequence[Source], record_limit: int, on_bytes: Callable[[int], None]
) -> Iterator[Piece]:
    for source in sources:
        yield from read_chunks(source, CHUNK_BYTES, record_limit, on_bytes)


def resumed(
    sources: Sequence[Source],
    register: Registry,
    record_limit: int,
    on_bytes: Callable[[int], None],
    on_wait: Callable[[str], None],
) -> InputStream:
    """Read what was not delivered yet; standard input completely."""
    streams = [source for source in sources if source.name == STDIN]
    names = [source.name for source in sources if source.name != STDIN]
    pieces = _whole(streams, record_limit, on_bytes)
    if not names:
        return InputStream(pieces)
    reader = OnceReader(names, register, record_limit, (), on_wait, on_bytes)
    return InputStream(chain(pieces, reader.pieces()), reader)


def followed(
    inputs: Sequence[str],
    register: Registry,
    record_limit: int,
    excluded: Sequence[Path],
    on_wait: Callable[[str], None],
    stopped: Callable[[], bool] = lambda: False,
    *,
    until_delivered: bool = False,
) -> InputStream:
    """Read what was not delivered yet and what is written from now on, until standard input ends
    or forever.

    :param on_wait: called with the files that are followed, and from time to time with inputs
        that lead to none.
    :param stopped: whether to end.
    :param until_delivered: keep files open until the register has all of them as delivered.
    :raises UsageError: for an input that cannot be followed.
    """
    follower = Follower(
        inputs,
        register,
        record_limit,
        excluded,
        on_wait,
        stopped=stopped,
        until_delivered=until_delivered,
    )
    for name in inputs:
        on_wait(_followed_files(name))
    return InputStream(_paced(follower.pieces(), inputs, on_wait), follower)


def with_remote(
    stream: InputStream, remote: RemoteReader, stopped: Callable[[], bool] | None
) -> InputStream:
    """Add inputs in clouds to a stream.

    :param stopped: whether to end, for a stream that is followed.
    """
    if stopped is None:
        stream.add_remote(remote, chain(stream.pieces, remote.pieces()))
    elif stream.files is None:
        stream.add_remote(remote, _paced(remote.following(stopped), (), lambda text: None))
    else:
        stream.add_remote(remote, _both(stream.pieces, remote))
    return stream


def _both(files: Iterator[Piece], remote: RemoteReader) -> Iterator[Piece]:
    for piece in files:
        yield piece
        yield from remote.available()
        if remote.failure is not None:
            return


def _paced(
    pieces: Iterator[Piece | None], inputs: Sequence[str], on_wait: Callable[[str], None]
) -> Iterator[Piece]:
    clock = FlushClock()  # due at once: files are in the state file from the beginning
    reported = time.monotonic()
    for piece in pieces:
        if time.monotonic() - reported > REPORT_SECONDS:
            reported = time.monotonic()
            for name in inputs:
                if not _files(name):
                    on_wait(f"{name} still matches no file")
        if piece is not None:
            yield piece
        if clock.is_due(idle=piece is None):
            with clock.flushing():
                yield Pause.PAUSE


def _followed_files(name: str) -> str:
    """Return a line about the files that an input leads to now."""
    files = _files(name)
    if not files:
        return f"following {name}, which matches no file yet"
    if files == [name]:
        return f"following {'standard input' if name == STDIN else name}"
    shown = ", ".join(files[:_FILES_SHOWN])
    more = f" and {len(files) - _FILES_SHOWN:,} more" if len(files) > _FILES_SHOWN else ""
    return f"following {name}: {shown}{more}"


def _files(name: str) -> list[str]:
    if name == STDIN or (Path(name).exists() and not Path(name).is_dir()):
        return [name]
    try:
        return [source.name for source in expand([name])]
    except UsageError:
        return []  # there is none, or it cannot be read, which the follower reports
