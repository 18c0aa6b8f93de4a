"""One scan for many hunts: the events rolled up by what most conditions test, and the few
events that conditions may be about, put aside.

1. **Rolled up** (:mod:`k8sidx.backends.embedded.engine.rollup`): events counted by the fields that
   most conditions test and that have few values. Counts over these fields alone, top-N tables above
   all, are answered from it.
2. What each condition says of those fields alone (:func:`k8sidx.query.bounds.projected`)
   tells how many events it can be about, at most: often none, and then there is nothing to
   ask.
3. **Gathered**: the events of all conditions that are about few, with the fields that are
   asked for, in two further scans: those with lists, and those without. Their queries run on
   these small tables.
4. Patterns and networks over those fields are looked at for each value that there is, not for
   each event.

The tables live in DuckDB's memory, are bounded in size, and answer with what the store
holds: the same query over fewer rows, none of those left out being meant.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from k8sidx.backends.embedded.engine.bitset import NO_ROWS, Bitset
from k8sidx.backends.embedded.engine.rollup import Database, Rolled, numbers, quoted
from k8sidx.backends.embedded.engine.sql import ROLLED_COUNT
from k8sidx.backends.embedded.storage.columns import COMPUTED, ID, TIME
from k8sidx.backends.ordering import Row, finish_rows
from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Result
from k8sidx.backends.shared import Asker
from k8sidx.events.fields.lookup import resolve
from k8sidx.query.algebra import Condition, Metric, Or, Query, Terms, fields_of
from k8sidx.query.bounds import implies

DIMENSIONS = (
    "target.resource",
    "verb",
    "responseStatus.code",
    "user.kind",
    "user.effective.name",
    "stage",
    "objectRef.resource",
    "objectRef.subresource",
    "objectRef.namespace",
    "user.username",
    "annotations.authorization.k8s.io/decision",
    "event.outcome",
    "request.dry_run",
    "level",
    "event.provider",
    "event.truncated",
    "source.ip",
    "sourceIPs",
    "userAgent",
    "user.effective.groups",
    "user_agent.name",
    "impersonatedUser.username",
    "impersonatedUser.groups",
    "annotations.authentication.k8s.io/legacy-token",
    "annotations.authorization.k8s.io/reason",
)
"""Fields with few values, those first that tell events of different hunts apart best."""

SAMPLE = 50_000
LARGEST_SHARE = 0.3
"""Combinations to events of a sample from which on rolling up is not worth its while."""

MOST_CELLS = 20_000_000
"""Rows times columns of the events put aside in one table."""

MOST_COMBINATIONS = 200_000
"""Combinations that are looked at, at most."""

_KEYS = 6
"""Leading dimensions by which the events are found again, at most."""


NUMBER = "number of keys"
"""Column that tells what an event's values of the leading dimensions are."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """An asker's part of a table of events put aside.

    :param fields: stored fields that it has.
    :param numbers: the lowest and the highest ``NUMBER`` of its events: most are told by it.
    """

    table: str
    fields: frozenset[str]
    numbers: tuple[int, int]

    @property
    def source(self) -> str:
        return f'(SELECT * FROM "{self.table}" WHERE "{NUMBER}" BETWEEN ? AND ?) AS events'


@dataclass(slots=True)
class Gathering:
    """Askers whose events are put aside together.

    :param askers: their places.
    :param columns: what they read.
    :param combinations: what they can be about.
    """

    askers: list[int] = field(default_factory=list)
    columns: frozenset[str] = frozenset({ID, TIME})
    combinations: Bitset = NO_ROWS

    def add(self, asker: int, columns: frozenset[str], combinations: Bitset) -> None:
        self.askers.append(asker)
        self.columns |= columns
        self.combinations |= combinations

    def cells(self, rolled: Rolled) -> int:
        """Rows times columns."""
        return rolled.events(self.combinations) * len(self.columns)

    def grown(self, columns: frozenset[str], combinations: Bitset, rolled: Rolled) -> int:
        """Rows times columns with those of one more."""
        return rolled.events(self.combinations | combinations) * len(self.columns | columns)


class SharedScan:
    """The tables for some askers.

    :param source: SQL of the store's events, with its parameters and the test of their time.
    :param have: fields that the store has.
    """

    def __init__(
        self,
        database: Database,
        askers: Sequence[Asker],
        source: tuple[str, list[Any]],
        have: frozenset[str],
        between: tuple[datetime | None, datetime | None],
    ) -> None:
        self._database = database
        self._askers = askers
        self._source, self._parameters = source
        self._have = have
        self._between = between
        self._rolled: Rolled | None = None
        self._about: list[Bitset] = []
        self._gathered: dict[int, Gathered] = {}
        self._made: list[str] = []

    def prepare(self) -> None:
        """Make the tables."""
        used = {name for asker in self._askers for name in asker.fields}
        dimensions = tuple(one for one in DIMENSIONS if one in used and one in self._have)
        if not dimensions or self._too_many(dimensions):
            return
        rolled = Rolled(self._database, dimensions, (self._source, self._parameters))
        self._rolled = rolled
        if len(rolled) > MOST_COMBINATIONS:
            self.drop()
            self._rolled = None
            return
        rolled.learn(one for asker in self._askers for one in asker.conditions)
        self._about = [rolled.combinations(Or(asker.conditions)) for asker in self._askers]
        for gathering in self._chosen(rolled):
            self._gather(rolled, gathering, dimensions)

    def engines(self) -> list[Engine]:
        """An engine for each asker."""
        rolled = self._rolled
        if rolled is None:
            return [self._database for _ in self._askers]
        return [
            RoutedEngine(
                self._database,
                asker.conditions,
                rolled,
                self._gathered.get(place),
                none=not about,
                between=self._between,
            )
            for place, (asker, about) in enumerate(zip(self._askers, self._about, strict=True))
        ]

    def drop(self) -> None:
        if self._rolled is not None:
            self._made.append(self._rolled.table.name)
        for name in self._made:
            self._database.statement(f'DROP TABLE IF EXISTS "{name}"')

    def _too_many(self, dimensions: Sequence[str]) -> bool:
        columns = quoted(dimensions)
        [(events, combinations)] = self._database.statement(
            f"SELECT sum(n), count(*) FROM (SELECT count(*) AS n FROM (SELECT {columns} "
            f"FROM {self._source} LIMIT {SAMPLE}) GROUP BY ALL)",
            self._parameters,
        )
        return bool(events == SAMPLE and combinations / events > LARGEST_SHARE)

    def _chosen(self, rolled: Rolled) -> list[Gathering]:
        """Those about the fewest events first, as many as there is room for.

        Lists are dear to read, even where they are missing: who reads them shares a table
        with few others.
        """
        with_lists, plain = Gathering(), Gathering()
        sizes = [rolled.events(one) for one in self._about]
        reads = [_columns(one.fields) & self._have for one in self._askers]
        listed = [any(resolve(one).field.many for one in columns) for columns in reads]
        for place in sorted(range(len(sizes)), key=lambda one: (not listed[one], sizes[one])):
            if not sizes[place] or self._in_counts(self._askers[place]):
                continue
            could = [with_lists] if listed[place] else [with_lists, plain]
            asked = reads[place], self._about[place]
            gathering = min(could, key=lambda one: one.grown(*asked, rolled) - one.cells(rolled))
            if gathering.grown(*asked, rolled) <= MOST_CELLS:
                gathering.add(place, *asked)
        return [one for one in (with_lists, plain) if one.askers]

    def _in_counts(self, asker: Asker) -> bool:
        """Whether the events rolled up answer all it asks."""
        assert self._rolled is not None  # noqa: S101 - made before
        return asker.counts and asker.fields <= self._rolled.table.fields

    def _gather(self, rolled: Rolled, gathering: Gathering, dimensions: Sequence[str]) -> None:
        """Put the events aside, each with the number of its values of the leading dimensions."""
        places = list(gathering.combinations)
        keys = self._keys(rolled, dimensions, places)
        names = quoted(keys)
        columns = ", ".join(f'events."{one}"' for one in sorted(gathering.columns))
        ordered = sorted(gathering.askers, key=lambda one: rolled.events(self._about[one]))
        first, numbered = self._numbered(rolled, names, ordered)
        number = next(numbers)
        table, keyed = f"gathered {number}", f"keys {number}"
        self._made += [table, keyed]
        self._database.statement(
            f'CREATE TEMP TABLE "{keyed}" AS SELECT {names}, "{NUMBER}" FROM '
            f"{rolled.table.source} JOIN (SELECT unnest(?) AS place, unnest(?) AS "
            f'"{NUMBER}") AS numbered ON events.rowid = numbered.place',
            [first, list(range(len(first)))],
        )
        self._database.statement(
            f'CREATE TEMP TABLE "{table}" AS SELECT {columns}, keys."{NUMBER}" '
            f'FROM {self._source} JOIN "{keyed}" AS keys ON {_same(keys)}',
            self._parameters,
        )
        for asker in ordered:
            self._gathered[asker] = Gathered(table, gathering.columns, numbered[asker])

    def _numbered(
        self, rolled: Rolled, names: str, askers: Sequence[int]
    ) -> tuple[list[int], dict[int, tuple[int, int]]]:
        """Numbers for the values of some dimensions, lower ones for those that an earlier
        asker is about: so the range of one that is about few events has few in it.

        :param askers: their places, those about the fewest events first.
        :returns: a combination that has the values, by number; and the range of each asker.
        """
        ranked = self._database.statement(
            f"SELECT dense_rank() OVER (ORDER BY {names}), rowid FROM {rolled.table.source}"
        )
        values_of = {place: values for values, place in ranked}
        number_of: dict[int, int] = {}
        first: list[int] = []
        ranges: dict[int, tuple[int, int]] = {}
        for asker in askers:
            own = []
            for place in self._about[asker]:
                values = values_of[place]
                if values not in number_of:
                    number_of[values] = len(first)
                    first.append(place)
                own.append(number_of[values])
            ranges[asker] = (min(own), max(own))
        return first, ranges

    def _keys(
        self, rolled: Rolled, dimensions: Sequence[str], places: Sequence[int]
    ) -> Sequence[str]:
        """As few leading dimensions as find hardly more events than all of them would."""
        most = dimensions[:_KEYS]
        sizes = []
        for number in range(1, len(most) + 1):
            [(size,)] = self._database.statement(
                f'SELECT sum("{ROLLED_COUNT}") FROM {rolled.table.source} SEMI JOIN '
                f"(SELECT * FROM {rolled.table.source} WHERE rowid IN (SELECT unnest(?))) AS keys "
                f"ON {_same(most[:number])}",
                [places],
            )
            sizes.append(size or 0)
        enough = next(n for n, size in enumerate(sizes, 1) if size <= sizes[-1] * 1.3 + 1000)
        return most[:enough]


def _same(keys: Sequence[str]) -> str:
    return " AND ".join(f'events."{one}" IS NOT DISTINCT FROM keys."{one}"' for one in keys)


def _columns(fields: frozenset[str]) -> frozenset[str]:
    """The columns that fields are read from."""
    found = {name for name in fields if name == ID or name not in COMPUTED}
    if "event.duration" in fields:
        found |= {"stageTimestamp", "requestReceivedTimestamp"}
    return frozenset(found)


@dataclass(slots=True)
class RoutedEngine:
    """Answers from the smallest table that has what a query asks for.

    :param gathered: a table with all events of the conditions, when there is one.
    :param none: the conditions hold for no event.
    :param between: the times that the tables are of.
    """

    database: Database
    conditions: tuple[Condition, ...]
    rolled: Rolled
    gathered: Gathered | None
    none: bool
    between: tuple[datetime | None, datetime | None]
    name: str = "duckdb"

    def run(self, query: Query) -> Result:
        """Answer the query; see :class:`k8sidx.backends.protocol.Engine`."""
        meant = any(implies(query.where, one) for one in self.conditions)
        within = self._within(query)
        if meant and within and self.none:
            return _of_nothing(query)
        if within:
            query = query.replace(where=self.rolled.materialized(query.where))
        if self._rolls(query):
            # Without its times, which are those of all the events rolled up.
            asked = dataclasses.replace(query, since=None, until=None)
            return self.database.answer(asked, self.rolled.table.source, rolled=True)
        gathered = self.gathered
        if meant and within and gathered and _columns(_fields(query)) <= gathered.fields:
            return self.database.answer(query, gathered.source, gathered.numbers)
        return self.database.run(query)

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
    """Stored fields that a query reads; without times of its range and metrics with ``but``."""
    found = {path.field.name for path in fields_of(query)}
    if but:
        tested = fields_of(Query(where=query.where, metrics=(Metric("n", "count"),)))
        found -= {but} - {path.field.name for path in tested}
    return frozenset(found)


def _of_nothing(query: Query) -> Result:
    """The answer where there are no events."""
    if query.select or query.group_by:
        return Result(query.columns, [], "duckdb")
    row: Row = [
        0 if metric.kind in ("count", "present", "count_distinct") else None
        for metric in query.metrics
    ]
    return Result(query.columns, [tuple(one) for one in finish_rows(query, [row])], "duckdb")
