"""Hunts run together give what each gives alone."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8sidx.backends.embedded.engine import shared_scan as duckdb_shared
from k8sidx.backends.embedded.engine.engine import DuckDBEngine
from k8sidx.backends.embedded.engine.routed import RoutedEngine
from k8sidx.backends.shared import ScanRequest
from k8sidx.hunt.library.load import load_library
from k8sidx.hunt.run import Window, run_hunt, run_hunts
from k8sidx.query.algebra import (
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
    Present,
    Query,
    Regex,
    Terms,
    Wildcard,
)
from k8sidx.query.bounds import implies, over_fields, projected
from tests.building import START, event
from tests.demo import demo_lines
from tests.hunt.reference import holds
from tests.hunt.run_hunt import sigma
from tests.stores import stored

LIBRARY = load_library()


def recorded(number: int) -> list[dict[str, Any]]:
    """Some events of the demo's log, in order."""
    lines = demo_lines()
    chosen = sorted(random.Random(5).sample(range(len(lines)), number))  # noqa: S311
    return [json.loads(lines[place]) for place in chosen]


def at_random(number: int) -> list[dict[str, Any]]:
    """Events of the kinds that hunts look for, drawn without sense."""
    draw = random.Random(11)  # noqa: S311 - repeatable, not secret
    users = ["alice", "eve", "system:anonymous", "system:serviceaccount:a:b", "system:node:n",
             "System:Anonymous"]  # fmt: skip
    return [
        event(
            draw.choice(["get", "list", "create", "delete", "patch", "update", "watch", "LIST"]),
            draw.choice(["pods", "secrets", "nodes", "clusterrolebindings", "events", "services"]),
            user=draw.choice(users),
            seconds=draw.randrange(5000) / 10,
            namespace=draw.choice(["shop", "kube-system", "default"]),
            name=draw.choice(["", "a", "b", "c", "d"]),
            subresource=draw.choice(["", "", "", "exec", "proxy", "token"]),
            code=draw.choice([200, 201, 403, 403, 404, 401]),
            source=draw.choice([["10.0.0.7"], ["203.0.113.9"], ["198.51.100.4", "10.0.0.9"]]),
            agent=draw.choice(["kubectl/v1", "curl/8.5", "python-requests/2", "access_matrix"]),
            stage=draw.choice(["ResponseComplete", "ResponseStarted", "RequestReceived"]),
            auditID=f"id-{place}",
        )
        for place in range(number)
    ]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBEngine]:
    folder = tmp_path_factory.mktemp("together")
    bare = [{"verb": "get", "user": {"username": "m"}, "auditID": str(n)} for n in range(3)]
    with stored(folder / "store", [*recorded(3000), *at_random(1500), *bare]).engine() as opened:
        yield opened


def window(name: str) -> Window:
    middle = START + timedelta(hours=8, minutes=40)
    return {
        "all": Window(),
        "since": Window(since=middle),
        "until": Window(until=START + timedelta(seconds=300)),
        "baseline": Window(since=middle, baseline=timedelta(days=1)),
    }[name]


@pytest.mark.parametrize("asked", ["all", "since", "until", "baseline"])
def test_the_library_together_gives_what_each_gives_alone(asked: str, engine: DuckDBEngine) -> None:
    """Each hunt without a period and with both of its bounds, every third with one of them."""
    chosen = {"since": slice(0, None, 3), "until": slice(1, None, 3)}.get(asked, slice(None))
    together = run_hunts(LIBRARY, engine, window(asked))
    for hunt, result in list(zip(LIBRARY, together, strict=True))[chosen]:
        assert result == run_hunt(hunt, engine, window(asked)), hunt.id


def test_little_room_changes_nothing(engine: DuckDBEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duckdb_shared, "MOST_CELLS", 3000)
    together = run_hunts(LIBRARY, engine, Window())
    monkeypatch.setattr(duckdb_shared, "MOST_COMBINATIONS", 3)
    assert together == run_hunts(LIBRARY, engine, Window())
    monkeypatch.setattr(duckdb_shared, "SAMPLE", 1000)
    monkeypatch.setattr(duckdb_shared, "LARGEST_SHARE", 0.001)
    assert together == run_hunts(LIBRARY, engine, Window())


def test_a_hunt_that_cannot_run_leaves_the_others_together(engine: DuckDBEngine) -> None:
    bad = replace(sigma("{s: {verb: get}, condition: s}"), condition=Regex("verb", "x{1001}"))
    told: list[str] = []
    hunts = [*LIBRARY[:4], bad]
    found = run_hunts(hunts, engine, Window(), None, lambda hunt, _: told.append(hunt.id))
    assert told == ["rule"]
    assert found[-1].cannot_judge[0].kind == "query"
    assert found[:4] == [run_hunt(hunt, engine, Window()) for hunt in LIBRARY[:4]]


COUNT = Metric("n", "count")
QUERIES = [
    Query(metrics=(COUNT,)),
    Query(metrics=(COUNT, Metric("f", "min", "@timestamp"), Metric("l", "max", "@timestamp"))),
    Query(group_by=(Terms("verb"), Terms("sourceIPs")), metrics=(COUNT,)),
    Query(
        group_by=(Terms("sourceIPs.0", keep_missing=True),),
        metrics=(COUNT, Metric("users", "count_distinct", "user.username")),
        having=(Having("n", ">", 5),),
    ),
    Query(where=Present("@timestamp"), metrics=(COUNT,)),
    Query(group_by=(Terms("objectRef.name"),), metrics=(COUNT,)),
    Query(select=("auditID", "verb"), limit=7),
    Query(metrics=(COUNT, Metric("p", "present", "user.groups"))),
    Query(
        metrics=(Metric("p", "present", "verb"), Metric("l", "last_values", "auditID", 3)),
        having=(Having("p", "<", 1),),
    ),
    Query(group_by=(Terms("verb"),), metrics=(Metric("l", "last_values", "verb", 3),)),
    Query(group_by=(DateHistogram(timedelta(hours=1), keep_missing=True),), metrics=(COUNT,)),
]


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("verb", ["list", "no such verb"])
@pytest.mark.parametrize("within", [False, True])
def test_every_query_has_one_answer(
    query: Query, verb: str, within: bool, engine: DuckDBEngine
) -> None:
    condition = Compare("verb", "=", verb, ignore_case=True)
    fields = frozenset({"verb", "sourceIPs", "user.username", "event.id", "auditID"})
    asked = query.replace(where=And((condition, query.where))) if within else query
    with engine.prepare([ScanRequest((condition,), fields)], None, None) as engines:
        assert isinstance(engines[0], RoutedEngine)
        assert engines[0].run(asked) == engine.run(asked)


LEAVES: list[Condition] = [
    Compare("verb", "=", "get"),
    Compare("responseStatus.code", ">=", 400),
    OneOf("user.username", ("alice", "eve")),
    Wildcard("userAgent", "curl*"),
    Present("objectRef.name"),
    Compare("user.groups", "=", "x"),
]


def nested(chosen: list[Condition]) -> st.SearchStrategy[Condition]:
    return st.recursive(
        st.sampled_from(chosen),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3).map(lambda parts: And(tuple(parts))),
            st.lists(inner, max_size=3).map(lambda parts: Or(tuple(parts))),
            inner.map(Not),
        ),
        max_leaves=12,
    )


CONDITIONS = nested(LEAVES)
ROWS = st.fixed_dictionaries(
    {
        "verb": st.sampled_from(["get", "list", None]),
        "responseStatus.code": st.sampled_from([200, 403, None]),
        "user.username": st.sampled_from(["alice", "bob"]),
        "userAgent": st.sampled_from(["curl/8", "kubectl"]),
        "objectRef.name": st.sampled_from(["a", None]),
        "user.groups": st.sampled_from([["x", "y"], [], None]),
    }
)


SETTLED: list[Condition] = [
    Wildcard("userAgent", "*CURL*", ignore_case=True),
    Regex("user.username", "^system:", ignore_case=True),
    InNetwork("source.ip", ("10.0.0.0/8",)),
    InNetwork("sourceIPs", ("198.51.100.0/24",)),
    InNetwork("sourceIPs.0", ("198.51.100.0/24",)),
    OneOf("verb", ("LIST", "Get"), ignore_case=True),
    OneOf("objectRef.namespace", (*tuple(f"ns-{n}" for n in range(600)), "shop")),
    Compare("user.username", "=", "SYSTEM:anonymous", ignore_case=True),
    Compare("userAgent", ">", "d"),
    Compare("responseStatus.code", ">=", 400),
    Wildcard("responseStatus.code", "4*"),
    OneOf("responseStatus.code", (403, "404")),
    Present("objectRef.subresource"),
]


@pytest.mark.parametrize("place", range(len(SETTLED)))
@pytest.mark.parametrize("asked", ["all", "since"])
def test_comparisons_settled_for_each_value_hold_for_the_same_events(
    place: int, asked: str, engine: DuckDBEngine
) -> None:
    leaf, other = SETTLED[place], SETTLED[place - 1]
    fields = frozenset(duckdb_shared.DIMENSIONS)
    for where in (leaf, Not(leaf), And((leaf, Not(other))), Or((Not(leaf), other))):
        since = window(asked).since
        query = Query(where=where, since=since, select=("auditID", "userAgent"))
        with engine.prepare([ScanRequest((where,), fields)] * 3, since, None) as engines:
            assert isinstance(engines[0], RoutedEngine)
            assert engines[0].run(query) == engine.run(query)
            with_name = query.replace(where=And((where, Present("objectRef.name"))))
            assert engines[0].run(with_name) == engine.run(with_name)


NAMED: list[Condition] = [
    Compare("objectRef.name", "=", "a"),
    OneOf("objectRef.name", ("b", "c")),
    Not(Present("objectRef.name")),
    And((Compare("verb", "=", "get"), Compare("objectRef.name", "=", "b"))),
    And((Not(Compare("responseStatus.code", ">=", 400)), Present("objectRef.name"))),
]
"""About names, which are not among the dimensions."""


@settings(max_examples=40, deadline=None)
@given(nested(NAMED * 3 + SETTLED), nested(NAMED + SETTLED), st.sampled_from(["all", "since"]))
def test_what_the_combinations_determine_is_left_out_of_a_condition(
    engine: DuckDBEngine, condition: Condition, further: Condition, asked: str
) -> None:
    """A query about few events has the conditions that these do not all meet, or all miss."""
    since = window(asked).since
    fields = frozenset(duckdb_shared.DIMENSIONS) | {"objectRef.name", "auditID"}
    where = And((Compare("objectRef.resource", "=", "secrets"), condition))
    query = Query(where=And((where, further)), since=since, select=("auditID", "userAgent"))
    with engine.prepare([ScanRequest((where,), fields)] * 3, since, None) as engines:
        assert isinstance(engines[0], RoutedEngine)
        assert engines[0].run(query) == engine.run(query)


@given(
    CONDITIONS,
    ROWS,
    st.frozensets(st.sampled_from(["verb", "responseStatus.code", "userAgent", "user.groups"])),
)
def test_what_is_said_of_some_fields_holds_wherever_the_condition_does(
    condition: Condition, row: dict[str, Any], known: frozenset[str]
) -> None:
    bound = projected(condition, over_fields(known))
    if holds(condition, row):
        assert holds(bound, row)
    everything = projected(condition, lambda _: True)
    assert holds(everything, row) == holds(condition, row)


def test_a_condition_implies_itself_parts_of_its_and_and_alternatives() -> None:
    a, b = LEAVES[0], LEAVES[1]
    assert implies(a, a)
    assert implies(And((b, And((a, b)))), a)
    assert implies(a, Or((b, a)))
    assert implies(And((LEAVES[2], b)), Or((a, And((b, LEAVES[2])), b)))
    assert not implies(Or((a, b)), a)
    assert not implies(a, Or(()))
    assert not implies(Not(a), a)
