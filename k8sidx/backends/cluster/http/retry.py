"""Retry policy: deadline, exponential backoff and an adaptive limit of concurrent requests."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

FIRST_SECONDS = 0.25
LONGEST_SECONDS = 8.0
SHORTENED_SECONDS = 5.0
_POLL_SECONDS = 0.2
_SOON_SECONDS = 0.5


class Deadline:
    """Time limit of retries without success; shared by all requests of a run.

    :param seconds: from the first of consecutive failures until giving up.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._shortened_at: float | None = None

    def expire(self) -> None:
        """End all waiting."""
        self._seconds = 0.0

    def shorten(self) -> None:
        """Allow seconds only from now on, and let waiting requests retry at once: the cluster
        may be available again."""
        if self._shortened_at is None:
            self._shortened_at = time.monotonic()

    def is_over(self, since: float) -> bool:
        """Whether to give up.

        :param since: time of the first of consecutive failures, on the monotonic clock.
        """
        now = time.monotonic()
        shortened = self._shortened_at is not None and now - self._shortened_at > SHORTENED_SECONDS
        return shortened or now - since > self._seconds

    def limit_wait(self, until: float) -> float:
        """Return the time of the next attempt: soon, once the deadline was shortened."""
        return until if self._shortened_at is None else min(until, time.monotonic() + _SOON_SECONDS)


class Backoff:
    """Consecutive failures of one batch, of one kind, and the waits between its attempts."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._since: float | None = None
        self._count = 0

    def reset(self) -> None:
        """Record a success: the next failure counts as the first one."""
        self._since, self._count = None, 0

    def wait(self, at_least: float = 0.0) -> bool:
        """Wait before the next attempt; return false once the deadline is over.

        The wait is random up to a bound that doubles, so that clients which failed together
        do not come back together.

        :param at_least: seconds that the server requests (``Retry-After``).
        """
        now = time.monotonic()
        since = self._since = now if self._since is None else self._since
        longest = min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** min(self._count, 10))
        self._count += 1
        until = now + at_least + random.uniform(0, longest)  # noqa: S311 - spreads load
        while (now := time.monotonic()) < (until := self._deadline.limit_wait(until)):
            if self._deadline.is_over(since):
                return False
            time.sleep(min(_POLL_SECONDS, until - now))
        return not self._deadline.is_over(since)


class ConcurrencyLimiter:
    """Limits concurrent requests: additive increase, multiplicative decrease (AIMD).

    The limit is halved when the cluster is overloaded, and grows by one after each round of
    requests that succeeded.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._limit = float(most)
        self._running = 0
        self._changed = threading.Condition()

    @property
    def limit(self) -> int:
        """Number of requests that may run now."""
        return int(self._limit)

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait until a request may run, and count it as running inside the block."""
        with self._changed:
            self._changed.wait_for(lambda: self._running < self.limit)
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify()

    def throttle(self) -> None:
        """Halve the limit: the cluster is overloaded."""
        with self._changed:
            self._limit = max(1.0, self._limit / 2)

    def recover(self) -> None:
        """Raise the limit a little: a request succeeded."""
        with self._changed:
            if self._limit < self._most:
                self._limit = min(self._most, self._limit + 1 / self._limit)
                self._changed.notify()
