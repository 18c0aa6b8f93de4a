"""Events of a correlation by key: the intervals that matter, and their events in order.

A correlation looks for many events, or for different ones, of one key within a time span.
Every window of that span lies within two adjacent intervals of its length. So an
aggregation by key and interval finds where there can be a window, and only the events
there are read and looked at exactly, in order of time.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Value
from k8sidx.events.fields.lookup import resolve
from k8sidx.hunt.definition import Base
from k8sidx.hunt.kinds.evidence import OPENING, sortable, whole
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
PIECES_AT_ONCE = 100
"""How much one query reads, at most, where intervals allow."""

CONTEXT = ("event.id", "@timestamp", "stage", "auditID", "requestReceivedTimestamp", "source.ip",
           "target.resource")  # fmt: skip
"""Fields that every correlation reads beside its own."""

_READ = ("auditID", "requestReceivedTimestamp", "stage", "@timestamp", "source.ip",
         "target.resource", "event.id")  # fmt: skip

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
        fields = max(1, *(len(base.group_by) for base in self._bases))
        at_once = min(KEYS_AT_ONCE, max(1, CLAUSES_AT_ONCE // fields))
        while batch := list(itertools.islice(keys, at_once)):
            counts = [one for key in batch for one in intervals[key].items()]
            yield batch, self._in_order(set(batch), counts)

    def _in_order(
        self, keys: set[GroupKey], counts: Sequence[tuple[datetime, int]]
    ) -> Iterator[Seen]:
        readers = [_BaseReader(place, base, keys) for place, base in enumerate(self._bases)]
        for pieces in _portions(counts, self._timespan, self._window):
            found = [
                (moment, place, seen)
                for place, reader in enumerate(readers)
                for moment, seen in reader.read(self._engine, pieces)
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
        self.key_at = [self.select.index(name) for name in base.group_by]
        self.values_at = [self.select.index(name) for name in base.values]
        self.at = [self.select.index(name) for name in _READ]

    def read(
        self, engine: Engine, pieces: Sequence[Piece]
    ) -> list[tuple[tuple[datetime, int], Seen]]:
        query = Query(
            where=self.where
            if len(pieces) == 1
            else And((self.where, in_any((one.since, one.until) for one in pieces))),
            since=pieces[0].since,
            until=pieces[-1].until,
            select=self.select,
            order=(Order("@timestamp"),),
        )
        timed = [(self.moment(row), row) for row in engine.run(query).rows]
        timed.sort(key=lambda one: one[0])
        return [
            (moment, Seen(self.place, key, self.request(moment[0], row)))
            for moment, row in timed
            for key in _combinations(row, self.key_at)
            if key in self.keys
            and self.open[key].is_new(row[self.at[0]], row[self.at[1]], row[self.at[2]])
        ]

    def moment(self, row: tuple[Value, ...]) -> tuple[datetime, int]:
        """Orders events by time, and events of one moment by stage."""
        time, stage = row[self.at[3]], row[self.at[2]]
        if not isinstance(time, datetime):
            raise TypeError("events of a time range have a time")
        return time, OPENING.index(str(stage)) if stage in OPENING else len(OPENING)

    def request(self, time: datetime, row: tuple[Value, ...]) -> Request:
        values = _combinations(row, self.values_at) if self.values_at else []
        return Request(
            time,
            tuple(one for one in values if any(part is not None for part in one)),
            str(row[self.at[0]] or ""),
            str(row[self.at[4]] or ""),
            str(row[self.at[5]] or ""),
            str(row[self.at[6]]),
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


def _combinations(row: tuple[Value, ...], places: Sequence[int]) -> list[GroupKey]:
    """The row's values of some fields; one of each for fields with many."""
    values = [row[place] for place in places]
    if list not in map(type, values):
        return [tuple(values)]
    lists: list[list[Value]] = []
    for value in values:
        distinct = dict.fromkeys(map(_hashable, value)) if isinstance(value, list) else [value]
        lists.append(list(distinct) or [None])
    return [tuple(one) for one in itertools.product(*lists)]


def _equal(name: str, value: Value) -> Condition:
    if isinstance(value, str | int | float):
        return Compare(name, "=", value)
    raise TypeError(f"{resolve(name).field.name} makes no groups")


def _hashable(value: Value) -> Value:
    return str(value) if isinstance(value, list) else value


class Piece(NamedTuple):
    """A time to read, with the events that are known to lie in it."""

    since: datetime
    until: datetime
    events: int


def _portions(
    counts: Sequence[tuple[datetime, int]], timespan: timedelta, window: Window
) -> Iterator[list[Piece]]:
    """The pieces, as many at once as one query should read."""
    portion: list[Piece] = []
    for piece in _pieces(counts, timespan, window):
        held = sum(one.events for one in portion)
        if portion and (held + piece.events > EVENTS_AT_ONCE or len(portion) == PIECES_AT_ONCE):
            yield portion
            portion = []
        portion.append(piece)
    if portion:
        yield portion


def _pieces(
    counts: Sequence[tuple[datetime, int]], timespan: timedelta, window: Window
) -> Iterator[Piece]:
    """Times to read, without overlap: the intervals that matter and their neighbours.

    A window that is looked for touches such an interval, so it lies in these.
    """
    events: dict[datetime, int] = {}
    for start, count in counts:
        for place in (-1, 0, 1):
            moment = start + place * timespan
            events[moment] = events.get(moment, 0) + (count if not place else 0)
    piece: Piece | None = None
    for start in sorted(events):
        held = events[start]
        if piece and start <= piece.until and piece.events + held <= EVENTS_AT_ONCE:
            piece = Piece(piece.since, start + timespan, piece.events + held)
            continue
        if piece:
            yield from _within(piece, window)
        piece = Piece(start, start + timespan, held)
    if piece:
        yield from _within(piece, window)


def _within(piece: Piece, window: Window) -> Iterator[Piece]:
    since = max(piece.since, window.since) if window.since else piece.since
    until = min(piece.until, window.until) if window.until else piece.until
    if since < until:
        yield Piece(since, until, piece.events)
