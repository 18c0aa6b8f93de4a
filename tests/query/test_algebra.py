"""The algebra on DuckDB: given these events, these rows come out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from k8sidx.backends.embedded.engine.engine import DuckDBEngine
from k8sidx.backends.protocol import QueryOptions
from k8sidx.errors import InvalidQuery, StoreError, UnknownField, UnsupportedQuery
from k8sidx.query.algebra import (
    Always,
    And,
    Compare,
    Condition,
    DateHistogram,
    Having,
    InNetwork,
    Metric,
    Not,
    OneOf,
    Or,
    Order,
    Present,
    Query,
    Regex,
    Terms,
    Wildcard,
)
from tests.building import START, event
from tests.stores import stored

COUNT = Metric("n", "count")

EVENTS = [
    event(name="a", seconds=0, user="alice", source=["203.0.113.9", "10.0.0.7"]),
    event(name="b", seconds=61, user="Bob", code=403, agent="curl/8.0"),
    event(name="c", seconds=62, user="bob", code=403, source="2001:db8::1"),
    event(name="d", seconds=3600, user="100%_sure\\*", agent="naïve/1 ☸"),
    event(name="e", seconds=3700, user="x'; DROP TABLE events; --"),
    {**event(name="f", seconds=-2_000_000_000), "user": {}, "userAgent": ""},
    {**event(name="g"), "stageTimestamp": "0001-01-01T00:00:00Z", "requestReceivedTimestamp": None},
]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Any:
    store = stored(tmp_path_factory.mktemp("algebra") / "store", EVENTS)
    with store.engine() as opened:
        yield opened


def names(engine: DuckDBEngine, where: Condition) -> str:
    query = Query(where=where, select=("objectRef.name",), order=(Order("objectRef.name"),))
    return "".join(str(row[0]) for row in engine.run(query).rows)


@pytest.mark.parametrize(
    ("where", "found"),
    [
        (Always(), "abcdefg"),
        (Compare("user.username", "=", "bob"), "c"),
        (Compare("user.username", "=", "BOB", ignore_case=True), "bc"),
        (Not(Compare("user.username", "=", "bob")), "abdefg"),
        (Compare("user.username", ">", "bob"), "e"),
        (Compare("responseStatus.code", ">=", 400), "bc"),
        (Compare("responseStatus.code", "=", "403"), "bc"),
        (Compare("responseStatus.code", "=", "not a number"), ""),
        (Compare("source.forwarded", "=", "true"), "a"),
        (Compare("@timestamp", ">=", "2026-11-23T13:00:00Z"), "de"),
        (OneOf("user.username", ("alice", "bob")), "acg"),
        (OneOf("user.username", ("ALICE", "BOB"), ignore_case=True), "abcg"),
        (OneOf("responseStatus.code", (200, "403")), "abcdefg"),
        (OneOf("user.username", ()), ""),
        (Wildcard("user.username", "a*"), "ag"),
        (Wildcard("user.username", "?ob"), "bc"),
        (Wildcard("user.username", "*%*"), "d"),
        (Wildcard("user.username", "*\\*"), "d"),
        (Wildcard("user.username", "*\\\\*"), "d"),
        (Wildcard("user.username", "100%_*"), "d"),
        (Wildcard("user.username", "*DROP TABLE*"), "e"),
        (Wildcard("userAgent", "NAÏVE*", ignore_case=True), ""),
        (Wildcard("userAgent", "naïve*"), "d"),
        (Wildcard("responseStatus.code", "40?"), "bc"),
        (Regex("user.username", "^[ab]"), "acg"),
        (Regex("user.username", "^B", ignore_case=True), "bc"),
        (Regex("user.username", "'"), "e"),
        (Present("user.username"), "abcdeg"),
        (Not(Present("userAgent")), "f"),
        (Present("user.groups"), "abcdeg"),
        (Compare("sourceIPs", "=", "10.0.0.7"), "abdefg"),
        (Compare("sourceIPs.0", "=", "10.0.0.7"), "bdefg"),
        (Not(Compare("sourceIPs", "=", "10.0.0.7")), "c"),
        (InNetwork("sourceIPs", ("203.0.113.0/24",)), "a"),
        (InNetwork("source.ip", ("10.0.0.0/8", "2001:db8::/32")), "abcdefg"),
        (Not(InNetwork("source.ip", ("10.0.0.0/8",))), "c"),
        (And((Present("userAgent"), Compare("responseStatus.code", "=", 403))), "bc"),
        (Or((Compare("user.username", "=", "Bob"), Compare("user.username", "=", "alice"))), "abg"),
        (And(()), "abcdefg"),
        (Or(()), ""),
        (Not(Not(Compare("user.username", "=", "bob"))), "c"),
    ],
    ids=str,
)
def test_conditions(engine: DuckDBEngine, where: Condition, found: str) -> None:
    assert names(engine, where) == found


def test_terms_count_and_break_ties_by_key(engine: DuckDBEngine) -> None:
    query = Query(
        group_by=(Terms("user.username"),), metrics=(COUNT,), order=(Order("n", True),), limit=3
    )
    assert engine.run(query).rows == [("alice", 2), ("100%_sure\\*", 1), ("Bob", 1)]


def test_missing_values_form_a_group_only_when_asked(engine: DuckDBEngine) -> None:
    kept = Query(group_by=(Terms("userAgent", "agent", keep_missing=True),), metrics=(COUNT,))
    dropped = Query(group_by=(Terms("userAgent", "agent"),), metrics=(COUNT,))
    assert len(engine.run(kept).rows) == len(engine.run(dropped).rows) + 1
    assert engine.run(kept).columns == ("agent", "n")


def test_an_event_counts_under_each_of_its_values(engine: DuckDBEngine) -> None:
    query = Query(group_by=(Terms("sourceIPs"),), metrics=(COUNT,))
    assert engine.run(query).rows == [("10.0.0.7", 6), ("2001:db8::1", 1), ("203.0.113.9", 1)]


def test_two_fields_with_many_values_group_by_every_pair(engine: DuckDBEngine) -> None:
    query = Query(
        group_by=(Terms("sourceIPs"), Terms("user.groups")),
        metrics=(COUNT,),
        where=Compare("objectRef.name", "=", "a"),
    )
    assert engine.run(query).rows == [
        ("10.0.0.7", "system:authenticated", 1),
        ("203.0.113.9", "system:authenticated", 1),
    ]


def test_date_histogram_by_the_hour(engine: DuckDBEngine) -> None:
    query = Query(group_by=(DateHistogram(timedelta(hours=1)),), metrics=(COUNT,), since=START)
    assert engine.run(query).rows == [(START, 3), (START + timedelta(hours=1), 2)]


def test_date_histogram_far_from_1970_is_exact(tmp_path: Path) -> None:
    """Microseconds of the year 9999 are more than a float holds."""
    last = {**event(), "stageTimestamp": "9999-12-31T23:59:59.999999Z"}
    query = Query(group_by=(DateHistogram(timedelta(hours=1)),), metrics=(COUNT,))
    with stored(tmp_path / "store", [last]).engine() as opened:
        assert opened.run(query).rows == [(datetime(9999, 12, 31, 23, tzinfo=UTC), 1)]


def test_date_histogram_before_1970_rounds_down(engine: DuckDBEngine) -> None:
    old = datetime(1970, 1, 1, tzinfo=UTC)
    query = Query(group_by=(DateHistogram(timedelta(days=1)),), metrics=(COUNT,), until=old)
    assert engine.run(query).rows == [(datetime(1963, 7, 9, tzinfo=UTC), 1)]


def test_events_without_a_time_form_a_group_of_intervals_only_when_asked(
    engine: DuckDBEngine,
) -> None:
    hours = DateHistogram(timedelta(hours=1), "hour", keep_missing=True)
    kept = Query(group_by=(hours,), metrics=(COUNT,))
    assert engine.run(kept).rows[1:] == [
        (START, 3), (START + timedelta(hours=1), 2), (None, 1)
    ]  # fmt: skip
    descending = Query(group_by=(hours,), metrics=(COUNT,), order=(Order("hour", True),))
    assert engine.run(descending).rows[-1] == (None, 1)
    assert engine.run(kept.replace(since=START)).rows[-1] == (START + timedelta(hours=1), 2)


def test_first_and_last_values_leave_undated_events_for_the_end(engine: DuckDBEngine) -> None:
    name = "objectRef.name"
    query = Query(
        metrics=(
            Metric("first", "first_values", name, 2),
            Metric("last", "last_values", name, 2),
            Metric("all", "last_values", name, 100),
            Metric("codes", "last_values", "userAgent", 100),
            Metric("when", "last_values", "@timestamp", 1),
        )
    )
    first, last, every, agents, when = engine.run(query).rows[0]
    assert (first, last) == (["f", "a"], ["e", "d"])
    assert every == ["e", "d", "c", "b", "a", "f", "g"]
    assert isinstance(agents, list)
    assert len(agents) == 6, "event f has none"
    assert when == [START + timedelta(seconds=3700, milliseconds=2)]
    nothing = query.replace(where=Compare("verb", "=", "none"))
    assert engine.run(nothing).rows == [(None,) * 5]


def test_events_of_one_moment_go_by_their_id(tmp_path: Path) -> None:
    bodies = [event(name=f"n{number}") for number in range(9)]
    values = (Metric("f", "first_values", "event.id", 9), Metric("l", "last_values", "event.id", 9))
    with stored(tmp_path / "store", bodies).engine() as opened:
        ids = [row[0] for row in opened.run(Query(select=("event.id",))).rows]
        assert ids == sorted(map(str, ids))
        assert opened.run(Query(metrics=values)).rows == [(ids, ids[::-1])]


def test_present_counts_the_events_that_have_a_field(engine: DuckDBEngine) -> None:
    present = (
        Metric("agents", "present", "userAgent"),
        Metric("groups", "present", "user.groups"),
        Metric("second", "present", "sourceIPs.1"),
        Metric("bodies", "present", "requestObject"),
    )
    assert engine.run(Query(metrics=present)).rows == [(6, 6, 1, 0)]
    none = Query(metrics=present, where=Compare("verb", "=", "none"))
    assert engine.run(none).rows == [(0, 0, 0, 0)]
    by_list = Query(group_by=(Terms("sourceIPs"),), metrics=(Metric("n", "present", "sourceIPs"),))
    assert engine.run(by_list).rows == [("10.0.0.7", 6), ("2001:db8::1", 1), ("203.0.113.9", 1)]


def test_metrics(engine: DuckDBEngine) -> None:
    query = Query(
        where=Present("user.username"),
        metrics=(
            COUNT,
            Metric("users", "count_distinct", "user.username"),
            Metric("addresses", "count_distinct", "sourceIPs"),
            Metric("first", "min", "@timestamp"),
            Metric("slowest", "max", "event.duration"),
            Metric("total", "sum", "responseStatus.code"),
            Metric("mean", "avg", "responseStatus.code"),
            Metric("median", "percentile", "responseStatus.code", 50),
            Metric("evidence", "first_values", "objectRef.name", 3),
        ),
    )
    row: Any = engine.run(query).rows[0]
    assert row[0:3] == (6, 5, 3)
    assert row[3] == START + timedelta(milliseconds=2)
    assert row[4:8] == (2_000_000, 1606, pytest.approx(267.67, abs=0.01), 200.0)
    assert row[8] == ["a", "b", "c"]


def test_having_keeps_groups(engine: DuckDBEngine) -> None:
    query = Query(
        group_by=(Terms("user.username"),), metrics=(COUNT,), having=(Having("n", ">", 1),)
    )
    assert engine.run(query).rows == [("alice", 2)]


def test_times_bound_what_is_read_and_leave_out_undated_events(engine: DuckDBEngine) -> None:
    query = Query(
        select=("objectRef.name", "@timestamp"),
        since=START + timedelta(seconds=61),
        until=START + timedelta(seconds=3600),
    )
    assert [row[0] for row in engine.run(query).rows] == ["b", "c"]


def test_selected_values_keep_their_types(engine: DuckDBEngine) -> None:
    query = Query(
        where=Compare("objectRef.name", "=", "a"),
        select=("sourceIPs", "sourceIPs.0", "event.duration", "source.forwarded", "event.id"),
    )
    ((addresses, first, duration, forwarded, identity),) = engine.run(query).rows
    assert (addresses, first) == (["203.0.113.9", "10.0.0.7"], "203.0.113.9")
    assert (duration, forwarded) == (2_000_000, True)
    assert isinstance(identity, str)
    assert len(identity) == 32


def test_an_empty_store_has_no_rows(tmp_path: Path) -> None:
    store = stored(tmp_path / "store", [])
    with store.engine() as opened:
        grouped = Query(group_by=(Terms("user.groups"),), metrics=(COUNT,))
        assert opened.run(grouped).rows == []
        assert opened.run(Query(metrics=(COUNT,))).rows == [(0,)]
        groups = Metric("groups", "count_distinct", "user.groups")
        assert opened.run(Query(metrics=(groups,))).rows == [(0,)]


def test_a_query_is_stopped_when_its_time_is_over(tmp_path: Path) -> None:
    addresses = [f"10.0.{n // 250}.{n % 250}" for n in range(1000)]
    user = {"username": "alice", "groups": [f"g{n}" for n in range(1000)]}
    bodies = [{**event(seconds=n, source=addresses), "user": user} for n in range(20)]
    pairs = Query(group_by=(Terms("sourceIPs"), Terms("user.groups")), metrics=(COUNT,))
    with (
        stored(tmp_path / "store", bodies).engine(QueryOptions(timeout=0.05)) as opened,
        pytest.raises(StoreError, match=r"longer than 0\.05 seconds.*--timeout"),
    ):
        opened.run(pairs)


def test_what_duckdb_cannot_run_is_refused_when_compiled(engine: DuckDBEngine) -> None:
    with pytest.raises(UnsupportedQuery, match="a list"):
        engine.run(Query(metrics=(Metric("x", "max", "sourceIPs"),)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "either fields to select or metrics"),
        ({"select": ("verb",), "metrics": (COUNT,)}, "either fields to select or metrics"),
        ({"metrics": (COUNT, COUNT)}, "same name"),
        ({"metrics": (COUNT,), "order": (Order("x"),)}, "order names no column"),
        ({"metrics": (COUNT,), "having": (Having("x", ">", 1),)}, "no metric"),
        ({"metrics": (COUNT,), "limit": 0}, "at least 1"),
        ({"metrics": (COUNT,), "since": datetime(2026, 1, 1)}, "time zone"),
        ({"metrics": (Metric("x", "sum", "verb"),)}, "is not a number"),
        ({"metrics": (Metric("x", "count", "verb"),)}, "takes no field"),
        ({"metrics": (Metric("x", "present"),)}, "the others take one"),
        ({"metrics": (Metric("x", "last_values", "verb"),)}, "last_values gives 1 to 100"),
        ({"metrics": (COUNT,), "where": Regex("verb", "(")}, "not a regular expression"),
        ({"metrics": (COUNT,), "where": InNetwork("verb", ("10.0.0.0/8",))}, "is not an address"),
    ],
)
def test_a_query_that_contradicts_itself_is_refused(
    arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidQuery, match=message):
        Query(**arguments)


def test_an_unknown_field_names_its_neighbours() -> None:
    with pytest.raises(UnknownField, match=r"Did you mean user\.username"):
        Query(select=("user.usrname",))
