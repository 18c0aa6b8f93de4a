"""Being told to stop: reading ends, what was read is finished."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")


class _EndReading(BaseException):
    """Leaves a read that waits for input. No error: nothing may handle it on its way."""


class Stop:
    """Catches SIGINT and SIGTERM while it is entered; of each the second one acts as usual.

    :ivar signal: the one that came; ``None`` when none did.
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        self._reading = False
        self._when_told: Callable[[], None] = lambda: None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Stop:
        for one in (signal.SIGINT, signal.SIGTERM):
            self._before[one] = signal.signal(one, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()

    def until_told(self, items: Iterable[T], when_told: Callable[[], None]) -> Iterator[T]:
        """The items until a signal comes; one that waits for its next item is left at once.

        :param when_told: called with the signal, in the middle of whatever is being done.
        """
        self._when_told = when_told
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
        self._when_told()
        if self._reading:
            raise _EndReading

    def _restore(self) -> None:
        while self._before:
            signal.signal(*self._before.popitem())
