"""Time windows: the current time of a hunt and the baseline before it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from k8sidx.backends.protocol import Engine
from k8sidx.hunt.kinds.evidence import COUNT, as_count
from k8sidx.query.algebra import And, Compare, Condition, DateHistogram, Key, Metric, Or, Query

CLUSTER = "orchestrator.cluster.name"

LEAST_HISTORY = 0.1
"""Share of the baseline that the data must cover for a comparison."""

EXTENT = Query(metrics=(Metric("first", "min", "@timestamp"), Metric("last", "max", "@timestamp")))
"""Times of the first and the last event."""


@dataclass(frozen=True, slots=True)
class Window:
    """Time window that the user requested; ``None`` where it is not limited.

    :param since: first moment (timezone-aware).
    :param until: first moment after it (timezone-aware).
    :param baseline: length of the time before, to compare with.
    :param clusters: names of the clusters that the events are of, ``None`` for those without
        one; several are judged each by itself.
    :param through_proxies: the requests that trusted proxies sent for people; ``None`` where
        there are none.
    """

    since: datetime | None = None
    until: datetime | None = None
    baseline: timedelta | None = None
    clusters: tuple[str | None, ...] = ()
    through_proxies: Condition | None = None

    @property
    def by_cluster(self) -> bool:
        """Whether keys, windows and baselines are those of each cluster."""
        return len(self.clusters) > 1


WHOLE = Window()
"""All events, as those of one cluster."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Times of the first and the last event before the window's end; ``None`` without events."""

    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, slots=True)
class Spans:
    """The current time ``[since, until)`` and the baseline, ``[start, since)``.

    :param until: ``None`` for up to the newest event.
    """

    start: datetime
    since: datetime
    until: datetime | None


def in_any(spans: Iterable[tuple[datetime, datetime]]) -> Condition:
    """Return the condition of events in any of the times ``[since, until)``."""
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


def count_events(where: Condition, engine: Engine, window: Window) -> int:
    """Return the number of the window's events that match a condition."""
    query = Query(where=where, since=window.since, until=window.until, metrics=(COUNT,))
    return as_count(engine.run(query).rows[0][0])


def extent_of(engine: Engine, window: Window) -> Extent:
    """Return the extent of the data up to the window's end."""
    rows = engine.run(EXTENT.replace(until=window.until)).rows
    first, last = rows[0] if rows else (None, None)
    return Extent(
        first if isinstance(first, datetime) else None, last if isinstance(last, datetime) else None
    )


def count_by_interval(where: Condition, interval: timedelta, *keys: Key) -> Query:
    """Return the query for the events of each interval, and of each key in it."""
    return Query(
        where=where, group_by=(DateHistogram(interval, "interval"), *keys), metrics=(COUNT,)
    )


def compared_spans(
    window: Window, extent: Extent, current: timedelta, before: timedelta
) -> Spans | None:
    """Return the current time and its baseline; ``None`` when no event has a time.

    :param current: length of the current time when no ``since`` was requested; it ends
        at ``until``, else with the newest event.
    :param before: length of the baseline when none was requested.
    """
    if extent.last is None:
        return None
    since = window.since or (window.until or extent.last) - current
    return Spans(since - (window.baseline or before), since, window.until)


def reaches_back(extent: Extent, spans: Spans) -> bool:
    """Whether the data cover enough of the baseline for a comparison."""
    if extent.first is None:
        return False
    needed = (spans.since - spans.start) * LEAST_HISTORY
    return extent.first <= spans.since - needed
