"""Events of a correlation by key: the intervals that matter, and their events in order.

A correlation looks for many events, or for different ones, of one key within a time span.
Every window of that span lies within two adjacent intervals of its length. So an
aggregation by key and interval finds where there can be a window, and only the events
there are read and looked at exactly, in order of time.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from k8sidx.engine.protocol import Engine
from k8sidx.engine.result import Value
from k8sidx.fields.lookup import resolve
from k8sidx.hunt.definition import Base
from k8sidx.hunt.match import OPENING, sortable, whole
from k8sidx.hunt.sliding import OpenRequests, Request
from k8sidx.hunt.window import Window
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
EVENTS_AT_ONCE = 200_000
"""How much one query reads, at most, where intervals allow."""

CONTEXT = ("event.id", "@timestamp", "stage", "auditID", "requestReceivedTimestamp", "source.ip",
           "target.resource")  # fmt: skip
"""Fields that every correlation reads beside its own."""

GroupKey = tuple[Value, ...]
Intervals = dict[GroupKey, dict[datetime, int]]
"""Events by key and start of the interval."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A request of a key, at its first event that the base rule matched.

    :param base: place of the base rule.
    """

    base: int
    key: GroupKey
    request: Request


class KeyedEvents:
    """Reads the events of a correlation's base rules.

    :param timespan: length of the correlation's window, and so of an interval.
    """

    def __init__(
        self, bases: Sequence[Base], timespan: timedelta, engine: Engine, window: Window
    ) -> None:
        self._bases = bases
        self._timespan = timespan
        self._engine = engine
        self._window = window

    def intervals(self, base: Base, at_least: int = 1) -> Intervals:
        """For each key the intervals with so many events (or values) of the base rule."""
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
        found: Intervals = {}
        width = len(base.group_by)
        for row in self._engine.run(query).rows:
            start = row[width]
            if isinstance(start, datetime):
                found.setdefault(row[:width], {})[start] = whole(row[width + 1])
        return found

    def read(self, intervals: Intervals) -> Iterator[tuple[list[GroupKey], Iterator[Seen]]]:
        """For some keys at a time, their requests in the intervals and beside them, in order
        of time."""
        keys = iter(sorted(intervals, key=sortable))
        while batch := list(itertools.islice(keys, KEYS_AT_ONCE)):
            counts = [one for key in batch for one in intervals[key].items()]
            yield batch, self._in_order(set(batch), counts)

    def _in_order(
        self, keys: set[GroupKey], counts: Sequence[tuple[datetime, int]]
    ) -> Iterator[Seen]:
        readers = [_BaseReader(place, base, keys) for place, base in enumerate(self._bases)]
        for since, until in _pieces(counts, self._timespan, self._window):
            found = [
                (moment, place, seen)
                for place, reader in enumerate(readers)
                for moment, seen in reader.read(self._engine, since, until)
            ]
            found.sort(key=lambda one: one[:2])
            yield from (seen for _, _, seen in found)


class _BaseReader:
    """Reads the requests of one base rule, piece by piece of time."""

    def __init__(self, place: int, base: Base, keys: set[GroupKey]) -> None:
        self.place = place
        self.base = base
        self.keys = keys
        self.where = And((base.condition, _one_of(base.group_by, keys)))
        self.select = tuple(dict.fromkeys((*base.group_by, *base.values, *CONTEXT)))
        self.open = {key: OpenRequests() for key in keys}

    def read(
        self, engine: Engine, since: datetime, until: datetime
    ) -> list[tuple[tuple[datetime, int], Seen]]:
        query = Query(
            where=self.where,
            since=since,
            until=until,
            select=self.select,
            order=(Order("@timestamp"),),
        )
        rows = [dict(zip(self.select, row, strict=True)) for row in engine.run(query).rows]
        rows.sort(key=_moment)
        return [
            (_moment(row), Seen(self.place, key, self.request(row)))
            for row in rows
            for key in _combinations(row, self.base.group_by)
            if key in self.keys and self.open[key].is_new(
                row["auditID"], row["requestReceivedTimestamp"], row["stage"]
            )
        ]  # fmt: skip

    def request(self, row: Mapping[str, Value]) -> Request:
        values = _combinations(row, self.base.values) if self.base.values else []
        return Request(
            _moment(row)[0],
            tuple(one for one in values if any(part is not None for part in one)),
            str(row["auditID"] or ""),
            str(row["source.ip"] or ""),
            str(row["target.resource"] or ""),
            str(row["event.id"]),
        )


def _one_of(names: Sequence[str], keys: Iterable[GroupKey]) -> Condition:
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
            for key in sorted(keys, key=sortable)
        )
    )


def _combinations(row: Mapping[str, Value], names: Sequence[str]) -> list[GroupKey]:
    """The row's values of the fields; one of each for fields with many."""
    values = [row[name] for name in names]
    if not any(isinstance(value, list) for value in values):
        return [tuple(values)]
    lists: list[list[Value]] = []
    for value in values:
        distinct = dict.fromkeys(map(_hashable, value)) if isinstance(value, list) else [value]
        lists.append(list(distinct) or [None])
    return [tuple(one) for one in itertools.product(*lists)]


def _moment(row: Mapping[str, Value]) -> tuple[datetime, int]:
    """Orders events by time, and events of one moment by stage."""
    time, stage = row["@timestamp"], row["stage"]
    if not isinstance(time, datetime):
        raise TypeError("events of a time range have a time")
    return time, OPENING.index(str(stage)) if stage in OPENING else len(OPENING)


def _equal(name: str, value: Value) -> Condition:
    if isinstance(value, str | int | float):
        return Compare(name, "=", value)
    raise TypeError(f"{resolve(name).field.name} makes no groups")


def _hashable(value: Value) -> Value:
    return str(value) if isinstance(value, list) else value


def _pieces(
    counts: Sequence[tuple[datetime, int]], timespan: timedelta, window: Window
) -> Iterator[tuple[datetime, datetime]]:
    """Times to read, without overlap: the intervals that matter and their neighbours.

    A window that is looked for touches such an interval, so it lies in these.
    """
    events: dict[datetime, int] = {}
    for start, count in counts:
        for place in (-1, 0, 1):
            moment = start + place * timespan
            events[moment] = events.get(moment, 0) + (count if not place else 0)
    began: datetime | None = None
    ends, held = None, 0
    for start in sorted(events):
        if (
            began is not None
            and ends is not None
            and (start > ends or held + events[start] > EVENTS_AT_ONCE)
        ):
            yield from _within(began, ends, window)
            began, held = None, 0
        began = began or start
        ends, held = start + timespan, held + events[start]
    if began is not None and ends is not None:
        yield from _within(began, ends, window)


def _within(
    since: datetime, until: datetime, window: Window
) -> Iterator[tuple[datetime, datetime]]:
    since = max(since, window.since) if window.since else since
    until = min(until, window.until) if window.until else until
    if since < until:
        yield since, until
