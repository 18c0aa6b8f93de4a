"""Hunts over indices that other shippers filled give the rows of the embedded store over the
same events, or say which field the index lacks."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from k8sidx.backends.cluster.engine.engine import SearchEngine
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.index.target import Target
from k8sidx.backends.cluster.schema.detect import choose_profile
from k8sidx.backends.cluster.store import ClusterStore
from k8sidx.backends.connection import ConnectionSettings
from k8sidx.backends.open import temporary_store
from k8sidx.backends.protocol import StoreEngine
from k8sidx.errors import StoreError, UnsupportedQuery
from k8sidx.hunt.library.load import load_library
from k8sidx.hunt.result import HuntResult
from k8sidx.hunt.run import Window, run_hunts
from k8sidx.query.algebra import (
    And,
    Compare,
    Condition,
    DateHistogram,
    InNetwork,
    Metric,
    Not,
    OneOf,
    Order,
    Present,
    Query,
    Regex,
    Terms,
    Wildcard,
)
from tests.backends.cluster.shippers import SHAPES, Event, Shape, fill
from tests.building import at, event, normalized
from tests.conformance.index_events import fill as fill_own
from tests.demo import demo_lines
from tests.stores import stored

COUNT = Metric("n", "count")
MINUTE = timedelta(minutes=1)
DYNAMIC, ELASTIC = "filebeat, vector", "elastic integration"
HUNTS = (
    *("exec_forbidden_repeat", "forbidden_burst_user", "forbidden_list_burst", "forbidden_surge"),
    *("new_user_agent", "pod_exec", "secret_get_denied", "secret_read_burst"),
    *("topn_forbidden_list_resource", "topn_forbidden_user", "topn_source_ip"),
    *("topn_status_code", "topn_user_agent", "topn_user_by_agent", "topn_user_by_ip"),
    "unauthorized_or_forbidden",
)
"""The hunts of the article."""


@functools.cache
def recorded() -> list[Event]:
    """A sample of a real API server's log."""
    events: list[Event] = [orjson.loads(line) for line in demo_lines()]
    return [
        to_milliseconds(one)
        for place, one in enumerate(events)
        if place % 100 == 0
        or (place % 3 == 0 and one.get("responseStatus", {}).get("code", 0) >= 400)
        or one.get("objectRef", {}).get("subresource") == "exec"
        or "impersonatedUser" in one
        or len(one.get("sourceIPs", ())) > 1
    ]


def to_milliseconds(body: Event) -> Event:
    """Fields of the type date keep no more of a time."""
    times = ("requestReceivedTimestamp", "stageTimestamp")
    return body | {name: f"{body[name][:23]}000Z" for name in times if name in body}


def plain() -> list[Event]:
    """Those that came straight from one address, made by nobody for another."""
    return [
        one
        for one in recorded()
        if "impersonatedUser" not in one and len(one.get("sourceIPs", ())) == 1
    ]


def engine_over(
    cluster: Cluster, prefix: str, events: Sequence[Event], name: str = DYNAMIC
) -> SearchEngine:
    """An engine over an index of the events as that shipper writes them."""
    shape: Shape = SHAPES[name]
    fill(cluster, f"{prefix}-1", [shape.document(one) for one in events], shape)
    return SearchEngine(cluster, f"{prefix}-*", choose_profile(cluster, f"{prefix}-*"))


@pytest.mark.parametrize("shape", SHAPES)
def test_the_articles_hunts(cluster: Cluster, prefix: str, shape: str, tmp_path: Path) -> None:
    """Also where some events were made by one user for another, over several addresses."""
    events = recorded() if shape in (DYNAMIC, ELASTIC) else plain()
    engine_over(cluster, prefix, events, shape)
    store = ClusterStore(cluster.url, Target(f"{prefix}-*"), ConnectionSettings(), temporary_store)
    with store.engine() as engine:
        compare(engine, events, tmp_path)
    store.cluster.close()


def compare(engine: StoreEngine, events: Sequence[Event], folder: Path) -> None:
    hunts = [hunt for hunt in load_library() if hunt.id in HUNTS]
    assert len(hunts) == len(HUNTS)
    found = run_hunts(hunts, engine, Window(), on_error=lambda hunt, error: None)
    with stored(folder / "store", events).engine() as embedded:
        wanted = run_hunts(hunts, embedded, Window())
    for mine, theirs in zip(found, wanted, strict=True):
        assert mine.exact, mine.hunt
        assert comparable(mine) == comparable(theirs), mine.hunt
    assert sum(bool(one.rows) for one in found) > 4, "there was something to find"


def comparable(result: HuntResult) -> HuntResult:
    """Events of the same moment have no order in common: their ids are told in any. That the
    index does not say which platform logged an event is a verdict of the one side only."""
    findings = [replace(one, audit_ids=tuple(sorted(one.audit_ids))) for one in result.findings]
    told = tuple(one for one in result.cannot_judge if not one.reason.startswith("the index has"))
    return replace(result, engine="", findings=findings, cannot_judge=told)


SYSTEM = "system:serviceaccount:kube-system:job-controller"
EVENTS = [
    event(user="alice", name="a", seconds=1),
    event(user="alice", name="b", seconds=2, code=403, decision="forbid"),
    event(user="bob", name="c", seconds=3, code=404, decision="allow"),
    event("list", seconds=4, code=401, namespace="") | {"user": {}},
    event(user="system:anonymous", seconds=5, code=403),
    event(user=SYSTEM, seconds=6, verb="create", code=201),
    event(user="system:node:n1", seconds=7, source="2001:db8::7"),
    event(user="system:kube-scheduler", seconds=8),
    event(user="ci@p.iam.gserviceaccount.com", seconds=9),
    event(user="masterclient", seconds=10),
    event(user="aksService", seconds=11),
    event(user="eks:x", seconds=12, subresource="exec", name="web-0", code=101),
    event(user="dora", seconds=13, resource="deployments", objectRef={
        "resource": "deployments", "apiGroup": "apps", "apiVersion": "v1", "namespace": "shop"}),
    event(user="dora", seconds=14, stage="RequestReceived", responseStatus=None),
]  # fmt: skip
IMPERSONATED = event(
    user=SYSTEM, seconds=15, impersonatedUser={"username": "mallory", "groups": ["g"]}
)
CONDITIONS: list[Condition] = [
    *(Compare("event.outcome", "=", one) for one in ("failure", "success", "unknown", "odd")),
    Not(Compare("event.outcome", "=", "Failure", ignore_case=True)),
    *(
        Compare("user.kind", "=", one)
        for one in ("human", "serviceaccount", "node", "control-plane", "anonymous", "unknown")
    ),
    OneOf("user.kind", ("human", "node")),
    Compare("user.controller", "=", True),
    Present("user.controller"),
    Compare("user.effective.name", "=", "alice"),
    Wildcard("user.effective.name", "system:*"),
    Regex("user.effective.name", "^(mall|al)"),
    Present("user.effective.name"),
    Not(Present("user.effective.name")),
    OneOf("target.resource", ("pods", "pods/exec")),
    Compare("target.resource", "=", "PODS/Exec", ignore_case=True),
    Compare("target.resource", "=", "pods"),
    Compare("objectRef.apiGroup", "=", "core"),
    OneOf("objectRef.apiGroup", ("apps", "core")),
    Compare("objectRef.apiGroup", "=", "apps"),
    Present("objectRef.apiGroup"),
    Compare("annotations.authorization.k8s.io/decision", "=", "forbid"),
    And((Compare("responseStatus.code", ">=", 400), Not(Compare("verb", "=", "list")))),
    Compare("user.groups", "=", "system:authenticated"),
    Compare("impersonatedUser.username", "=", "nobody"),
    Present("sourceIPs.0"),
]


@pytest.mark.parametrize("shape", [DYNAMIC, "fluent bit, dots replaced", ELASTIC])
@pytest.mark.parametrize("impersonates", [False, True])
def test_conditions_on_derived_fields_mean_the_same(
    cluster: Cluster, prefix: str, tmp_path: Path, shape: str, impersonates: bool
) -> None:
    events = [to_milliseconds(one) for one in [*EVENTS, *[IMPERSONATED][: int(impersonates)]]]
    engine = engine_over(cluster, prefix, events, shape)
    with stored(tmp_path / "store", events).engine() as embedded:
        for condition in CONDITIONS:
            if shape == ELASTIC and condition == Compare(
                "user.groups", "=", "system:authenticated"
            ):
                continue
            query = Query(
                where=condition,
                select=("auditID", "@timestamp", "target.resource", "source.ip", "sourceIPs"),
            )
            assert engine.run(query).rows == embedded.run(query).rows, condition


def test_addresses_are_one_where_there_is_one(
    cluster: Cluster, prefix: str, tmp_path: Path
) -> None:
    events = [to_milliseconds(one) for one in EVENTS]
    engine = engine_over(cluster, prefix, events, ELASTIC)
    queries = [
        Query(where=InNetwork(name, ("2001:db8::/32", "10.9.0.0/16")), select=("auditID",))
        for name in ("source.ip", "sourceIPs", "sourceIPs.0")
    ]
    queries.append(
        Query(
            group_by=(Terms("source.ip", "address"), DateHistogram(interval=MINUTE)),
            metrics=(Metric("n", "count"),),
            order=(Order("n", descending=True),),
        )
    )
    with stored(tmp_path / "store", events).engine() as embedded:
        for query in queries:
            assert engine.run(query).rows == embedded.run(query).rows


@pytest.mark.parametrize(
    ("query", "lack"),
    [
        (Query(where=Compare("pod.privileged", "=", True), select=("verb",)), "pod.privileged"),
        (Query(select=("message",)), "message"),
        (Query(where=Compare("source.ip", "=", "10.0.0.7"), select=("verb",)), "source.ip"),
        (Query(where=Wildcard("user.kind", "h*"), select=("verb",)), "user.kind"),
        (Query(where=Present("requestObject.kind"), select=("verb",)), "requestObject.kind"),
        (Query(group_by=(Terms("event.outcome"),), metrics=(COUNT,)), "event.outcome"),
        (Query(group_by=(Terms("source.ip"),), metrics=(COUNT,)), "source.ip"),
        (Query(group_by=(Terms("objectRef.apiGroup"),), metrics=(COUNT,)), "objectRef.apiGroup"),
        (Query(group_by=(Terms("user.effective.name"),), metrics=(COUNT,)), "user.effective.name"),
        (Query(select=("user.groups",), order=(Order("user_agent.name"),)), "user_agent.name"),
    ],
)
def test_what_is_lacking_is_named(
    opensearch: Cluster, prefix: str, query: Query, lack: str
) -> None:
    events = [IMPERSONATED, event(seconds=1, source=["192.0.2.1", "10.0.0.7"])]
    engine = engine_over(opensearch, prefix, events, "bodies as text")
    with pytest.raises(UnsupportedQuery, match=f"this index has no {lack}"):
        engine.run(query)


def test_a_value_too_long_for_the_keyword_makes_the_answer_inexact(
    cluster: Cluster, prefix: str
) -> None:
    engine = engine_over(cluster, prefix, [event(), event(seconds=1, agent="x" * 300)])
    agents = engine.run(Query(group_by=(Terms("userAgent"),), metrics=(COUNT,)))
    verbs = engine.run(Query(group_by=(Terms("verb"),), metrics=(COUNT,)))
    assert (len(agents.rows), agents.exact) == (1, False)
    assert (verbs.rows, verbs.exact) == ([("get", 2)], True)


def test_the_time_is_that_of_the_event_not_of_its_shipping(cluster: Cluster, prefix: str) -> None:
    engine = engine_over(cluster, prefix, [event(seconds=7)])
    [(moment,)] = engine.run(Query(select=("@timestamp",))).rows
    assert f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z" == at(7.002)


def test_the_audit_level_that_openshifts_logging_has_moved(cluster: Cluster, prefix: str) -> None:
    engine = engine_over(cluster, prefix, [event()], "viaq")
    assert engine.run(Query(select=("level",))).rows == [("Metadata",)]


def test_a_list_that_is_full_text_can_be_read_but_not_asked_for(
    cluster: Cluster, prefix: str
) -> None:
    engine = engine_over(cluster, prefix, [event()], ELASTIC)
    assert engine.run(Query(select=("user.groups",))).rows == [(["system:authenticated"],)]
    with pytest.raises(UnsupportedQuery, match=r"no user\.groups that .* it is mapped as text"):
        engine.run(Query(where=Compare("user.groups", "=", "x"), select=("verb",)))


def test_a_field_of_two_types_is_named(cluster: Cluster, prefix: str) -> None:
    shape = Shape(lambda one: one, {"properties": {"verb": {"type": "long"}}})
    fill(cluster, f"{prefix}-2", [event() | {"verb": 5}], shape)
    engine = engine_over(cluster, prefix, [event()])
    with pytest.raises(UnsupportedQuery, match=r"no verb that .* mapped as long and text"):
        engine.run(Query(where=Compare("verb", "=", "get"), select=("auditID",)))


def test_whole_lines_in_one_field_are_refused(cluster: Cluster, prefix: str) -> None:
    line = {"@timestamp": "2026-01-01T00:00:00Z", "log": orjson.dumps(event()).decode()}
    fill(cluster, f"{prefix}-1", [line], Shape(lambda one: one))
    with pytest.raises(StoreError, match="holds no audit events that can be searched") as raised:
        choose_profile(cluster, f"{prefix}-*")
    assert "ship the logs with k8sidx" in raised.value.remedy


def test_own_indices_and_none_at_all(cluster: Cluster, prefix: str) -> None:
    assert choose_profile(cluster, f"{prefix}-*").name == "k8sidx"
    fill_own(cluster, prefix, [normalized(event())])
    assert choose_profile(cluster, f"{prefix}-*").name == "k8sidx"


@pytest.mark.parametrize("index", ["prefix", "pattern", "name"])
def test_a_store_of_such_an_index(cluster: Cluster, prefix: str, index: str) -> None:
    shape = SHAPES[DYNAMIC]
    name = prefix if index == "name" else f"{prefix}-1"
    fill(cluster, name, [shape.document(event(seconds=n)) for n in range(3)], shape)
    target = Target(f"{prefix}*" if index == "pattern" else prefix)
    store = ClusterStore(cluster.url, target, ConnectionSettings())
    summary = store.info()
    store.cluster.close()
    assert summary.events == 3
    assert summary.first is not None
    assert summary.last is not None
    assert (summary.last - summary.first).total_seconds() == 2
