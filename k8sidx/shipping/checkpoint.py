"""What shipping tells of its progress, for those who keep a state to go on from."""

from __future__ import annotations

from typing import Protocol

from k8sidx.events.records import Chunk


class Checkpoint(Protocol):
    """Is told which chunks are under way and which are done.

    Every chunk that is begun is delivered once, unless the run ends before (it is stopped,
    gives up or dies). Both are called in the shipping process's main thread, ``begun`` in
    the order of reading, ``delivered`` in any order. A state that is written from this must
    not pass the :attr:`~k8sidx.events.records.Chunk.end` of a chunk before it, and
    all chunks of its source that were begun earlier, are delivered.
    """

    def begun(self, chunk: Chunk) -> None:
        """The chunk was read and will be worked on."""

    def delivered(self, chunk: Chunk) -> None:
        """Each of its events is stored, known to be stored already, or in the dead-letter file.

        :param chunk: the same source, first record and end; its data may be gone.
        """


class NoCheckpoint:
    """Keeps nothing."""

    def begun(self, chunk: Chunk) -> None:
        """Nothing to keep."""

    def delivered(self, chunk: Chunk) -> None:
        """Nothing to keep."""
