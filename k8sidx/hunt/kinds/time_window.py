"""The time that a hunt looks at, and the time that it compares it with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from k8sidx.backends.protocol import Engine
from k8sidx.query.algebra import And, Compare, Condition, Metric, Or, Query

LEAST_HISTORY = 0.1
"""Part of the time before that the data must reach back to be compared with."""


EXTENT = Query(metrics=(Metric("first", "min", "@timestamp"), Metric("last", "max", "@timestamp")))
"""How far the data reach."""


@dataclass(frozen=True, slots=True)
class Window:
    """What the user asked for; ``None`` is not asked for.

    :param since: first moment (timezone-aware).
    :param until: first moment after it (timezone-aware).
    :param baseline: length of the time before, to compare with.
    """

    since: datetime | None = None
    until: datetime | None = None
    baseline: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Extent:
    """How far the data reach (until the window's end); ``None`` without events."""

    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, slots=True)
class Spans:
    """The current time ``[since, until)`` and the time before, ``[start, since)``.

    :param until: ``None`` for up to the newest event.
    """

    start: datetime
    since: datetime
    until: datetime | None


def in_any(spans: Iterable[tuple[datetime, datetime]]) -> Condition:
    """Events of the times ``[since, until)``."""
    return Or(
        tuple(
            And(
                (
                    Compare("@timestamp", ">=", since.isoformat()),
                    Compare("@timestamp", "<", until.isoformat()),
                )
            )
            for since, until in spans
        )
    )


def extent_of(engine: Engine, window: Window) -> Extent:
    """How far the data reach."""
    rows = engine.run(EXTENT.replace(until=window.until)).rows
    first, last = rows[0] if rows else (None, None)
    return Extent(
        first if isinstance(first, datetime) else None, last if isinstance(last, datetime) else None
    )


def compared_spans(
    window: Window, extent: Extent, current: timedelta, before: timedelta
) -> Spans | None:
    """The two times; ``None`` when there are no events with a time.

    :param current: length of the current time when no ``since`` was asked for; it ends
        at ``until``, else with the newest event.
    :param before: length of the time before when no ``baseline`` was asked for.
    """
    if extent.last is None:
        return None
    since = window.since or (window.until or extent.last) - current
    return Spans(since - (window.baseline or before), since, window.until)


def reaches_back(extent: Extent, spans: Spans) -> bool:
    """Whether the data reach back far enough to say what was there before."""
    if extent.first is None:
        return False
    needed = (spans.since - spans.start) * LEAST_HISTORY
    return extent.first <= spans.since - needed
