"""The chunks that are under way, from reading until all of their events are settled."""

from __future__ import annotations

from collections.abc import Iterable

from k8sidx.events.records import Chunk
from k8sidx.shipping.checkpoint import Checkpoint


class ChunksInFlight:
    """Numbers chunks, and tells the checkpoint when they are begun and delivered.

    :param keep_data: keep their records until they are delivered.
    """

    def __init__(self, checkpoint: Checkpoint, *, keep_data: bool) -> None:
        self._checkpoint = checkpoint
        self._keep_data = keep_data
        self._chunks: dict[int, Chunk] = {}
        self._packages: dict[int, int] = {}
        self._last = 0

    def begin(self, chunk: Chunk) -> int:
        """A chunk was read; returns its number."""
        self._last += 1
        self._chunks[self._last] = chunk if self._keep_data else chunk._replace(data=b"")
        self._checkpoint.begun(chunk)
        return self._last

    def worked(self, number: int, packages: int) -> None:
        """The chunk's events are in that many packages, which may be stored already."""
        self._packages[number] = self._packages.get(number, 0) + packages
        self._look(number)

    def settled(self, numbers: Iterable[int]) -> None:
        """Packages that hold events of these chunks are settled, a number for each package."""
        for number in numbers:
            self._packages[number] = self._packages.get(number, 0) - 1
            self._look(number)

    def source(self, number: int) -> str:
        """Where a chunk is from."""
        return self._chunks[number].source

    def record(self, number: int, record: int) -> bytes:
        """A record of a chunk that is not delivered, as it was read."""
        chunk = self._chunks[number]
        return chunk.data.split(b"\n")[record - chunk.first]

    def _look(self, number: int) -> None:
        if not self._packages[number]:
            del self._packages[number]
            self._checkpoint.delivered(self._chunks.pop(number))
