"""How often and how long to try again, and how many requests at once."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

FIRST_SECONDS = 0.25
LONGEST_SECONDS = 8.0
HURRIED_SECONDS = 5.0
_LOOK_SECONDS = 0.2
_SOON_SECONDS = 0.5


class Patience:
    """How long to go on without success; shared by all requests of a run.

    :param seconds: from the first failure in a row until giving up.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._hurried: float | None = None

    def end(self) -> None:
        """No more waiting."""
        self._seconds = 0.0

    def hurry(self) -> None:
        """Seconds only from now on, and what waits tries again at once: the cluster may have
        come back meanwhile."""
        if self._hurried is None:
            self._hurried = time.monotonic()

    def is_over(self, since: float) -> bool:
        """Whether to give up.

        :param since: when the first failure in a row was, on the monotonic clock.
        """
        now = time.monotonic()
        hurried = self._hurried is not None and now - self._hurried > HURRIED_SECONDS
        return hurried or now - since > self._seconds

    def shortened(self, until: float) -> float:
        """When to try again, if that is not to be so late."""
        return until if self._hurried is None else min(until, time.monotonic() + _SOON_SECONDS)


class Retries:
    """The failures in a row of one batch, for one kind of failure: its own budget."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._since: float | None = None
        self._count = 0

    def succeeded(self) -> None:
        """Something went well: the next failure is the first again."""
        self._since, self._count = None, 0

    def wait(self, at_least: float = 0.0) -> bool:
        """After a failure, wait for the time to try again; false when patience is over.

        The wait is random up to a bound that doubles, so that clients which failed together
        do not come back together.

        :param at_least: seconds that the server asks for.
        """
        now = time.monotonic()
        since = self._since = now if self._since is None else self._since
        longest = min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** min(self._count, 10))
        self._count += 1
        until = now + at_least + random.uniform(0, longest)  # noqa: S311 - spreads load
        while (now := time.monotonic()) < (until := self._patience.shortened(until)):
            if self._patience.is_over(since):
                return False
            time.sleep(min(_LOOK_SECONDS, until - now))
        return not self._patience.is_over(since)


class Gate:
    """Lets so many requests through at once: half as many when the cluster is pressed, one
    more after each round that went well."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._allowed = float(most)
        self._inside = 0
        self._changed = threading.Condition()

    @property
    def allowed(self) -> int:
        """Requests that may be under way now."""
        return int(self._allowed)

    @contextmanager
    def passed(self) -> Iterator[None]:
        """Wait for a place, and hold it."""
        with self._changed:
            self._changed.wait_for(lambda: self._inside < self.allowed)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify()

    def pressed(self) -> None:
        """The cluster had too much."""
        with self._changed:
            self._allowed = max(1.0, self._allowed / 2)

    def went_well(self) -> None:
        """A request was answered in full."""
        with self._changed:
            if self._allowed < self._most:
                self._allowed = min(self._most, self._allowed + 1 / self._allowed)
                self._changed.notify()
