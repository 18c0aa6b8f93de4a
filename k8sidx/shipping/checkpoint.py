"""Checkpoint protocol: callbacks from which a state to resume from is written."""

from __future__ import annotations

from typing import Protocol

from k8sidx.events.records import Chunk


class Checkpoint(Protocol):
    """Callbacks for the lifecycle of a chunk.

    Every chunk that is begun is delivered once, unless the run ends before (it is stopped,
    gives up or dies). Both are called in the shipping process's main thread, ``begun`` in
    the order of reading, ``delivered`` in any order. A state that is written from this must
    not pass the :attr:`~k8sidx.events.records.Chunk.end` of a chunk before it, and
    all chunks of its source that were begun earlier, are delivered.
    """

    def begun(self, chunk: Chunk) -> None:
        """Record that a chunk was read and will be processed."""

    def delivered(self, chunk: Chunk) -> None:
        """Record that each event of a chunk is stored, a duplicate, or in the dead-letter file.

        :param chunk: the same source, first record and end; its data may be gone.
        """


class NoCheckpoint:
    """Ignores all chunks."""

    def begun(self, chunk: Chunk) -> None:
        """Do nothing."""

    def delivered(self, chunk: Chunk) -> None:
        """Do nothing."""


class Checkpoints:
    """Gives each chunk to the checkpoint that it belongs to.

    :param spool: for chunks from a spool.
    :param files: for all others.
    """

    def __init__(self, spool: Checkpoint, files: Checkpoint) -> None:
        self._spool = spool
        self._files = files

    def begun(self, chunk: Chunk) -> None:
        """Record that a chunk was read."""
        self._of(chunk).begun(chunk)

    def delivered(self, chunk: Chunk) -> None:
        """Record that a chunk is delivered."""
        self._of(chunk).delivered(chunk)

    def _of(self, chunk: Chunk) -> Checkpoint:
        return self._spool if chunk.segment else self._files
