"""Threshold hunts: many requests, or many different values, of one key within a time span.

Sigma correlations of the types event_count and value_count. Every window of the time span
lies within two adjacent intervals of that length, and one of the two holds at least half
of what the window holds. So an aggregation finds the keys and intervals that can reach the
threshold, and only their events are read and looked at exactly, in order of time.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from k8sidx.engine.protocol import Engine
from k8sidx.engine.result import Value
from k8sidx.fields.lookup import resolve
from k8sidx.hunt.definition import ThresholdHunt
from k8sidx.hunt.match import OPENING, sortable, whole
from k8sidx.hunt.result import Finding, HuntResult
from k8sidx.hunt.sentence import fill, lasting, shown, some, times
from k8sidx.hunt.sliding import Burst, OpenRequests, Request, Slider
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

CONTEXT = ("@timestamp", "stage", "auditID", "requestReceivedTimestamp", "source.ip",
           "target.resource")  # fmt: skip
"""Fields that every threshold hunt reads beside its own."""

GroupKey = tuple[Value, ...]


def run_threshold(hunt: ThresholdHunt, engine: Engine, window: Window) -> HuntResult:
    """One finding, and one row, for each key and burst."""
    search = _Search(hunt, engine, window)
    found = sorted(
        ((key, burst) for key, slider in search.run().items() for burst in slider.bursts),
        key=lambda one: (-one[1].requests, sortable(one[0]), one[1].first),
    )
    shown_values = ("values",) if hunt.values else ()
    rows: list[tuple[Value, ...]] = [
        (*key, burst.first, burst.last, *([len(burst.values)] if hunt.values else []),
         burst.requests)
        for key, burst in found
    ]  # fmt: skip
    return HuntResult(
        hunt.id,
        hunt.title,
        hunt.level,
        engine.name,
        exact=True,
        columns=(*hunt.group_by, "first_seen", "last_seen", *shown_values, "count"),
        rows=rows,
        findings=[_finding(hunt, key, burst) for key, burst in found],
        notes=search.notes(),
    )


class _Search:
    """One run of a threshold hunt."""

    def __init__(self, hunt: ThresholdHunt, engine: Engine, window: Window) -> None:
        self.hunt = hunt
        self.engine = engine
        self.window = window
        self.select = tuple(dict.fromkeys((*hunt.group_by, *hunt.values, *CONTEXT)))
        self.place = {name: place for place, name in enumerate(self.select)}

    def run(self) -> dict[GroupKey, Slider]:
        """All keys that may have bursts, with those that they have."""
        sliders: dict[GroupKey, Slider] = {}
        heavy = self.heavy()
        keys = iter(sorted(heavy, key=sortable))
        while batch := list(itertools.islice(keys, KEYS_AT_ONCE)):
            made = {
                key: Slider(self.hunt.timespan, self.hunt.at_least, distinct=bool(self.hunt.values))
                for key in batch
            }
            self.slide(made, [interval for key in batch for interval in heavy[key]])
            sliders |= made
        return sliders

    def heavy(self) -> dict[GroupKey, list[tuple[datetime, int]]]:
        """For each key the intervals with at least half of what the threshold asks for."""
        hunt = self.hunt
        half = math.ceil(hunt.at_least / 2)
        metrics = [Metric("events", "count")]
        if len(hunt.values) == 1:
            metrics.append(Metric("values", "count_distinct", hunt.values[0]))
        query = Query(
            where=hunt.condition,
            since=self.window.since,
            until=self.window.until,
            group_by=(
                *(Terms(name, keep_missing=True) for name in hunt.group_by),
                DateHistogram(hunt.timespan, "interval"),
            ),
            metrics=tuple(metrics),
            having=(Having(metrics[-1].name, ">=", half),),
        )
        found: dict[GroupKey, list[tuple[datetime, int]]] = {}
        width = len(hunt.group_by)
        for row in self.engine.run(query).rows:
            start = row[width]
            if isinstance(start, datetime):
                found.setdefault(row[:width], []).append((start, whole(row[width + 1])))
        return found

    def slide(self, sliders: Mapping[GroupKey, Slider], heavy: list[tuple[datetime, int]]) -> None:
        """Read the events of some keys around their heavy intervals, in order of time."""
        seen = {key: OpenRequests() for key in sliders}
        where = self.condition_of(list(sliders))
        for since, until in _pieces(heavy, self.hunt.timespan, self.window):
            rows = self.engine.run(
                Query(
                    where=where,
                    since=since,
                    until=until,
                    select=self.select,
                    order=(Order("@timestamp"),),
                )
            ).rows
            rows.sort(key=self.moment)
            for row in rows:
                for key in self.expanded(row, self.hunt.group_by):
                    if key in sliders and seen[key].is_new(
                        self.value(row, "auditID"),
                        self.value(row, "requestReceivedTimestamp"),
                        self.value(row, "stage"),
                    ):
                        sliders[key].add(self.request(row))

    def condition_of(self, keys: Sequence[GroupKey]) -> Condition:
        if not self.hunt.group_by:
            return self.hunt.condition
        each = tuple(
            And(
                tuple(
                    Not(Present(name)) if value is None else _equal(name, value)
                    for name, value in zip(self.hunt.group_by, key, strict=True)
                )
            )
            for key in keys
        )
        return And((self.hunt.condition, Or(each)))

    def expanded(self, row: tuple[Value, ...], names: Sequence[str]) -> list[GroupKey]:
        """The row's values of the fields; one of each for fields with many."""
        values = [self.value(row, name) for name in names]
        if not any(isinstance(value, list) for value in values):
            return [tuple(values)]
        lists: list[list[Value]] = []
        for value in values:
            distinct = dict.fromkeys(map(_hashable, value)) if isinstance(value, list) else [value]
            lists.append(list(distinct) or [None])
        return [tuple(one) for one in itertools.product(*lists)]

    def request(self, row: tuple[Value, ...]) -> Request:
        values = self.expanded(row, self.hunt.values) if self.hunt.values else []
        return Request(
            self.time(row),
            tuple(one for one in values if any(part is not None for part in one)),
            str(self.value(row, "auditID") or ""),
            str(self.value(row, "source.ip") or ""),
            str(self.value(row, "target.resource") or ""),
        )

    def moment(self, row: tuple[Value, ...]) -> tuple[datetime, int]:
        """Orders events by time, and events of one moment by stage."""
        stage = self.value(row, "stage")
        rank = OPENING.index(str(stage)) if stage in OPENING else len(OPENING)
        return self.time(row), rank

    def time(self, row: tuple[Value, ...]) -> datetime:
        time = self.value(row, "@timestamp")
        if not isinstance(time, datetime):
            raise TypeError("events of a time range have a time")
        return time

    def value(self, row: tuple[Value, ...], name: str) -> Value:
        return row[self.place[name]]

    def notes(self) -> tuple[str, ...]:
        """What could not be judged: events without a time are in no window."""
        timeless = Query(
            where=And((self.hunt.condition, Not(Present("@timestamp")))),
            metrics=(Metric("events", "count"),),
        )
        if self.window.since or self.window.until:
            return ()
        rows = self.engine.run(timeless).rows
        count = whole(rows[0][0]) if rows else 0
        if not count:
            return ()
        have = "event has" if count == 1 else "events have"
        return (f"cannot judge: {count:,} {have} no time.",)


def _equal(name: str, value: Value) -> Condition:
    if isinstance(value, str | int | float):
        return Compare(name, "=", value)
    raise TypeError(f"{resolve(name).field.name} makes no groups")


def _hashable(value: Value) -> Value:
    return str(value) if isinstance(value, list) else value


def _pieces(
    heavy: Sequence[tuple[datetime, int]], timespan: timedelta, window: Window
) -> Iterator[tuple[datetime, datetime]]:
    """Times to read, without overlap: the heavy intervals and their neighbours.

    A window that reaches the threshold touches a heavy interval, so it lies in these.
    """
    events: dict[datetime, int] = {}
    for start, count in heavy:
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


def _finding(hunt: ThresholdHunt, values: GroupKey, burst: Burst) -> Finding:
    key = dict(zip(hunt.group_by, values, strict=True))
    facts = {
        "times": times(burst.requests),
        "values": f"{len(burst.values):,}",
        "within": lasting(burst.last - burst.first, hunt.timespan),
        "sources": some(sorted(burst.sources), "address"),
        "resources": some(sorted(burst.resources), "resource"),
    }
    reason = hunt.reason
    if not reason:
        told = ", ".join(f"{name} {shown(name, value)}" for name, value in key.items())
        many = f", {facts['values']} different {' and '.join(hunt.values)}" if hunt.values else ""
        reason = f"{hunt.title}: {facts['times']}{many} within {facts['within']}"
        return _made(hunt, key, burst, f"{reason}{f' by {told}' if told else ''}")
    return _made(hunt, key, burst, fill(reason, key, facts))


def _made(hunt: ThresholdHunt, key: dict[str, Value], burst: Burst, reason: str) -> Finding:
    return Finding(
        hunt.id,
        hunt.level,
        key,
        burst.requests,
        burst.first,
        burst.last,
        reason,
        tuple(burst.audit_ids),
    )
