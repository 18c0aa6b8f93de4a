"""Chunks in flight: read, with events whose outcome is still open."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from k8sidx.events.records import Chunk
from k8sidx.shipping.checkpoint import Checkpoint


class ChunksInFlight:
    """Numbers chunks, and notifies the checkpoint when they are begun and delivered.

    :param keep_data: whether to keep a chunk's records until it is delivered.
    """

    def __init__(self, checkpoint: Checkpoint, keep_data: Callable[[Chunk], bool]) -> None:
        self._checkpoint = checkpoint
        self._keep_data = keep_data
        self._chunks: dict[int, Chunk] = {}
        self._batches: dict[int, int] = {}
        self._last = 0
        self._lines: tuple[Chunk, list[bytes]] | None = None

    def begin(self, chunk: Chunk) -> int:
        """Register a chunk that was read, and return its number."""
        self._last += 1
        self._chunks[self._last] = chunk if self._keep_data(chunk) else chunk._replace(data=b"")
        self._checkpoint.begun(chunk)
        return self._last

    def encoded(self, number: int, batches: int) -> None:
        """Record in how many batches the chunk's events are; some may be stored already."""
        self._batches[number] = self._batches.get(number, 0) + batches
        self._check(number)

    def stored(self, numbers: Iterable[int]) -> None:
        """Record that batches are stored: the number of each chunk in it, for each batch."""
        for number in numbers:
            self._batches[number] = self._batches.get(number, 0) - 1
            self._check(number)

    def source(self, number: int) -> str:
        """Return the source of a chunk."""
        return self._chunks[number].source

    def record(self, number: int, record: int) -> bytes:
        """Return a record of a chunk that is not delivered, as it was read."""
        chunk = self._chunks[number]
        if self._lines is None or self._lines[0] is not chunk:
            self._lines = chunk, chunk.data.split(b"\n")  # once for all records of a chunk
        return self._lines[1][record - chunk.first]

    def undelivered(self) -> list[Chunk]:
        """Return the chunks in the order of reading."""
        return list(self._chunks.values())

    def _check(self, number: int) -> None:
        if not self._batches[number]:
            del self._batches[number]
            self._lines = None
            self._checkpoint.delivered(self._chunks.pop(number))
