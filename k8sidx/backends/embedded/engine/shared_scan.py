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

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from k8sidx.backends.embedded.engine.bitset import NO_ROWS, Bitset
from k8sidx.backends.embedded.engine.rollup import Database, Rolled, numbers, quoted
from k8sidx.backends.embedded.engine.routed import NUMBER, Gathered, RoutedEngine, columns_of
from k8sidx.backends.embedded.engine.sql import ROLLED_COUNT
from k8sidx.backends.embedded.storage.columns import ID, TIME
from k8sidx.backends.protocol import Engine
from k8sidx.backends.shared import ScanRequest
from k8sidx.events.fields.lookup import resolve
from k8sidx.query.algebra import Or, Present

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

MOST_WITH_LIST = 0.05
"""Share of the events with a value up to which a list is as cheap to read as another field."""

_KEYS = 6
"""Largest number of leading dimensions by which events are joined."""


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
        reads = [columns_of(request.fields) & self._have for request in self._requests]
        lists = {name for names in reads for name in names if self._is_expensive(name, rolled)}
        listed = [not columns.isdisjoint(lists) for columns in reads]
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

    def _is_expensive(self, name: str, rolled: Rolled) -> bool:
        """Whether a field is a list that many events have."""
        if not resolve(name).field.many:
            return False
        if name not in rolled.table.fields:
            return True
        present = rolled.events(rolled.combinations(Present(name)))
        return present > rolled.events(rolled.every) * MOST_WITH_LIST

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
