"""Engine of one of the requests that share a scan: each query runs over the smallest table that has
its events and fields."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from k8sidx.backends.embedded.engine.bitset import Bitset
from k8sidx.backends.embedded.engine.rollup import Database, Rolled, quoted
from k8sidx.backends.embedded.storage.columns import COMPUTED, ID, TIME
from k8sidx.backends.ordering import Row, finish_rows
from k8sidx.backends.result import Result
from k8sidx.events.fields.lookup import resolve
from k8sidx.query.algebra import NEVER, Condition, Metric, Query, Terms, fields_of
from k8sidx.query.bounds import implies

NUMBER = "number of keys"
"""Column that numbers an event's values of the leading dimensions."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """One requester's part of a table of gathered events.

    :param fields: its stored fields.
    :param numbers: the lowest and the highest ``NUMBER`` of its events, which selects most of them.
    :param combinations: rows of the roll-up that the selected events can have.
    """

    table: str
    fields: frozenset[str]
    numbers: tuple[int, int]
    combinations: Bitset

    def source(self, columns: Iterable[str]) -> str:
        """Return the SQL of the events, with some columns: to plan for them all takes long."""
        return (
            f'(SELECT {quoted(sorted(columns))} FROM "{self.table}" '
            f'WHERE "{NUMBER}" BETWEEN ? AND ?) AS events'
        )


def columns_of(fields: frozenset[str]) -> frozenset[str]:
    """Return the columns that fields are read from."""
    columns = {name for name in fields if name == ID or name not in COMPUTED}
    if "event.duration" in fields:
        columns |= {"stageTimestamp", "requestReceivedTimestamp"}
    return frozenset(columns)


@dataclass(slots=True)
class RoutedEngine:
    """Runs queries over the smallest table that contains their events and fields.

    :param gathered: a table with all events of the conditions, when there is one.
    :param none: the conditions hold for no event.
    :param between: time range of the tables.
    """

    database: Database
    conditions: tuple[Condition, ...]
    rolled: Rolled
    gathered: Gathered | None
    none: bool
    between: tuple[datetime | None, datetime | None]
    name: str = "duckdb"

    def run(self, query: Query) -> Result:
        """Run the query; see :class:`k8sidx.backends.protocol.Engine`."""
        meant = any(implies(query.where, condition) for condition in self.conditions)
        within = self._within(query)
        if meant and within and self.none:
            return _of_nothing(query)
        gathered = self.gathered
        if self._rolls(query):
            # Without its time range, which is that of the whole roll-up.
            where = self.rolled.materialized(query.where)
            asked = dataclasses.replace(query, where=where, since=None, until=None)
            return self.database.answer(asked, self.rolled.table.source, rolled=True)
        if meant and within and gathered and columns_of(_fields(query)) <= gathered.fields:
            return self._of_gathered(query, gathered)
        if within:
            where = self.rolled.specialized(query.where, self.rolled.every)
            query = query.replace(where=self.rolled.materialized(where))
        return self.database.run(query)

    def _of_gathered(self, query: Query, gathered: Gathered) -> Result:
        where = self.rolled.specialized(query.where, gathered.combinations)
        if where == NEVER:
            return _of_nothing(query)
        query = query.replace(where=self.rolled.materialized(where))
        source = gathered.source(columns_of(_fields(query)) | {ID, TIME})
        return self.database.answer(query, source, gathered.numbers)

    def _within(self, query: Query) -> bool:
        since, until = self.between
        return (since is None or (query.since is not None and query.since >= since)) and (
            until is None or (query.until is not None and query.until <= until)
        )

    def _rolls(self, query: Query) -> bool:
        if query.select or (query.since, query.until) != self.between:
            return False
        keys = [key for key in query.group_by if not isinstance(key, Terms)]
        if keys or not all(_can_roll(metric) for metric in query.metrics):
            return False
        fields = _fields(query, but=TIME)
        return fields <= self.rolled.table.fields


def _can_roll(metric: Metric) -> bool:
    if metric.kind in ("min", "max"):
        return resolve(metric.field).field.name == TIME
    return metric.kind in ("count", "count_distinct")


def _fields(query: Query, but: str = "") -> frozenset[str]:
    """Return the stored fields of a query; with ``but``, without it in time range and metrics."""
    names = {path.field.name for path in fields_of(query)}
    if but:
        tested = fields_of(Query(where=query.where, metrics=(Metric("n", "count"),)))
        names -= {but} - {path.field.name for path in tested}
    return frozenset(names)


def _of_nothing(query: Query) -> Result:
    """Return the result for no events."""
    if query.select or query.group_by:
        return Result(query.columns, [], "duckdb")
    row: Row = [
        0 if metric.kind in ("count", "present", "count_distinct") else None
        for metric in query.metrics
    ]
    return Result(query.columns, [tuple(values) for values in finish_rows(query, [row])], "duckdb")
