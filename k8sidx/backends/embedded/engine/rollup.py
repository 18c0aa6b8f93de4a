"""Events rolled up: counted by the fields that most conditions test and that have few values.

A month has thousands of combinations of such values (verb, resource, user, code and so on),
not millions. What a comparison says of each value is asked of DuckDB, once for each value;
which combinations a condition can be about is then a matter of sets, kept as the bits of
whole numbers.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from k8sidx.backends.embedded.engine.sql import (
    ROLLED_COUNT,
    ROLLED_FIRST,
    ROLLED_LAST,
    condition_sql,
)
from k8sidx.backends.embedded.storage.columns import TIME
from k8sidx.backends.materialize import LONG, narrowed, needs_narrowing
from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Result, Value
from k8sidx.events.fields.lookup import resolve
from k8sidx.events.fields.table import Kind
from k8sidx.query.algebra import (
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
from k8sidx.query.bounds import over_fields, projected

LEAVES_AT_ONCE = 100
"""Comparisons of one field that a statement has."""

_TRUTH = bytes.maketrans(b"01", b"\0\1")

numbers = itertools.count()
"""Tells tables apart."""


class Database(Engine, Protocol):
    """What the tables need of the engine that holds them."""

    def statement(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement."""

    def answer(
        self, query: Query, source: str, parameters: Sequence[Any] = (), *, rolled: bool = False
    ) -> Result:
        """Answer a query over a table."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of DuckDB.

    :param fields: stored fields that it has.
    """

    name: str
    fields: frozenset[str]

    @property
    def source(self) -> str:
        return f'"{self.name}" AS events'


class Rolled:
    """The events of a source rolled up.

    :param dimensions: stored fields to roll up by.
    :param source: SQL of the events, with its parameters.
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
        self._all = (1 << len(counts)) - 1
        self._met: dict[Leaf, frozenset[Value]] = {}
        self._bits: dict[Leaf, int] = {}
        self._places: dict[str, dict[Value, list[int]]] = {}
        self._values: dict[str, list[Value]] = {}

    def learn(self, conditions: Iterable[Condition]) -> None:
        """Ask for which values the comparisons of these conditions hold.

        :raises UsageError: when DuckDB refuses a regular expression.
        """
        of_fields: dict[str, dict[Leaf, None]] = {}
        for condition in conditions:
            for leaf in leaves(condition):
                name = resolve(leaf.field).field.name
                if name in self.table.fields and leaf not in self._met:
                    of_fields.setdefault(name, {})[leaf] = None
        for name, asked in of_fields.items():
            several = list(asked)
            for first in range(0, len(several), LEAVES_AT_ONCE):
                self._learn(name, several[first : first + LEAVES_AT_ONCE])

    def _learn(self, name: str, asked: Sequence[Leaf]) -> None:
        parameters: list[Any] = []
        tests = [
            f"({condition_sql(narrowed(leaf, self.values), parameters)}) IS TRUE" for leaf in asked
        ]
        rows = self._database.statement(
            f'SELECT "{name}", {", ".join(tests)} '
            f'FROM (SELECT DISTINCT "{name}" FROM {self.table.source}) AS events',
            parameters,
        )
        values = [_hashable(row[0]) for row in rows]
        for place, leaf in enumerate(asked, 1):
            met = (value for value, row in zip(values, rows, strict=True) if row[place])
            self._met[leaf] = frozenset(met)

    def values(self, field: str) -> Sequence[Value]:
        """The distinct values of a field that is a dimension."""
        if field not in self._values:
            ask = Query(group_by=(Terms(field, "value"),), metrics=(Metric("n", "count"),))
            result = self._database.answer(ask, self.table.source, rolled=True)
            self._values[field] = [row[0] for row in result.rows]
        return self._values[field]

    def combinations(self, condition: Condition) -> int:
        """The combinations that a condition can be about: bits by place in the table."""
        self.learn([condition])
        return self._combinations(projected(condition, over_fields(self.table.fields)))

    def _combinations(self, condition: Condition) -> int:
        match condition:
            case Always():
                return self._all
            case And(parts):
                found = self._all
                for one in parts:
                    found &= self._combinations(one)
                return found
            case Or(parts):
                found = 0
                for one in parts:
                    found |= self._combinations(one)
                return found
            case Not(part):
                return self._all ^ self._combinations(part)
        if condition not in self._bits:
            places = self._places_of(resolve(condition.field).field.name)
            met = itertools.chain.from_iterable(places[value] for value in self._met[condition])
            self._bits[condition] = _bits(met, len(self._counts))
        return self._bits[condition]

    def _places_of(self, name: str) -> dict[Value, list[int]]:
        """Where each value of a dimension stands in the table."""
        if name not in self._places:
            rows = self._database.statement(
                f'SELECT "{name}" FROM {self.table.source} ORDER BY rowid'
            )
            places: dict[Value, list[int]] = {}
            for place, (value,) in enumerate(rows):
                places.setdefault(_hashable(value), []).append(place)
            self._places[name] = places
        return self._places[name]

    def __len__(self) -> int:
        return len(self._counts)

    def events(self, combinations: int) -> int:
        """How many events some combinations have."""
        return sum(itertools.compress(self._counts, _digits(combinations)))

    def settled(self, condition: Condition) -> Condition:
        """The same condition for these events, with patterns and networks replaced by those
        values for which they hold: a pattern is looked at for each value, not each event."""
        self.learn([condition])
        return rewritten(condition, self._settled)

    def _settled(self, leaf: Leaf) -> Condition:
        if isinstance(leaf, Present) or (isinstance(leaf, Compare) and not leaf.ignore_case):
            return leaf
        path = resolve(leaf.field)
        if path.field.name not in self.table.fields:
            return leaf
        if path.many or path.position is not None:
            return narrowed(leaf, self.values)
        met = self._met[leaf]
        if path.field.kind not in (Kind.KEYWORD, Kind.ADDRESS):
            return leaf
        if len(met) > LONG and not needs_narrowing(leaf):
            return leaf
        return OneOf(leaf.field, tuple(sorted(str(value) for value in met)))


def places_of(bits: int) -> list[int]:
    """The places of the bits that are set."""
    return list(itertools.compress(itertools.count(), _digits(bits)))


def _digits(bits: int) -> bytes:
    """The bits, lowest first, a byte each."""
    return bin(bits)[:1:-1].encode().translate(_TRUTH)


def _bits(places: Iterable[int], number: int) -> int:
    held = bytearray(number // 8 + 1)
    for place in places:
        held[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(held, "little")


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def quoted(names: Iterable[str]) -> str:
    """Names of columns as SQL."""
    return ", ".join(f'"{one}"' for one in names)
