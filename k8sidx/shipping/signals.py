"""Signal handling: a signal ends reading, and events that were read are still stored."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")


class _EndReading(BaseException):
    """Interrupts a read that waits for input; not an ``Exception``, so that nothing handles it."""


class Stop:
    """Catches the first SIGINT or SIGTERM inside the block; the next one acts as usual.

    :ivar signal: the signal that was received; ``None`` without one.
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        self._reading = False
        self._on_signal: Callable[[], None] = lambda: None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Stop:
        for caught in (signal.SIGINT, signal.SIGTERM):
            self._before[caught] = signal.signal(caught, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()

    def on_signal(self, call: Callable[[], None]) -> None:
        """Call this in the signal handler, between any two instructions."""
        self._on_signal = call

    def until_signal(self, items: Iterable[T]) -> Iterator[T]:
        """Yield the items until a signal is received; waiting for an item is interrupted at once,
        and what was read for it is lost."""
        iterator = iter(items)
        while self.signal is None:
            try:
                self._reading = True
                item = next(iterator)
            except (StopIteration, _EndReading):
                return
            finally:
                self._reading = False
            yield item

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self.signal = signal.Signals(number)
        self._restore()
        self._on_signal()
        if self._reading:
            raise _EndReading

    def _restore(self) -> None:
        while self._before:
            signal.signal(*self._before.popitem())
