"""Times at which open batches are flushed while inputs are followed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

IDLE_SECONDS = 0.75
"""Flush interval when there is nothing more to read …"""
BUSY_SECONDS = 5.0
"""… and when there is always more: large batches are cheaper."""
SHARE = 0.02
"""Share of a core that flushes use while little is written: the interval grows with their cost …"""
LONGEST_IDLE_SECONDS = 2.5
"""… up to this, for an event is to be stored soon."""


class FlushClock:
    """Intervals between flushes, by the CPU time of the one before; the first is due at once."""

    def __init__(self) -> None:
        self._flushed = float("-inf")
        self._cost = 0.0

    def is_due(self, *, idle: bool) -> bool:
        """Return whether to flush.

        :param idle: whether there is nothing more to read now.
        """
        return time.monotonic() - self._flushed > (self.idle_seconds if idle else BUSY_SECONDS)

    @property
    def idle_seconds(self) -> float:
        """Flush interval when there is nothing more to read, in seconds."""
        return min(max(IDLE_SECONDS, self._cost / SHARE), LONGEST_IDLE_SECONDS)

    @contextmanager
    def flushing(self) -> Iterator[None]:
        """Measure a flush of this thread: what runs inside of the context."""
        self._flushed = time.monotonic()
        began = time.thread_time()
        try:
            yield
        finally:
            self._cost = time.thread_time() - began
