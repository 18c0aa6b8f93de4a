"""Input stream of a run: the inputs once, from their saved positions, or as they grow."""

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
"""Flush interval when there is nothing more to read …"""
BUSY_FLUSH_SECONDS = 5.0
"""… and when there is always more: large batches are cheaper."""


class Pause(Enum):
    """In a stream of chunks: flush open batches."""

    PAUSE = "pause"


Piece: TypeAlias = Chunk | Rejected | Skipped | Pause


def whole(
    sources: Sequence[Source], record_limit: int, on_bytes: Callable[[int], None]
) -> Iterator[Piece]:
    """Read the sources from their start to their end."""
    for source in sources:
        yield from read_chunks(source, CHUNK_BYTES, record_limit, on_bytes)


def resumed(
    sources: Sequence[Source],
    register: Register,
    record_limit: int,
    on_bytes: Callable[[int], None],
    on_wait: Callable[[str], None],
) -> Iterator[Piece]:
    """Read what was not delivered yet; standard input completely."""
    yield from whole([source for source in sources if source.name == STDIN], record_limit, on_bytes)
    names = [source.name for source in sources if source.name != STDIN]
    if names:
        yield from read_once(names, register, record_limit, (), on_wait, on_bytes)


def followed(
    inputs: Sequence[str],
    register: Register,
    record_limit: int,
    excluded: Sequence[Path],
    on_wait: Callable[[str], None],
) -> Iterator[Piece]:
    """Read what was not delivered yet and what is written from now on, until standard input ends
    or forever.

    :raises UsageError: for an input that cannot be followed.
    """
    return _paced(Follower(inputs, register, record_limit, excluded, on_wait))


def _paced(follower: Follower) -> Iterator[Piece]:
    flushed = 0.0  # files are in the state file from the beginning
    for piece in follower.pieces():
        if piece is not None:
            yield piece
        if time.monotonic() - flushed > (FLUSH_SECONDS if piece is None else BUSY_FLUSH_SECONDS):
            flushed = time.monotonic()
            yield Pause.PAUSE
