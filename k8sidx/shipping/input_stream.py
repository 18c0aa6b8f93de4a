"""What a run reads: the inputs once, from where a state says, or for as long as it runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import TypeAlias

from k8sidx.events.records import Chunk, Rejected, Skipped
from k8sidx.shipping.sources.files.chunks import read_chunks
from k8sidx.shipping.sources.files.inputs import STDIN, Source
from k8sidx.shipping.sources.follow.follower import Follower, read_once
from k8sidx.shipping.sources.follow.registry import Register

CHUNK_BYTES = 1024 * 1024
FLUSH_SECONDS = 0.75
"""What was read is stored so long after the last time when nothing more is there …"""
BUSY_FLUSH_SECONDS = 5.0
"""… and so long after it when there is always more: large packages are cheaper."""


class Pause(Enum):
    """In a stream of chunks: store what was read."""

    PAUSE = "pause"


Piece: TypeAlias = Chunk | Rejected | Skipped | Pause


def whole(
    sources: Sequence[Source], record_limit: int, on_bytes: Callable[[int], None]
) -> Iterator[Piece]:
    """The sources from their start to their end."""
    for source in sources:
        yield from read_chunks(source, CHUNK_BYTES, record_limit, on_bytes)


def resumed(
    sources: Sequence[Source],
    register: Register,
    record_limit: int,
    on_bytes: Callable[[int], None],
    tell: Callable[[str], None],
) -> Iterator[Piece]:
    """What was not delivered yet; of standard input all."""
    yield from whole([one for one in sources if one.name == STDIN], record_limit, on_bytes)
    names = [one.name for one in sources if one.name != STDIN]
    if names:
        yield from read_once(names, register, record_limit, (), tell, on_bytes)


def followed(
    inputs: Sequence[str],
    register: Register,
    record_limit: int,
    excluded: Sequence[Path],
    tell: Callable[[str], None],
) -> Iterator[Piece]:
    """What was not delivered yet and what is written from now on, until standard input ends
    or for ever.

    :raises UsageError: for an input that cannot be followed.
    """
    return _paced(Follower(inputs, register, record_limit, excluded, tell))


def _paced(follower: Follower) -> Iterator[Piece]:
    flushed = 0.0  # what was found is to be in the state file from the beginning
    for piece in follower.pieces():
        if piece is not None:
            yield piece
        if time.monotonic() - flushed > (FLUSH_SECONDS if piece is None else BUSY_FLUSH_SECONDS):
            flushed = time.monotonic()
            yield Pause.PAUSE
