"""Queries made by chance over events made by chance: clusters give DuckDB's rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8sidx.backends.cluster.http.client import Cluster
from tests.building import normalized
from tests.conformance.assert_rows import alike
from tests.conformance.index_events import fill
from tests.conformance.query_strategies import Chance
from tests.stores import stored

SEEDS = range(4)
QUERIES = 60
SMALL = 4
"""Rows of a page, so that a few events make many pages."""


@pytest.mark.parametrize("seed", SEEDS)
def test_any_query_gives_the_same_rows(
    seed: int, cluster: Cluster, prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if seed % 2:
        for module in ("composite", "hits"):
            monkeypatch.setattr(f"k8sidx.backends.cluster.engine.{module}.PAGE", SMALL)
    chance = Chance(seed)
    events = chance.events(150)
    engine = fill(cluster, prefix, [normalized(body) for body in events])
    with stored(tmp_path / "store", events).engine() as embedded:
        for number in range(QUERIES):
            query = chance.query()
            wanted, found = embedded.run(query), engine.run(query)
            try:
                alike(found.rows, wanted.rows)
            except AssertionError as error:
                raise AssertionError(f"query {number} of seed {seed}: {query}") from error
