"""Receipts: messages of queues, which are acknowledged once all that they led to is delivered."""

from __future__ import annotations

import threading

from k8sidx.events.records import Chunk
from k8sidx.shipping.checkpoint import Checkpoint


class Receipts:
    """Counts the chunks that are not delivered yet, by message.

    A message ends with an empty chunk. Used by the threads that read, and by the one that
    delivers.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0
        self._open: dict[int, int] = {}
        self._ended: set[int] = set()

    def issue(self) -> int:
        """Return the number of a new receipt."""
        with self._lock:
            self._last += 1
            return self._last

    def begun(self, chunk: Chunk) -> None:
        """Record that a chunk was read."""
        with self._lock:
            self._open[chunk.receipt] = self._open.get(chunk.receipt, 0) + 1
            if not chunk.data:
                self._ended.add(chunk.receipt)

    def delivered(self, chunk: Chunk) -> None:
        """Record that a chunk is delivered."""
        with self._lock:
            self._open[chunk.receipt] -= 1

    def take(self, number: int) -> bool:
        """Return whether all chunks of a receipt are delivered, and forget it if so."""
        with self._lock:
            if number not in self._ended or self._open[number]:
                return False
            self._ended.discard(number)
            del self._open[number]
            return True


class ReceiptCheckpoint:
    """Gives each chunk to the receipts or to another checkpoint.

    A chunk may be part of both: of a message, and of an input with a position.
    """

    def __init__(self, receipts: Receipts, other: Checkpoint) -> None:
        self._receipts = receipts
        self._other = other

    def begun(self, chunk: Chunk) -> None:
        """Record that a chunk was read."""
        if chunk.receipt:
            self._receipts.begun(chunk)
        self._other.begun(chunk)

    def delivered(self, chunk: Chunk) -> None:
        """Record that a chunk is delivered."""
        self._other.delivered(chunk)
        if chunk.receipt:
            self._receipts.delivered(chunk)
