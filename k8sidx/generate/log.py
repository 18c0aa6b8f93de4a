"""A whole log: ordinary work and attacks, a line at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from heapq import merge
from itertools import islice
from random import Random
from typing import Any

from k8sidx.errors import UsageError
from k8sidx.generate.labels import labels_of
from k8sidx.generate.ordinary import MOST_PEOPLE, Line, OrdinaryWork, rate_for
from k8sidx.generate.plan import Plan
from k8sidx.generate.platforms import EGRESS, PLATFORMS
from k8sidx.generate.platforms.model import LARGEST_SHARE, PlatformWork
from k8sidx.generate.traffic import load_traffic

LEAST_SPAN = timedelta(hours=1)
MOST_SPAN = timedelta(days=3660)
YEARS = range(1970, 9000)
"""In which a log may begin: timestamps have four digits of a year, and it needs room to end."""

MEAN_LINE = 2080
"""Bytes of a line, on average: what a size is reckoned by; measured on the model."""

_OF_CLUSTER = re.compile(rb'(?<="sourceIPs":\[")10\.(?:0\.1\.1[1-9]|244\.\d+\.\d+)(?="])')
"""Addresses of the recording's nodes and pods."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Properties of the log.

    :param events: how many lines; an estimate when ``size`` is given.
    :param size: most bytes of it, or ``None``.
    :param attacks: ids of hunts.
    :param people: number of people who work with the cluster.
    :param platform: whose own identities work with it as well; empty for none.
    """

    events: int
    size: int | None
    seed: int
    since: datetime
    span: timedelta
    people: int
    attacks: tuple[str, ...]
    platform: str = ""


class Log:
    """The log, whose labels are complete once all lines were read.

    :raises UsageError: when it cannot be made so.
    """

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        if not LEAST_SPAN <= wanted.span <= MOST_SPAN:
            raise UsageError(
                "the span is too short or too long.", remedy="Give 1h to 3660d, such as 1d."
            )
        if wanted.since.year not in YEARS:
            raise UsageError(
                f"a log cannot begin in the year {wanted.since.year}.",
                remedy="Give a time such as 2026-11-23T00:00:00Z.",
            )
        self._plan = Plan(wanted.attacks, wanted.since, wanted.span, wanted.events, wanted.seed)
        if not 1 <= wanted.people <= MOST_PEOPLE:
            raise UsageError(
                f"{wanted.people} people are not possible.", remedy=f"Give 1 to {MOST_PEOPLE}."
            )
        self._platform = PlatformWork(
            PLATFORMS.get(wanted.platform, ()),
            wanted.since,
            wanted.span,
            int((wanted.events - self._plan.own_events) * LARGEST_SHARE),
            wanted.seed,
        )
        if self._ordinary <= 0:
            raise UsageError(
                f"the attacks alone are {self._plan.own_events:,} events.",
                remedy="Ask for more events, or for fewer attacks.",
            )

    def lines(self) -> Iterator[bytes]:
        """The lines, in the order in which the API server completed the requests."""
        if self._wanted.size is None:
            yield from self._merged
            return
        left = self._wanted.size
        for line in self._merged:
            left -= len(line)
            if left < 0:
                return
            yield line

    def labels(self) -> dict[str, Any]:
        """The planted attacks."""
        return labels_of(self._plan, self._wanted.people)

    @property
    def _ordinary(self) -> int:
        return self._wanted.events - self._plan.own_events - self._platform.events

    @cached_property
    def _merged(self) -> Iterator[bytes]:
        wanted = self._wanted
        traffic = load_traffic()
        rate = rate_for(traffic, self._ordinary, wanted.since, wanted.span, wanted.people)
        random = Random(wanted.seed)  # noqa: S311 - repeatable
        work = OrdinaryWork(traffic, wanted.since, rate, wanted.people, random)
        lines = work.lines()
        if egress := EGRESS.get(wanted.platform):
            lines = (_from_outside(line, egress) for line in lines)
        if wanted.size is None:
            lines = islice(lines, self._ordinary)  # the attacks take place, all of them
        streams = [lines, *self._platform.lines(), *self._plan.lines()]
        return (line.text for line in merge(*streams, key=lambda line: line.stage))


def _from_outside(line: Line, address: str) -> Line:
    """Return the line with another address for those of nodes and pods."""
    return Line(line.stage, _OF_CLUSTER.sub(address.encode(), line.text))
