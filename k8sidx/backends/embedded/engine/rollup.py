"""Roll-up of events: counts by the fields that most conditions test and that have few values.

A month has thousands of combinations of such values (verb, resource, user, code and so on),
not millions. DuckDB evaluates a comparison once for each value;
which combinations a condition can be about is then a matter of sets, kept as the bits of
whole numbers.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from k8sidx.backends.embedded.engine.bitset import NO_ROWS, Bitset
from k8sidx.backends.embedded.engine.sql import (
    ROLLED_COUNT,
    ROLLED_FIRST,
    ROLLED_LAST,
    condition_sql,
)
from k8sidx.backends.embedded.storage.columns import TIME
from k8sidx.backends.materialize import LONG, is_large, materialize
from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Result, Value
from k8sidx.events.fields.lookup import resolve
from k8sidx.query.algebra import (
    NEVER,
    Always,
    And,
    Compare,
    Condition,
    Leaf,
    Metric,
    Not,
    OneOf,
    Or,
    Present,
    Query,
    Terms,
    leaves,
    rewritten,
)

LEAVES_AT_ONCE = 100
"""Comparisons of one field in one statement."""

numbers = itertools.count()
"""Numbers in the names of tables."""


class Database(Engine, Protocol):
    """The engine that contains the tables."""

    def statement(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement."""

    def answer(
        self, query: Query, source: str, parameters: Sequence[Any] = (), *, rolled: bool = False
    ) -> Result:
        """Run a query over a table."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of DuckDB.

    :param fields: its stored fields.
    """

    name: str
    fields: frozenset[str]

    @property
    def source(self) -> str:
        return f'"{self.name}" AS events'


class Rolled:
    """The roll-up of a source's events.

    :param dimensions: stored fields to roll up by.
    :param source: SQL of the events, with its parameters.
    :ivar every: all combinations.
    """

    def __init__(
        self, database: Database, dimensions: Sequence[str], source: tuple[str, list[Any]]
    ) -> None:
        self._database = database
        self.table = Table(f"rolled {next(numbers)}", frozenset(dimensions))
        columns = quoted(dimensions)
        database.statement(
            f'CREATE TEMP TABLE "{self.table.name}" AS SELECT {columns}, '
            f'count(*) AS "{ROLLED_COUNT}", min("{TIME}") AS "{ROLLED_FIRST}", '
            f'max("{TIME}") AS "{ROLLED_LAST}" FROM {source[0]} GROUP BY ALL',
            source[1],
        )
        counts = database.statement(
            f'SELECT "{ROLLED_COUNT}" FROM {self.table.source} ORDER BY rowid'
        )
        self._counts = [row[0] for row in counts]
        self.every = Bitset.all(len(counts))
        self._matching: dict[Leaf, frozenset[Value]] = {}
        self._rows: dict[Leaf, Bitset] = {}
        self._rows_by_value: dict[str, dict[Value, list[int]]] = {}
        self._values: dict[str, list[Value]] = {}

    def evaluate(self, conditions: Iterable[Condition]) -> None:
        """Query the values for which the comparisons of these conditions hold.

        :raises UsageError: when DuckDB refuses a regular expression.
        """
        by_field: dict[str, dict[Leaf, None]] = {}
        for condition in conditions:
            for leaf in leaves(condition):
                name = resolve(leaf.field).field.name
                if name in self.table.fields and leaf not in self._matching:
                    by_field.setdefault(name, {})[leaf] = None
        for name, unique in by_field.items():
            comparisons = list(unique)
            for first in range(0, len(comparisons), LEAVES_AT_ONCE):
                self._evaluate(name, comparisons[first : first + LEAVES_AT_ONCE])

    def _evaluate(self, name: str, comparisons: Sequence[Leaf]) -> None:
        parameters: list[Any] = []
        tests = [
            f"({condition_sql(materialize(leaf, is_large, self.values), parameters)}) IS TRUE"
            for leaf in comparisons
        ]
        rows = self._database.statement(
            f'SELECT "{name}", {", ".join(tests)} '
            f'FROM (SELECT DISTINCT "{name}" FROM {self.table.source}) AS events',
            parameters,
        )
        values = [_hashable(row[0]) for row in rows]
        for position, leaf in enumerate(comparisons, 1):
            matching = (value for value, row in zip(values, rows, strict=True) if row[position])
            self._matching[leaf] = frozenset(matching)

    def values(self, field: str) -> Sequence[Value]:
        """Return the distinct values of a field that is a dimension."""
        if field not in self._values:
            ask = Query(group_by=(Terms(field, "value"),), metrics=(Metric("n", "count"),))
            result = self._database.answer(ask, self.table.source, rolled=True)
            self._values[field] = [row[0] for row in result.rows]
        return self._values[field]

    def combinations(self, condition: Condition) -> Bitset:
        """Return the combinations that a condition can be about, as rows of the table."""
        self.evaluate([condition])
        return self._bounds(condition).may

    def _rows_where(self, leaf: Leaf) -> Bitset:
        """Return the rows of the table for which a comparison holds that was evaluated."""
        if leaf not in self._rows:
            rows_of = self._rows_of(resolve(leaf.field).field.name)
            met = itertools.chain.from_iterable(rows_of[value] for value in self._matching[leaf])
            self._rows[leaf] = Bitset.of(met, len(self._counts))
        return self._rows[leaf]

    def specialized(self, condition: Condition, among: Bitset) -> Condition:
        """Return a condition that is equivalent for the events of some combinations: without the
        comparisons whose outcome these combinations determine.

        DuckDB takes longer to plan a long condition than to evaluate it for few events.
        Comparisons that were not evaluated for another condition stay.
        """
        return self._specialized(self._bounds(condition), among)

    def _bounds(self, condition: Condition) -> _Bounds:
        match condition:
            case Always():
                return _Bounds(condition, self.every, self.every)
            case And(parts):
                children = [self._bounds(part) for part in parts]
                may, must = self.every, self.every
                for child in children:
                    may, must = may & child.may, must & child.must
                return _Bounds(condition, may, must, children)
            case Or(parts):
                children = [self._bounds(part) for part in parts]
                may, must = NO_ROWS, NO_ROWS
                for child in children:
                    may, must = may | child.may, must | child.must
                return _Bounds(condition, may, must, children)
            case Not(part):
                child = self._bounds(part)
                return _Bounds(condition, self.every - child.must, self.every - child.may, [child])
        if condition not in self._matching:
            return _Bounds(condition, self.every, NO_ROWS)
        rows = self._rows_where(condition)
        return _Bounds(condition, rows, rows)

    def _specialized(self, bounds: _Bounds, among: Bitset) -> Condition:
        if not (among & bounds.may):
            return NEVER
        if not (among - bounds.must):
            return Always()
        match bounds.condition:
            case And():
                parts = []
                for child in sorted(bounds.parts, key=_is_open):
                    parts.append(self._specialized(child, among))
                    # What follows counts only where this one holds.
                    among &= child.may
                return And(tuple(part for part in parts if not isinstance(part, Always)))
            case Or():
                parts = []
                for child in sorted(bounds.parts, key=_is_open):
                    parts.append(self._specialized(child, among))
                    among -= child.must
                return Or(tuple(part for part in parts if part != NEVER))
            case Not():
                return Not(self._specialized(bounds.parts[0], among))
        return bounds.condition

    def _rows_of(self, name: str) -> dict[Value, list[int]]:
        """Return the rows of the table that have each value of a dimension."""
        if name not in self._rows_by_value:
            rows = self._database.statement(
                f'SELECT "{name}" FROM {self.table.source} ORDER BY rowid'
            )
            by_value: dict[Value, list[int]] = {}
            for row, (value,) in enumerate(rows):
                by_value.setdefault(_hashable(value), []).append(row)
            self._rows_by_value[name] = by_value
        return self._rows_by_value[name]

    def __len__(self) -> int:
        return len(self._counts)

    def events(self, combinations: Bitset) -> int:
        """Return the number of events that some combinations have."""
        return sum(combinations.select(self._counts))

    def materialized(self, condition: Condition) -> Condition:
        """Return an equivalent condition for these events, with patterns and networks replaced by
        the values for which they hold: a pattern is tested for each value, not each event."""
        self.evaluate(leaf for leaf in leaves(condition) if self._needs_values(leaf))
        return rewritten(condition, self._materialized)

    def _needs_values(self, leaf: Leaf) -> bool:
        """Whether a test for the values for which a comparison holds may be quicker."""
        return self._is_slow(leaf) and resolve(leaf.field).is_one_text

    def _is_slow(self, leaf: Leaf) -> bool:
        if isinstance(leaf, Present) or (isinstance(leaf, Compare) and not leaf.ignore_case):
            return False
        return resolve(leaf.field).field.name in self.table.fields

    def _materialized(self, leaf: Leaf) -> Condition:
        if not self._is_slow(leaf):
            return leaf
        path = resolve(leaf.field)
        if path.many or path.position is not None:
            return materialize(leaf, is_large, self.values)
        if not self._needs_values(leaf):
            return leaf
        met = self._matching[leaf]
        if len(met) > LONG and not is_large(leaf):
            return leaf
        return OneOf(leaf.field, tuple(sorted(str(value) for value in met)))


@dataclass(frozen=True, slots=True)
class _Bounds:
    """A condition with the combinations for whose events it may hold, and must hold."""

    condition: Condition
    may: Bitset
    must: Bitset
    parts: Sequence[_Bounds] = ()


def _is_open(bounds: _Bounds) -> bool:
    """Whether the combination alone does not determine if the condition holds."""
    return bounds.may != bounds.must


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def quoted(names: Iterable[str]) -> str:
    """Return names of columns as SQL."""
    return ", ".join(f'"{name}"' for name in names)
