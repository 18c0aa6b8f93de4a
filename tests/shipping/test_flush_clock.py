"""Flushes of a follower: soon, and so seldom that they cost a small share of a core."""

from __future__ import annotations

import pytest

from k8sidx.shipping import flush_clock
from k8sidx.shipping.flush_clock import (
    BUSY_SECONDS,
    IDLE_SECONDS,
    LONGEST_IDLE_SECONDS,
    SHARE,
    FlushClock,
)


class Clocks:
    """The clocks of a process, which a test moves.

    :ivar wall: seconds that have passed.
    :ivar cpu: seconds of CPU that the thread has used.
    """

    def __init__(self) -> None:
        self.wall = 1000.0
        self.cpu = 0.0

    def monotonic(self) -> float:
        return self.wall

    def thread_time(self) -> float:
        return self.cpu


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    made = Clocks()
    monkeypatch.setattr(flush_clock, "time", made)
    return made


def flushed(clocks: Clocks, cost: float) -> FlushClock:
    clock = FlushClock()
    with clock.flushing():
        clocks.cpu += cost
    return clock


def interval(clock: FlushClock, clocks: Clocks, *, idle: bool) -> float:
    """Seconds until a flush is due."""
    began = clocks.wall
    while not clock.is_due(idle=idle):
        clocks.wall += 0.01
    return clocks.wall - began


def test_the_first_flush_is_due_at_once(clocks: Clocks) -> None:
    assert FlushClock().is_due(idle=False)


@pytest.mark.parametrize(
    ("cost", "seconds"),
    [
        (0.0, IDLE_SECONDS),
        (0.001, IDLE_SECONDS),
        (SHARE * 1.5, 1.5),
        (10.0, LONGEST_IDLE_SECONDS),
    ],
)
def test_an_idle_flush_waits_for_as_long_as_the_last_one_was_dear(
    clocks: Clocks, cost: float, seconds: float
) -> None:
    clock = flushed(clocks, cost)
    assert interval(clock, clocks, idle=True) == pytest.approx(seconds, abs=0.02)


def test_a_busy_flush_has_an_interval_of_its_own(clocks: Clocks) -> None:
    clock = flushed(clocks, 0.03)
    assert interval(clock, clocks, idle=False) == pytest.approx(BUSY_SECONDS, abs=0.02)


def test_a_flush_of_nothing_makes_the_next_one_soon_again(clocks: Clocks) -> None:
    clock = flushed(clocks, 10.0)
    with clock.flushing():
        pass
    assert interval(clock, clocks, idle=True) == pytest.approx(IDLE_SECONDS, abs=0.02)
