"""Shared scan of many hunts: the events rolled up by the fields that most conditions test, and the
few events that conditions may be about, gathered.

1. **Rolled up** (:mod:`k8sidx.backends.embedded.engine.rollup`): events counted by the fields that
   most conditions test and that have few values. Counts over these fields alone, top-N tables above
   all, are answered from it.
2. The combinations for which a condition may hold (:meth:`Rolled.combinations`) give
   the largest number of events that it can be about: often none, and then no query is needed.
3. **Gathered**: the events of all conditions that are about few, with the fields that are
   read, in two further scans: those with lists, and those without. Their queries run on
   these small tables.
4. Patterns and networks over those fields are tested for each stored value, not for each event.

The tables are in DuckDB's memory, are bounded in size, and give the results of the store: the same
query over fewer rows, of which none that was left out could match.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Sequence
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
from k8sidx.backends.shared import ScanRequest
from k8sidx.events.fields.lookup import resolve
from k8sidx.query.algebra import NEVER, Condition, Metric, Or, Query, Terms, fields_of
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
"""Fields with few values; those that separate events of different hunts best come first."""

SAMPLE = 50_000
LARGEST_SHARE = 0.3
"""Ratio of combinations to events of a sample from which a roll-up does not pay."""

MOST_CELLS = 20_000_000
"""Rows times columns of the events gathered in one table."""

MOST_COMBINATIONS = 200_000
"""Largest number of combinations that are evaluated."""

_KEYS = 6
"""Largest number of leading dimensions by which events are joined."""


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


@dataclass(slots=True)
class Gathering:
    """Scan requests whose events are gathered in one table.

    :param requests: their positions.
    :param columns: columns that they read.
    :param combinations: rows of the roll-up that they can be about.
    """

    requests: list[int] = field(default_factory=list)
    columns: frozenset[str] = frozenset({ID, TIME})
    combinations: Bitset = NO_ROWS

    def add(self, number: int, columns: frozenset[str], combinations: Bitset) -> None:
        self.requests.append(number)
        self.columns |= columns
        self.combinations |= combinations

    def cells(self, rolled: Rolled) -> int:
        """Return rows times columns."""
        return rolled.events(self.combinations) * len(self.columns)

    def grown(self, columns: frozenset[str], combinations: Bitset, rolled: Rolled) -> int:
        """Return rows times columns with those of one more request."""
        return rolled.events(self.combinations | combinations) * len(self.columns | columns)


class SharedScan:
    """The tables of some scan requests.

    :param source: SQL of the store's events, with its parameters and the test of their time.
    :param have: fields of the store.
    """

    def __init__(
        self,
        database: Database,
        requests: Sequence[ScanRequest],
        source: tuple[str, list[Any]],
        have: frozenset[str],
        between: tuple[datetime | None, datetime | None],
    ) -> None:
        self._database = database
        self._requests = requests
        self._source, self._parameters = source
        self._have = have
        self._between = between
        self._rolled: Rolled | None = None
        self._about: list[Bitset] = []
        self._gathered: dict[int, Gathered] = {}
        self._made: list[str] = []

    def prepare(self) -> None:
        """Create the tables."""
        used = {name for request in self._requests for name in request.fields}
        dimensions = tuple(name for name in DIMENSIONS if name in used and name in self._have)
        if not dimensions or self._too_many(dimensions):
            return
        rolled = Rolled(self._database, dimensions, (self._source, self._parameters))
        self._rolled = rolled
        if len(rolled) > MOST_COMBINATIONS:
            self.drop()
            self._rolled = None
            return
        rolled.evaluate(condition for request in self._requests for condition in request.conditions)
        self._about = [rolled.combinations(Or(request.conditions)) for request in self._requests]
        for gathering in self._chosen(rolled):
            self._gather(rolled, gathering, dimensions)

    def engines(self) -> list[Engine]:
        """Return an engine for each request."""
        rolled = self._rolled
        if rolled is None:
            return [self._database for _ in self._requests]
        return [
            RoutedEngine(
                self._database,
                request.conditions,
                rolled,
                self._gathered.get(number),
                none=not about,
                between=self._between,
            )
            for number, (request, about) in enumerate(zip(self._requests, self._about, strict=True))
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
        """Return what to gather: for requests about the fewest events first, as many as fit.

        Lists are expensive to read, even where they are missing: requests that read them share a
        table with few others.
        """
        with_lists, plain = Gathering(), Gathering()
        sizes = [rolled.events(combinations) for combinations in self._about]
        reads = [_columns(request.fields) & self._have for request in self._requests]
        listed = [any(resolve(name).field.many for name in columns) for columns in reads]
        for at in sorted(range(len(sizes)), key=lambda at: (not listed[at], sizes[at])):
            if not sizes[at] or self._in_counts(self._requests[at]):
                continue
            candidates = [with_lists] if listed[at] else [with_lists, plain]
            needs = reads[at], self._about[at]
            gathering = min(
                candidates, key=lambda table: table.grown(*needs, rolled) - table.cells(rolled)
            )
            if gathering.grown(*needs, rolled) <= MOST_CELLS:
                gathering.add(at, *needs)
        return [gathering for gathering in (with_lists, plain) if gathering.requests]

    def _in_counts(self, request: ScanRequest) -> bool:
        """Whether the roll-up contains everything that it queries."""
        assert self._rolled is not None  # noqa: S101 - made before
        return request.counts and request.fields <= self._rolled.table.fields

    def _gather(self, rolled: Rolled, gathering: Gathering, dimensions: Sequence[str]) -> None:
        """Gather the events, each with the number of its values of the leading dimensions."""
        combinations = list(gathering.combinations)
        keys = self._keys(rolled, dimensions, combinations)
        names = quoted(keys)
        columns = ", ".join(f'events."{name}"' for name in sorted(gathering.columns))
        ordered = sorted(gathering.requests, key=lambda number: rolled.events(self._about[number]))
        first, numbered = self._numbered(rolled, names, ordered)
        suffix = next(numbers)
        table, keyed = f"gathered {suffix}", f"keys {suffix}"
        self._made += [table, keyed]
        self._database.statement(
            f'CREATE TEMP TABLE "{keyed}" AS SELECT {names}, "{NUMBER}" FROM '
            f"{rolled.table.source} JOIN (SELECT unnest(?) AS combination, unnest(?) AS "
            f'"{NUMBER}") AS numbered ON events.rowid = numbered.combination',
            [first, list(range(len(first)))],
        )
        self._database.statement(
            f'CREATE TEMP TABLE "{table}" AS SELECT {columns}, keys."{NUMBER}" '
            f'FROM {self._source} JOIN "{keyed}" AS keys ON {_same(keys)}',
            self._parameters,
        )
        for number in ordered:
            self._gathered[number] = Gathered(table, gathering.columns, *numbered[number])

    def _numbered(
        self, rolled: Rolled, names: str, requests: Sequence[int]
    ) -> tuple[list[int], dict[int, tuple[tuple[int, int], Bitset]]]:
        """Number the values of some dimensions, from those of the first request on: so the range of
        a request about few events contains few others.

        :param requests: positions of the requests, those about the fewest events first.
        :returns: a combination that has the values, by number; and the range of each request, with
            the combinations that have its numbers.
        """
        ranked = self._database.statement(
            f"SELECT dense_rank() OVER (ORDER BY {names}), rowid FROM {rolled.table.source}"
        )
        values_of = {row: values for values, row in ranked}
        number_of: dict[int, int] = {}
        first: list[int] = []
        ranges: dict[int, tuple[int, int]] = {}
        rows_of: dict[int, list[int]] = {}
        for row, values in values_of.items():
            rows_of.setdefault(values, []).append(row)
        for number in requests:
            own = []
            for row in self._about[number]:
                values = values_of[row]
                if values not in number_of:
                    number_of[values] = len(first)
                    first.append(row)
                own.append(number_of[values])
            ranges[number] = (min(own), max(own))
        numbered = [rows_of[values] for values in number_of]
        return first, {
            request: (between, self._rows(numbered[between[0] : between[1] + 1]))
            for request, between in ranges.items()
        }

    def _rows(self, rows: Sequence[Sequence[int]]) -> Bitset:
        assert self._rolled is not None  # noqa: S101 - made before
        return Bitset.of(itertools.chain.from_iterable(rows), len(self._rolled))

    def _keys(
        self, rolled: Rolled, dimensions: Sequence[str], combinations: Sequence[int]
    ) -> Sequence[str]:
        """Return as few leading dimensions as select hardly more events than all of them would."""
        most = dimensions[:_KEYS]
        sizes = []
        for number in range(1, len(most) + 1):
            [(size,)] = self._database.statement(
                f'SELECT sum("{ROLLED_COUNT}") FROM {rolled.table.source} SEMI JOIN '
                f"(SELECT * FROM {rolled.table.source} WHERE rowid IN (SELECT unnest(?))) AS keys "
                f"ON {_same(most[:number])}",
                [combinations],
            )
            sizes.append(size or 0)
        enough = next(n for n, size in enumerate(sizes, 1) if size <= sizes[-1] * 1.3 + 1000)
        return most[:enough]


def _same(keys: Sequence[str]) -> str:
    return " AND ".join(f'events."{key}" IS NOT DISTINCT FROM keys."{key}"' for key in keys)


def _columns(fields: frozenset[str]) -> frozenset[str]:
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
        if meant and within and gathered and _columns(_fields(query)) <= gathered.fields:
            return self._of_gathered(query, gathered)
        if within:
            query = query.replace(where=self.rolled.materialized(query.where))
        return self.database.run(query)

    def _of_gathered(self, query: Query, gathered: Gathered) -> Result:
        where = self.rolled.specialized(query.where, gathered.combinations)
        if where == NEVER:
            return _of_nothing(query)
        query = query.replace(where=self.rolled.materialized(where))
        source = gathered.source(_columns(_fields(query)) | {ID, TIME})
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
