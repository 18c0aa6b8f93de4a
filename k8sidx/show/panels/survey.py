"""What a report tells of the log itself: how it went over time, and what is missing in it."""

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
"""Time lines of the dashboards that a report shows, too."""
TABLES = ("by-level", "by-stage", "clusters", "quality")
"""Panels about the log's quality."""

POINTS = 72
"""About so many intervals make a time line that one can read."""
_INTERVALS = tuple(
    timedelta(seconds=seconds)
    for seconds in (1, 5, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200,
                    86400, 604800, 2592000)
)  # fmt: skip
_LONGEST = _INTERVALS[-1]
_MISSING_INTERVALS = 3
"""So many intervals without any event, in a log that has some on both sides, are a gap."""


@dataclass(frozen=True, slots=True)
class TimeSeries:
    """A time line.

    :param interval: length of an interval.
    :param starts: beginnings of all intervals from the first to the last.
    :param series: counts of each interval, by name; the largest series first.
    """

    panel: Panel
    interval: timedelta
    starts: tuple[datetime, ...]
    series: tuple[tuple[str, tuple[float, ...]], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A panel's rows."""

    panel: Panel
    rows: list[tuple[Value, ...]]


@dataclass(frozen=True, slots=True)
class Gap:
    """A time without events."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Survey:
    """The log at a glance.

    :param truncated: events whose bodies were cut.
    :param undated: events without a time, which no window has.
    """

    lines: tuple[TimeSeries, ...]
    tables: tuple[Table, ...]
    gaps: tuple[Gap, ...]
    truncated: int
    undated: int


def survey(engine: Engine, since: datetime | None, until: datetime | None) -> Survey:
    """Look over the events of a time.

    :raises StoreError: when the store cannot be read.
    """
    first, last = _extent(engine, since, until)
    panels = {one.id: one for each in dashboards() for one in each.panels}
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
    return next((one for one in _INTERVALS if one >= wanted), _LONGEST)


def _starts(first: datetime, last: datetime, interval: timedelta) -> tuple[datetime, ...]:
    epoch = datetime(1970, 1, 1, tzinfo=first.tzinfo)
    begin = epoch + (first - epoch) // interval * interval
    count = min((last - begin) // interval + 1, POINTS * 100)
    return tuple(begin + at * interval for at in range(count))


def _line(
    panel: Panel,
    engine: Engine,
    interval: timedelta,
    starts: Sequence[datetime],
    since: datetime | None,
    until: datetime | None,
) -> TimeSeries:
    query = replace(panel.over(interval), since=since, until=until)
    place = {start: at for at, start in enumerate(starts)}
    series: dict[str, list[float]] = {}
    for start, *names, count in engine.run(query).rows:
        name = str(names[0]) if names else COUNT.name
        values = series.setdefault(name, [0.0] * len(starts))
        at = place.get(start) if isinstance(start, datetime) else None
        if at is not None and isinstance(count, int | float):
            values[at] += count
    largest = sorted(series.items(), key=lambda one: (-sum(one[1]), one[0]))
    shown = tuple((name, tuple(values)) for name, values in largest)
    return TimeSeries(panel, interval, tuple(starts), shown)


def _gaps(
    line: TimeSeries, engine: Engine, since: datetime | None, until: datetime | None
) -> list[Gap]:
    """Times within the log in which nothing was logged, of several intervals at least."""
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
    found = rows[0][0] if rows else 0
    return int(found) if isinstance(found, int | float) else 0
