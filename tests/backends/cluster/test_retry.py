"""Deadline, backoff and concurrency limit of requests."""

from __future__ import annotations

import threading
import time

import pytest

from k8sidx.backends.cluster.http.retry import (
    LONGEST_SECONDS,
    SHORTENED_SECONDS,
    Backoff,
    ConcurrencyLimiter,
    Deadline,
)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that only sleeping moves; the times when waiting began and ended."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds + 1e-6))
    return now


def test_backoff_grows_and_stays_bounded(slept: list[float]) -> None:
    backoff = Backoff(Deadline(10_000))
    waits = []
    for _ in range(200):
        before = slept[0]
        assert backoff.wait()
        waits.append(slept[0] - before)
    assert max(waits[:3]) <= 1.1
    assert LONGEST_SECONDS / 2 < max(waits) <= LONGEST_SECONDS + 0.1
    assert len({round(wait, 3) for wait in waits}) > 100  # jitter


def test_backoff_waits_at_least_as_long_as_the_server_requests(slept: list[float]) -> None:
    before = slept[0]
    assert Backoff(Deadline(100)).wait(20.0)
    assert slept[0] - before >= 20


def test_backoff_ends_at_the_deadline_and_a_success_resets_it(slept: list[float]) -> None:
    backoff = Backoff(Deadline(60))
    began = slept[0]
    while backoff.wait():
        pass
    assert 50 < slept[0] - began < 70
    backoff.reset()
    assert backoff.wait()


def test_backoff_retries_at_once_and_gives_up_soon_when_the_deadline_is_shortened(
    slept: list[float],
) -> None:
    """However long requests failed before: the cluster may be available again."""
    deadline = Deadline(10_000)
    backoff = Backoff(deadline)
    assert backoff.wait(30)
    deadline.shorten()
    shortened = slept[0]
    assert backoff.wait(30)
    assert slept[0] - shortened < 1
    while backoff.wait(30):
        assert slept[0] - shortened < SHORTENED_SECONDS
    assert slept[0] - shortened < SHORTENED_SECONDS + 1


def test_limiter_halves_when_throttled_and_recovers_by_one_a_round() -> None:
    limiter = ConcurrencyLimiter(4)
    limiter.throttle()
    assert limiter.limit == 2
    limiter.throttle()
    limiter.throttle()
    assert limiter.limit == 1
    rounds = 0
    while limiter.limit < 4:
        limiter.recover()
        rounds += 1
    assert 5 < rounds < 12


def test_limiter_admits_no_more_than_its_limit() -> None:
    limiter = ConcurrencyLimiter(2)
    running: list[int] = []
    most = [0]

    def work() -> None:
        with limiter.slot():
            running.append(1)
            most[0] = max(most[0], len(running))
            time.sleep(0.005)
            running.pop()

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == 2
