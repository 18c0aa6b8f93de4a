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


class FirstSearch(Exception):
    """The body of a search, in place of its answer."""


def test_an_explained_query_is_what_is_asked_first(
    search_engine: SearchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Explaining makes no search; where values are looked up first, others are asked first."""
    request = Cluster.request

    def recorded(self: Cluster, method: str, path: str, **more: Any) -> Answer:
        if path.endswith("/_search"):
            raise FirstSearch({k: v for k, v in more["body"].items() if k != "pit"})
        return request(self, method, path, **more)

    monkeypatch.setattr(Cluster, "request", recorded)
    explained = 0
    for operation in (operation for operation in OPERATIONS if not operation.refused):
        told = search_engine.explain(operation.query)
        if "looked up first" in told:
            continue
        with pytest.raises(FirstSearch) as search:
            search_engine.run(operation.query)
        assert json.loads(told.partition("/_search\n")[2]) == search.value.args[0]
        explained += 1
    assert explained > 300


def test_rows_are_the_same_page_by_page(
    duckdb_engine: DuckDBEngine, search_engine: SearchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a few rows a page, as with millions of groups on pages of ten thousand."""
    for module in ("composite", "hits"):
        monkeypatch.setattr(f"k8sidx.backends.cluster.engine.{module}.PAGE", 7)
    searches = 0
    request = Cluster.request

    def counted(self: Cluster, method: str, path: str, **more: Any) -> Answer:
        nonlocal searches
        searches += path.endswith("/_search")
        return request(self, method, path, **more)

    monkeypatch.setattr(Cluster, "request", counted)
    asked = [operation for operation in OPERATIONS if not operation.refused]
    paged = [asking for asking in asked if asking.query.group_by or asking.query.order]
    assert len(paged) > 60
    for operation in paged:
        wanted, answered = duckdb_engine.run(operation.query), search_engine.run(operation.query)
        alike(answered.rows, wanted.rows)
    assert searches > 5 * len(paged)
