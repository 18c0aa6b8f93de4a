"""What engines say they would ask: the statement or search itself, values apart from it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.embedded.engine.engine import DuckDBEngine
from k8sidx.backends.embedded.engine.sql import compile_query
from k8sidx.backends.explain import pretty_sql
from k8sidx.errors import UnsupportedQuery
from k8sidx.query.algebra import (
    And,
    Compare,
    InNetwork,
    Metric,
    Not,
    OneOf,
    Order,
    Present,
    Query,
    Regex,
    Terms,
)
from tests.building import START, event, normalized
from tests.conformance.index_events import fill
from tests.conformance.operations import OPERATIONS
from tests.stores import stored

COUNT = Metric("n", "count")
HOSTILE = "x' FROM events; --\n\x1b[2J\u202e"
TOP = Query(
    where=And((Compare("user.username", "=", HOSTILE), Not(Compare("verb", "=", "get")))),
    since=START,
    group_by=(Terms("user.username", "who"),),
    metrics=(COUNT, Metric("agents", "present", "userAgent")),
    order=(Order("n", descending=True),),
    limit=7,
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBEngine]:
    with stored(tmp_path_factory.mktemp("explained") / "store", [event()]).engine() as opened:
        yield opened


def test_a_statement_and_its_parameters(engine: DuckDBEngine) -> None:
    assert engine.explain(TOP).splitlines() == [
        "SELECT *",
        "FROM (",
        '  SELECT "user.username" AS k0, count(*) AS m0, '
        'count(*) FILTER (WHERE ("userAgent" IS NOT NULL)) AS m1',
        "  FROM events",
        '  WHERE "@timestamp" >= make_timestamptz(?)',
        '  AND (("user.username" = ?) AND (CASE WHEN ("verb" = ?) THEN false ELSE true END))',
        '  AND "user.username" IS NOT NULL',
        "  GROUP BY k0",
        ")",
        "ORDER BY m0 DESC NULLS LAST, k0 ASC NULLS LAST",
        "LIMIT ?",
        "-- Parameters, in order:",
        "[",
        f"  {int(START.timestamp()) * 1_000_000},",
        r"""  "x' FROM events; --\n\u001b[2J\u202e",""",
        '  "get",',
        "  7",
        "]",
    ]


def test_the_layout_changes_white_space_only() -> None:
    plain = [one.query for one in OPERATIONS if not one.everywhere]
    statements = [compile_query(one).sql for one in plain if not needs_lookup(one)]
    assert len(statements) > 400
    for sql in statements:
        assert re.sub(r"\s", "", pretty_sql(sql)) == re.sub(r"\s", "", sql)


def needs_lookup(query: Query) -> bool:
    try:
        compile_query(query)
    except UnsupportedQuery:
        return True
    return False


def test_values_that_duckdb_looks_up_first_are_told(engine: DuckDBEngine) -> None:
    query = Query(
        where=And((InNetwork("sourceIPs", ("10.0.0.0/8",)), Compare("verb", "=", "get"))),
        metrics=(COUNT,),
    )
    first, *statement = engine.explain(query).splitlines()
    assert first == (
        "-- The values of sourceIPs are looked up first; below, IS NOT NULL is in the place of "
        "those that the condition holds for."
    )
    assert 'WHERE ((len("sourceIPs") > 0) AND ("verb" = ?))' in "\n".join(statement)
    assert statement[-3:] == ["[", '  "get"', "]"]


def test_what_cannot_be_run_cannot_be_explained(engine: DuckDBEngine) -> None:
    with pytest.raises(UnsupportedQuery, match="a list"):
        engine.explain(Query(metrics=(Metric("x", "last_values", "sourceIPs", 1),)))


def test_a_search_as_a_console_takes_it(cluster: Cluster, prefix: str) -> None:
    engine = fill(cluster, prefix, [normalized(event())])
    line, *body = engine.explain(TOP).splitlines()
    assert line == f"POST /{prefix}-*/_search"
    assert "\n".join(body).isascii()
    search = json.loads("\n".join(body))
    assert {"term": {"user.username": {"value": HOSTILE}}} in every(search["query"])
    assert search["aggs"]["top"]["terms"]["size"] == 7
    answer = cluster.request("POST", f"/{prefix}-*/_search", body=search)
    assert answer.status == 200


def every(value: Any) -> Iterator[Any]:
    """The value and all that it is made of."""
    yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        yield from every(one)


def test_several_searches_and_values_looked_up_first_are_told(
    cluster: Cluster, prefix: str
) -> None:
    engine = fill(cluster, prefix, [normalized(event())])
    distinct = Query(
        where=Regex("responseStatus.code", "^4"),
        metrics=(Metric("users", "count_distinct", "user.username"),),
    )
    lookup, several, line, *body = engine.explain(distinct).splitlines()
    assert lookup.startswith(
        "# The values of responseStatus.code are looked up first; below, exists"
    )
    assert several == "# The first of several searches, all over one point in time."
    assert line == f"POST /{prefix}-*/_search"
    shown = json.loads("\n".join(body))
    instead = Query(
        where=Present("responseStatus.code"),
        metrics=(Metric("users", "count_distinct", "user.username"),),
    )
    assert shown == json.loads(engine.explain(instead).partition("_search\n")[2])


def test_long_lists_are_told_and_not_shown(engine: DuckDBEngine) -> None:
    many = OneOf("user.username", tuple(f"u{n}" for n in range(5000)))
    told = engine.explain(Query(where=many, select=("verb",)))
    assert '"a list of 5,000 values"' in told
    assert "u4999" not in told
    folded = OneOf("user.username", many.values, ignore_case=True)
    told = engine.explain(Query(where=folded, select=("verb",)))
    assert told.startswith("-- The values of user.username are looked up first;")
    assert "u4999" not in told
