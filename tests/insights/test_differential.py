"""Queries by chance, thousands of them: DuckDB, OpenSearch and the slow reference say the same.

``K8SIDX_TEST_QUERIES=10`` asks ten times as many. A failure names its seed and the smallest
query that still fails.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple

import pytest

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.protocol import StoreEngine
from k8sidx.insights.execute.run import run_program
from k8sidx.insights.language.parser import parse
from tests.building import START, normalized
from tests.conformance.index_events import fill
from tests.insights import reference_ast as tree
from tests.insights.event_strategies import Pool
from tests.insights.query_strategies import query
from tests.insights.reference import Reference
from tests.insights.shrink import shrunk
from tests.insights.unparse import Writer
from tests.servers.cleaning import remove_all
from tests.servers.fixtures import unique_prefix
from tests.stores import stored

EVENTS = 120
BATCHES = 5
QUERIES = 400 * int(os.environ.get("K8SIDX_TEST_QUERIES", "1"))
"""Of each batch."""
SMALL = 7
"""Rows of a page, so that a few events make many pages."""
_SINCE = (None, None, None, None, START, START + timedelta(seconds=60, microseconds=2000))
_UNTIL = (None, None, None, None, START + timedelta(hours=1), START + timedelta(days=2))

Rows = list[tuple[Any, ...]]


class Judged(NamedTuple):
    """The events in both engines and in the reference."""

    reference: Reference
    engines: Sequence[StoreEngine]

    def difference(
        self, commands: tree.Tree, text: str, since: datetime | None, until: datetime | None
    ) -> str:
        """What an engine says else than the reference; nothing when all agree."""
        wanted = self.reference.answer(commands, since, until)
        program = parse(text)
        written = set()
        for engine in self.engines:
            found = run_program(program, engine, since, until, on_warning=lambda _: None)
            if found.columns != wanted.columns:
                return f"{engine.name} has columns {found.columns}, not {wanted.columns}"
            if found.rows != wanted.rows:
                return f"{engine.name}: {_first_difference(found.rows, wanted.rows)}"
            written.add(repr(found.rows))
        if len(written) > 1:
            return "the engines' values are equal, but of different types"
        return ""

    def differs(self, commands: tree.Tree, since: datetime | None, until: datetime | None) -> bool:
        """Whether a part of a query is one, and answered differently."""
        try:
            return bool(self.difference(commands, Writer().text(commands), since, until))
        except Exception:  # noqa: BLE001 - what is no query any more is no smaller failure
            return False


def _first_difference(found: Rows, wanted: Rows) -> str:
    for number, (mine, theirs) in enumerate(zip(found, wanted, strict=False)):
        if mine != theirs:
            return f"row {number} is {mine!r}, not {theirs!r}"
    return f"{len(found)} rows, not {len(wanted)}"


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory, opensearch: Cluster) -> Iterator[Judged]:
    events = Pool(1).events(EVENTS)
    prefix = unique_prefix()
    try:
        search = fill(opensearch, prefix, [normalized(one) for one in events], dated=False)
        with stored(tmp_path_factory.mktemp("chance") / "store", events).engine(
            threads=1
        ) as embedded:
            yield Judged(Reference(events), (embedded, search))
    finally:
        remove_all(opensearch, prefix)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_no_query_is_answered_differently(
    batch: int, judged: Judged, monkeypatch: pytest.MonkeyPatch
) -> None:
    if batch % 2:
        for module in ("composite", "hits"):
            monkeypatch.setattr(f"k8sidx.backends.cluster.engine.{module}.PAGE", SMALL)
    for seed in range(batch * QUERIES, (batch + 1) * QUERIES):
        commands, text = query(seed)
        span = Random(-seed)  # noqa: S311 - repeatable, not secret
        since, until = span.choice(_SINCE), span.choice(_UNTIL)
        try:
            difference = judged.difference(commands, text, since, until)
        except Exception as error:
            raise AssertionError(f"seed {seed}, since {since}, until {until}: {text}") from error
        if difference:
            small = shrunk(commands, lambda one: judged.differs(one, since, until))  # noqa: B023
            difference = judged.difference(small, Writer().text(small), since, until) or difference
            pytest.fail(
                f"seed {seed}, since {since}, until {until}: {difference}\n"
                f"{Writer().text(small)}\nout of\n{text}"
            )
