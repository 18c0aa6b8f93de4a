"""Every operation of the algebra: clusters give DuckDB's rows, in its order."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from k8sidx.backends.cluster.engine.engine import SearchEngine
from k8sidx.backends.cluster.http.client import Answer, Cluster
from k8sidx.backends.embedded.engine.engine import DuckDBEngine
from k8sidx.errors import UnsupportedQuery
from tests.conformance.assert_rows import alike
from tests.conformance.operations import OPERATIONS, Operation
from tests.conformance.report import SAME, Report


def test_an_operation_gives_the_same_rows(
    operation: Operation,
    duckdb_engine: DuckDBEngine,
    search_engine: SearchEngine,
    report: Report,
    request: pytest.FixtureRequest,
) -> None:
    server = request.node.callspec.params["search_engine"]
    if operation.everywhere:
        with pytest.raises(UnsupportedQuery):
            duckdb_engine.run(operation.query)
    if operation.refused:
        with pytest.raises(UnsupportedQuery, match=re.escape(operation.refused)) as refusal:
            search_engine.run(operation.query)
        report.add(operation.name, server, refusal.value.message)
        return
    wanted = duckdb_engine.run(operation.query)
    found = search_engine.run(operation.query)
    assert found.columns == wanted.columns
    assert found.exact
    alike(found.rows, wanted.rows)
    report.add(operation.name, server, SAME)


def test_an_explained_query_is_what_is_asked_first(
    search_engine: SearchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Explaining makes no search; where values are looked up first, others are asked first."""
    searches: list[dict[str, Any]] = []
    request = Cluster.request

    def recorded(self: Cluster, method: str, path: str, **more: Any) -> Answer:
        if path.endswith("/_search"):
            searches.append({k: v for k, v in more["body"].items() if k != "pit"})
        return request(self, method, path, **more)

    monkeypatch.setattr(Cluster, "request", recorded)
    for operation in (one for one in OPERATIONS if not one.refused):
        searches.clear()
        told = search_engine.explain(operation.query)
        assert not searches
        if "looked up first" not in told:
            search_engine.run(operation.query)
            assert json.loads(told.partition("/_search\n")[2]) == searches[0]


def test_rows_are_the_same_page_by_page(
    duckdb_engine: DuckDBEngine, search_engine: SearchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a few rows a page, as with millions of groups on pages of ten thousand."""
    for module in ("composite", "hits"):
        monkeypatch.setattr(f"k8sidx.backends.cluster.engine.{module}.PAGE", 3)
    asked = [one for one in OPERATIONS if not one.refused]
    paged = [one for one in asked if one.query.group_by or one.query.order]
    assert len(paged) > 60
    for operation in paged:
        wanted, found = duckdb_engine.run(operation.query), search_engine.run(operation.query)
        alike(found.rows, wanted.rows)
