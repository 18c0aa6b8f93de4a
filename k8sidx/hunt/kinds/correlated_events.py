"""Reader of a correlation's events by key, in order of time.

A correlation looks for many events, or for different ones, of one key within a time span.
Every window of that span lies within two adjacent intervals of its length. So an
aggregation by key and interval finds where there can be a window, and only the events
there are read and evaluated exactly, in order of time.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Value
from k8sidx.events.fields.lookup import resolve
from k8sidx.hunt.kinds.correlation import BaseRule
from k8sidx.hunt.kinds.evidence import OPENING, as_count, sort_key
from k8sidx.hunt.kinds.finding_key import caller_fields
from k8sidx.hunt.kinds.time_window import Window, in_any
from k8sidx.hunt.kinds.windows import OpenRequests, Request
from k8sidx.query.algebra import (
    And,
    Compare,
    Condition,
    DateHistogram,
    Having,
    Metric,
    Not,
    Or,
    Order,
    Present,
    Query,
    Terms,
)

KEYS_AT_ONCE = 200
CLAUSES_AT_ONCE = 600
"""Comparisons in the condition for those keys: clusters take 1,024 in one query by default
(indices.query.bool.max_clause_count), the hunt's own included."""
EVENTS_AT_ONCE = 200_000
PERIODS_AT_ONCE = 100
"""Maximum that one query reads, where intervals allow."""

CONTEXT = ("event.id", "@timestamp", "stage", "auditID", "requestReceivedTimestamp", "source.ip",
           "target.resource")  # fmt: skip
"""Fields that every correlation reads beside its own."""

_READ = ("auditID", "requestReceivedTimestamp", "stage", "@timestamp", "source.ip",
         "target.resource", "event.id")  # fmt: skip

GroupKey = tuple[Value, ...]
Intervals = dict[GroupKey, dict[datetime, int]]
"""Events by key and start of the interval."""


@dataclass(frozen=True, slots=True)
class RequestMatch:
    """A request of a key, at its first event that the base rule matched.

    :param base: index of the base rule.
    """

    base: int
    key: GroupKey
    request: Request


class KeyedEvents:
    """Reads the events of a correlation's base rules.

    :param timespan: length of the correlation's window, and so of an interval.
    :ivar bases: the rules with the fields that their events are grouped by.
    """

    def __init__(
        self, bases: Sequence[BaseRule], timespan: timedelta, engine: Engine, window: Window
    ) -> None:
        self.bases = tuple(
            replace(base, group_by=caller_fields(base.group_by, window)) for base in bases
        )
        self._timespan = timespan
        self._engine = engine
        self._window = window

    def intervals(self, base: BaseRule, at_least: int = 1) -> Intervals:
        """Return for each key the intervals with at least so many events or values of a rule."""
        metrics = [Metric("events", "count")]
        if len(base.values) == 1:
            metrics.append(Metric("values", "count_distinct", base.values[0]))
        query = Query(
            where=base.condition,
            since=self._window.since,
            until=self._window.until,
            group_by=(
                *(Terms(name, keep_missing=True) for name in base.group_by),
                DateHistogram(self._timespan, "interval"),
            ),
            metrics=tuple(metrics),
            having=(Having(metrics[-1].name, ">=", at_least),),
        )
        intervals: Intervals = {}
        width = len(base.group_by)
        for row in self._engine.run(query).rows:
            start = row[width]
            if isinstance(start, datetime):
                intervals.setdefault(row[:width], {})[start] = as_count(row[width + 1])
        return intervals

    def read(self, intervals: Intervals) -> Iterator[tuple[list[GroupKey], Iterator[RequestMatch]]]:
        """Yield batches of keys with their requests in the intervals and the adjacent ones.

        Requests are in order of time.
        """
        keys = iter(sorted(intervals, key=sort_key))
        fields = max(1, *(len(base.group_by) for base in self.bases))
        at_once = min(KEYS_AT_ONCE, max(1, CLAUSES_AT_ONCE // fields))
        while batch := list(itertools.islice(keys, at_once)):
            counts = [count for key in batch for count in intervals[key].items()]
            yield batch, self._in_order(set(batch), counts)

    def _in_order(
        self, keys: set[GroupKey], counts: Sequence[tuple[datetime, int]]
    ) -> Iterator[RequestMatch]:
        readers = [_BaseReader(index, base, keys) for index, base in enumerate(self.bases)]
        for periods in _batches(counts, self._timespan, self._window):
            matches = [
                (moment, index, match)
                for index, reader in enumerate(readers)
                for moment, match in reader.read(self._engine, periods)
            ]
            matches.sort(key=lambda timed: timed[:2])
            yield from (match for _, _, match in matches)


class _BaseReader:
    """Reads the requests of one base rule, period by period."""

    def __init__(self, index: int, base: BaseRule, keys: set[GroupKey]) -> None:
        self.index = index
        self.base = base
        self.keys = keys
        self.where = And((base.condition, _any_key(base.group_by, keys)))
        self.select = tuple(dict.fromkeys((*base.group_by, *base.values, *CONTEXT)))
        self.open = {key: OpenRequests() for key in keys}
        self.key_columns = [self.select.index(name) for name in base.group_by]
        self.value_columns = [self.select.index(name) for name in base.values]
        self.columns = [self.select.index(name) for name in _READ]

    def read(
        self, engine: Engine, periods: Sequence[Period]
    ) -> list[tuple[tuple[datetime, int], RequestMatch]]:
        query = Query(
            where=self.where
            if len(periods) == 1
            else And((self.where, in_any((period.since, period.until) for period in periods))),
            since=periods[0].since,
            until=periods[-1].until,
            select=self.select,
            order=(Order("@timestamp"),),
        )
        timed = [(self.moment(row), row) for row in engine.run(query).rows]
        timed.sort(key=lambda pair: pair[0])
        return [
            (moment, RequestMatch(self.index, key, self.request(moment[0], row)))
            for moment, row in timed
            for key in _combinations(row, self.key_columns)
            if key in self.keys
            and self.open[key].is_new(
                row[self.columns[0]], row[self.columns[1]], row[self.columns[2]]
            )
        ]

    def moment(self, row: tuple[Value, ...]) -> tuple[datetime, int]:
        """Return the sort key of an event: its time, and its stage among those of one moment."""
        time, stage = row[self.columns[3]], row[self.columns[2]]
        if not isinstance(time, datetime):
            raise TypeError("events of a time range have a time")
        return time, OPENING.index(str(stage)) if stage in OPENING else len(OPENING)

    def request(self, time: datetime, row: tuple[Value, ...]) -> Request:
        values = _combinations(row, self.value_columns) if self.value_columns else []
        return Request(
            time,
            tuple(item for item in values if any(part is not None for part in item)),
            str(row[self.columns[0]] or ""),
            str(row[self.columns[4]] or ""),
            str(row[self.columns[5]] or ""),
            str(row[self.columns[6]]),
        )


def _any_key(names: Sequence[str], keys: Iterable[GroupKey]) -> Condition:
    if not names:
        return And(())
    return Or(
        tuple(
            And(
                tuple(
                    Not(Present(name)) if value is None else _equal(name, value)
                    for name, value in zip(names, key, strict=True)
                )
            )
            for key in sorted(keys, key=sort_key)
        )
    )


def _combinations(row: tuple[Value, ...], columns: Sequence[int]) -> list[GroupKey]:
    """Return a row's values of some columns; every combination where a field has several."""
    values = [row[column] for column in columns]
    if list not in map(type, values):
        return [tuple(values)]
    lists: list[list[Value]] = []
    for value in values:
        distinct = dict.fromkeys(map(_hashable, value)) if isinstance(value, list) else [value]
        lists.append(list(distinct) or [None])
    return list(itertools.product(*lists))


def _equal(name: str, value: Value) -> Condition:
    if isinstance(value, str | int | float):
        return Compare(name, "=", value)
    raise TypeError(f"{resolve(name).field.name} cannot be grouped by")


def _hashable(value: Value) -> Value:
    return str(value) if isinstance(value, list) else value


class Period(NamedTuple):
    """A time to read, with the number of events in it as far as counted."""

    since: datetime
    until: datetime
    events: int


def _batches(
    counts: Sequence[tuple[datetime, int]], timespan: timedelta, window: Window
) -> Iterator[list[Period]]:
    """Yield as many periods at once as one query should read."""
    batch: list[Period] = []
    for period in _periods(counts, timespan, window):
        events = sum(other.events for other in batch)
        if batch and (events + period.events > EVENTS_AT_ONCE or len(batch) == PERIODS_AT_ONCE):
            yield batch
            batch = []
        batch.append(period)
    if batch:
        yield batch


def _periods(
    counts: Sequence[tuple[datetime, int]], timespan: timedelta, window: Window
) -> Iterator[Period]:
    """Yield the times to read, without overlap: the counted intervals and their neighbours.

    Every window of interest touches a counted interval, so it lies in these.
    """
    events: dict[datetime, int] = {}
    for start, count in counts:
        for offset in (-1, 0, 1):
            moment = start + offset * timespan
            events[moment] = events.get(moment, 0) + (count if not offset else 0)
    period: Period | None = None
    for start in sorted(events):
        more = events[start]
        if period and start <= period.until and period.events + more <= EVENTS_AT_ONCE:
            period = Period(period.since, start + timespan, period.events + more)
            continue
        if period:
            yield from _clipped(period, window)
        period = Period(start, start + timespan, more)
    if period:
        yield from _clipped(period, window)


def _clipped(period: Period, window: Window) -> Iterator[Period]:
    since = max(period.since, window.since) if window.since else period.since
    until = min(period.until, window.until) if window.until else period.until
    if since < until:
        yield Period(since, until, period.events)
