"""How often, how long and how many at once."""

from __future__ import annotations

import threading
import time

import pytest

from k8sidx.backends.cluster.http.retry import (
    HURRIED_SECONDS,
    LONGEST_SECONDS,
    Gate,
    Patience,
    Retries,
)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that only sleeping moves; the times when waiting began and ended."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds + 1e-6))
    return now


def test_waits_grow_and_stay_bounded(slept: list[float]) -> None:
    retries = Retries(Patience(10_000))
    waits = []
    for _ in range(200):
        before = slept[0]
        assert retries.wait()
        waits.append(slept[0] - before)
    assert max(waits[:3]) <= 1.1
    assert LONGEST_SECONDS / 2 < max(waits) <= LONGEST_SECONDS + 0.1
    assert len({round(one, 3) for one in waits}) > 100  # jitter


def test_a_wait_is_never_shorter_than_the_server_asks(slept: list[float]) -> None:
    before = slept[0]
    assert Retries(Patience(100)).wait(20.0)
    assert slept[0] - before >= 20


def test_patience_ends_and_success_renews_it(slept: list[float]) -> None:
    retries = Retries(Patience(60))
    began = slept[0]
    while retries.wait():
        pass
    assert 50 < slept[0] - began < 70
    retries.succeeded()
    assert retries.wait()


def test_who_is_hurried_tries_again_at_once_and_gives_up_soon(slept: list[float]) -> None:
    """However long nothing went well before: the cluster may be back."""
    patience = Patience(10_000)
    retries = Retries(patience)
    assert retries.wait(30)
    patience.hurry()
    hurried = slept[0]
    assert retries.wait(30)
    assert slept[0] - hurried < 1
    while retries.wait(30):
        assert slept[0] - hurried < HURRIED_SECONDS
    assert slept[0] - hurried < HURRIED_SECONDS + 1


def test_half_as_many_when_pressed_and_one_more_after_each_round() -> None:
    gate = Gate(4)
    gate.pressed()
    assert gate.allowed == 2
    gate.pressed()
    gate.pressed()
    assert gate.allowed == 1
    rounds = 0
    while gate.allowed < 4:
        gate.went_well()
        rounds += 1
    assert 5 < rounds < 12


def test_no_more_than_allowed_are_inside() -> None:
    gate = Gate(2)
    inside: list[int] = []
    most = [0]

    def work() -> None:
        with gate.passed():
            inside.append(1)
            most[0] = max(most[0], len(inside))
            time.sleep(0.005)
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == 2
