"""Survey of the log for a report: time series, quality tables and gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Value
from k8sidx.query.algebra import DateHistogram, Metric, Not, Present, Query
from k8sidx.show.panels.library import dashboards
from k8sidx.show.panels.panel import COUNT, Panel

CHARTS = (
    "outcome-over-time",
    "kinds-over-time",
    "failures-over-time",
    "secrets-over-time",
    "exec-over-time",
    "rbac-over-time",
)
"""Time series of the dashboards that a report also shows."""
TABLES = ("by-level", "by-stage", "clusters", "quality")
"""Panels about the quality of the log."""

POINTS = 72
"""Approximate number of intervals of a readable time series."""
_INTERVALS = tuple(
    timedelta(seconds=seconds)
    for seconds in (1, 5, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200,
                    86400, 604800, 2592000)
)  # fmt: skip
_LONGEST = _INTERVALS[-1]
_MISSING_INTERVALS = 3
"""Number of intervals without events, between others with events, that make a gap."""


@dataclass(frozen=True, slots=True)
class TimeSeries:
    """A time series.

    :param interval: length of an interval.
    :param starts: start times of all intervals from the first to the last.
    :param series: counts of each interval, by name; the largest series first.
    """

    panel: Panel
    interval: timedelta
    starts: tuple[datetime, ...]
    series: tuple[tuple[str, tuple[float, ...]], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of a panel."""

    panel: Panel
    rows: list[tuple[Value, ...]]


@dataclass(frozen=True, slots=True)
class Gap:
    """A period without events."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Survey:
    """Time series, tables and gaps of a log.

    :param truncated: events with truncated bodies.
    :param undated: events without a time, which are in no window.
    """

    lines: tuple[TimeSeries, ...]
    tables: tuple[Table, ...]
    gaps: tuple[Gap, ...]
    truncated: int
    undated: int


def survey(engine: Engine, since: datetime | None, until: datetime | None) -> Survey:
    """Query the events of a period.

    :raises StoreError: when the store cannot be read.
    """
    first, last = _extent(engine, since, until)
    panels = {panel.id: panel for dashboard in dashboards() for panel in dashboard.panels}
    interval = _interval(first, last)
    lines = []
    if first is not None and last is not None:
        starts = _starts(first, last, interval)
        lines = [
            _line(panel, engine, interval, starts, since, until)
            for name in CHARTS
            if isinstance(panel := panels[name], Panel)
        ]
    tables = [
        Table(panel, engine.run(replace(panel.query, since=since, until=until)).rows)
        for name in TABLES
        if isinstance(panel := panels[name], Panel)
    ]
    return Survey(
        tuple(line for line in lines if line.series),
        tuple(tables),
        tuple(_gaps(lines[0], engine, since, until)) if lines else (),
        _count(engine, Query(where=Present("event.truncated"), since=since, until=until,
                             metrics=(COUNT,))),
        _count(engine, Query(where=Not(Present("@timestamp")), metrics=(COUNT,))),
    )  # fmt: skip


def _extent(
    engine: Engine, since: datetime | None, until: datetime | None
) -> tuple[datetime | None, datetime | None]:
    metrics = (Metric("first", "min", "@timestamp"), Metric("last", "max", "@timestamp"))
    rows = engine.run(Query(since=since, until=until, metrics=metrics)).rows
    first, last = rows[0] if rows else (None, None)
    if isinstance(first, datetime) and isinstance(last, datetime):
        return first, last
    return None, None


def _interval(first: datetime | None, last: datetime | None) -> timedelta:
    if first is None or last is None:
        return _INTERVALS[0]
    wanted = (last - first) / POINTS
    return next((interval for interval in _INTERVALS if interval >= wanted), _LONGEST)


def _starts(first: datetime, last: datetime, interval: timedelta) -> tuple[datetime, ...]:
    epoch = datetime(1970, 1, 1, tzinfo=first.tzinfo)
    begin = epoch + (first - epoch) // interval * interval
    count = min((last - begin) // interval + 1, POINTS * 100)
    return tuple(begin + number * interval for number in range(count))


def _line(
    panel: Panel,
    engine: Engine,
    interval: timedelta,
    starts: Sequence[datetime],
    since: datetime | None,
    until: datetime | None,
) -> TimeSeries:
    query = replace(panel.over(interval), since=since, until=until)
    index = {start: number for number, start in enumerate(starts)}
    series: dict[str, list[float]] = {}
    for start, *names, count in engine.run(query).rows:
        name = str(names[0]) if names else COUNT.name
        values = series.setdefault(name, [0.0] * len(starts))
        number = index.get(start) if isinstance(start, datetime) else None
        if number is not None and isinstance(count, int | float):
            values[number] += count
    largest = sorted(series.items(), key=lambda item: (-sum(item[1]), item[0]))
    shown = tuple((name, tuple(values)) for name, values in largest)
    return TimeSeries(panel, interval, tuple(starts), shown)


def _gaps(
    line: TimeSeries, engine: Engine, since: datetime | None, until: datetime | None
) -> list[Gap]:
    """Return the periods within the log, of several intervals at least, without events."""
    query = Query(
        since=since,
        until=until,
        group_by=(DateHistogram(line.interval, "start"),),
        metrics=(Metric("events", "count"),),
    )
    seen = {row[0] for row in engine.run(query).rows}
    gaps: list[Gap] = []
    empty: list[datetime] = []
    for start in line.starts:
        if start not in seen:
            empty.append(start)
            continue
        if len(empty) >= _MISSING_INTERVALS:
            gaps.append(Gap(empty[0], start))
        empty = []
    return gaps


def _count(engine: Engine, query: Query) -> int:
    rows = engine.run(query).rows
    count = rows[0][0] if rows else 0
    return int(count) if isinstance(count, int | float) else 0
