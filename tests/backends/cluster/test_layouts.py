"""Hunts over indices that other programs filled have the findings of an own index of the same
events; where the documents lack a part of them, a hunt that needs it is refused by name."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from docs.generate.translations import LAYOUTS as DOCUMENTED
from k8sidx.backends.cluster.documents.gaps import OF_METADATA
from k8sidx.backends.cluster.engine import deriving
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.index.target import Target
from k8sidx.backends.cluster.store import ClusterStore
from k8sidx.backends.connection import ConnectionSettings
from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.backends.open import temporary_store
from k8sidx.backends.protocol import ForeignIndex
from k8sidx.cli import app
from k8sidx.errors import StoreError, UnsupportedQuery
from k8sidx.events.fields.table import FIELDS, Kind
from k8sidx.hunt.library.load import load_hunts, load_library
from k8sidx.hunt.result import HuntResult
from k8sidx.hunt.run import Window, run_hunts
from k8sidx.query.algebra import Compare, Condition, Metric, Query, Terms
from tests.backends.cluster.shippers import LAYOUTS, Event, Shape, fill
from tests.building import at, event, normalized
from tests.conformance.index_events import fill as fill_own
from tests.servers.cleaning import remove_all
from tests.servers.fixtures import unique_prefix
from tests.stores import stored

PAGE = Path(__file__).parents[3] / "docs" / "hunts-elsewhere.md"
COUNT = Metric("n", "count")
HUNTS = (
    *("privileged_pod", "secret_get", "cluster_admin_binding", "exec_shell_or_tool"),
    *("host_pid_pod", "anonymous_request", "topn_source_ip", "secret_read_burst"),
)
DIFFERENT = {
    "event.bytes": "the size of the JSON, which the shipper has written anew",
    "event.provider": "who logged the event, which some wrappings show",
    "orchestrator.cluster.name": "the cluster, which some wrappings name",
}
"""Fields that depend on how an event is wrapped."""
WITHOUT_METADATA = "Elastic Kubernetes integration"
IN_PART = frozenset(
    {
        *("event.id", "event.redacted", "target.name", "message", "pod.workload"),
        *("service.apps", "ingress.injections"),
    }
)
"""Fields that are made of the metadata and of other parts."""


@dataclass(frozen=True)
class Attacked:
    """A log with attacks.

    :param own: an own store of the same events.
    """

    events: list[Event]
    own: EmbeddedStore
    window: Window


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Attacked:
    folder = tmp_path_factory.mktemp("layouts")
    log, labels = folder / "audit.log", folder / "labels.json"
    options = ["-o", str(log), "--labels", str(labels), "--events", "2000", "--span", "6h"]
    assert CliRunner().invoke(app, ["generate", *options]).exit_code == 0
    events = [orjson.loads(line) for line in log.read_bytes().splitlines()]
    since = datetime.fromisoformat(json.loads(labels.read_text("utf-8"))["since"])
    own = stored(folder / "store", events)
    return Attacked(events, own, Window(since=since, baseline=timedelta(hours=3)))


def store_of(cluster: Cluster, index: str) -> ClusterStore:
    return ClusterStore(cluster.url, Target(index), ConnectionSettings(), temporary_store)


@pytest.fixture
def filled(cluster: Cluster, attacked: Attacked, layout: str) -> Iterator[ClusterStore]:
    prefix = unique_prefix()
    shape = LAYOUTS[layout]
    fill(cluster, f"{prefix}-1", [shape.document(one) for one in attacked.events], shape)
    store = store_of(cluster, f"{prefix}-*")
    yield store
    store.cluster.close()
    remove_all(cluster, prefix)


def comparable(result: HuntResult) -> HuntResult:
    """Events of one moment have no order in common; who logged them is known from the wrapping."""
    findings = [replace(one, audit_ids=tuple(sorted(one.audit_ids))) for one in result.findings]
    told = tuple(one for one in result.cannot_judge if one.kind != "platform")
    return replace(result, engine="", findings=findings, cannot_judge=told)


@pytest.mark.parametrize("layout", ["Filebeat, under json", "Fluent Bit, raw"])
def test_hunts_have_the_findings_of_an_own_index(
    filled: ClusterStore, attacked: Attacked, layout: str
) -> None:
    hunts = load_hunts(HUNTS)
    with filled.engine() as engine, attacked.own.engine() as own:
        mine = run_hunts(hunts, engine, attacked.window)
        theirs = run_hunts(hunts, own, attacked.window)
    assert list(map(comparable, mine)) == list(map(comparable, theirs))
    assert sum(bool(one.findings) for one in mine) >= 5


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_field_is_that_of_an_own_index(
    filled: ClusterStore, attacked: Attacked, layout: str
) -> None:
    """Hence every hunt that can run has the same findings; docs/hunts-elsewhere.md has how many."""
    every_layout_is_tested(filled, layout)
    hunts = load_library()
    with filled.engine() as engine, attacked.own.engine() as own:
        assert isinstance(engine, ForeignIndex)
        lacks = engine.lack_of([hunt.condition for hunt in hunts])
        mine, theirs = engine.run(query_of(layout)), own.run(query_of(layout))
    assert sorted(mine.rows, key=repr) == sorted(theirs.rows, key=repr)
    able = sum(not lack for lack in lacks)
    assert LAYOUTS.keys() == DOCUMENTED.keys()
    assert f"| {layout} | {able} of {len(hunts)} |" in PAGE.read_text("utf-8"), able
    assert able >= 140


def every_layout_is_tested(filled: ClusterStore, layout: str) -> None:
    """Under CI on both products; otherwise the one product takes every second layout."""
    even = filled.cluster.product == "opensearch"
    if os.environ.get("CI") != "true" and (list(LAYOUTS).index(layout) % 2 == 0) != even:
        pytest.skip("the other product has this layout, unless CI=true")


def query_of(layout: str) -> Query:
    """All fields that do not depend on the wrapping."""
    lacking = OF_METADATA | IN_PART if layout == WITHOUT_METADATA else frozenset()
    names = [
        field.name
        for field in FIELDS
        if field.kind is not Kind.JSON and field.name not in DIFFERENT.keys() | lacking
    ]
    return Query(select=tuple(names))


def test_several_shapes_in_one_pattern_are_added_up(cluster: Cluster, prefix: str) -> None:
    names = ("Filebeat, at the root", "Filebeat, under json", "Vector")
    for number, name in enumerate(names):
        shape = LAYOUTS[name]
        bodies = [event(user=f"user-{number}", seconds=number), event(seconds=9)]
        fill(cluster, f"{prefix}-{number}", [shape.document(one) for one in bodies], shape)
    store = store_of(cluster, f"{prefix}-*")
    query = Query(group_by=(Terms("user.username", "user"),), metrics=(COUNT,))
    with store.engine() as engine:
        found = {str(user): count for user, count in engine.run(query).rows}
    store.cluster.close()
    assert found == {"alice": 1, "user-0": 1, "user-1": 1, "user-2": 1}


def test_an_index_that_lacks_a_field_ends_no_query(cluster: Cluster, prefix: str) -> None:
    shape = Shape(lambda one: one)
    fill(cluster, f"{prefix}-1", [event()], shape)
    fill(cluster, f"{prefix}-2", [{"@timestamp": at(0), "other": "log"}], shape)
    store = store_of(cluster, f"{prefix}-*")
    with store.engine() as engine:
        query = Query(select=("verb",), where=Compare("verb", "=", "get"))
        assert engine.run(query).rows == [("get",)]
    store.cluster.close()


@pytest.mark.parametrize(
    ("removed", "condition", "lack"),
    [
        ("requestObject", Compare("pod.privileged", "=", True), "pod.privileged"),
        ("sourceIPs", Compare("source.ip", "=", "192.0.2.1"), "source.ip"),
        ("requestURI", Compare("request.dry_run", "=", True), "request.dry_run"),
    ],
)
def test_a_condition_on_what_no_document_has_is_refused(
    cluster: Cluster, prefix: str, removed: str, condition: Condition, lack: str
) -> None:
    body = event("create", level="Request", code=201, requestObject={"kind": "Pod", "metadata": {}})
    del body[removed]
    fill(cluster, f"{prefix}-1", [body], Shape(lambda one: one))
    store = store_of(cluster, f"{prefix}-*")
    with store.engine() as engine, pytest.raises(UnsupportedQuery, match=f"no {lack}: none of"):
        engine.run(Query(where=condition, select=("verb",)))
    store.cluster.close()


def test_more_documents_than_can_be_read_are_refused(
    cluster: Cluster, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deriving, "MOST_DOCUMENTS", 2)
    bodies = [event("create", "pods", seconds=n) for n in range(3)] + [event("get", "nodes")]
    fill(cluster, f"{prefix}-1", bodies, Shape(lambda one: one))
    store = store_of(cluster, f"{prefix}-*")
    with store.engine() as engine:
        agents = Query(group_by=(Terms("user_agent.name"),), metrics=(COUNT,))
        with pytest.raises(UnsupportedQuery, match="4 documents would be read, more than 2"):
            engine.run(agents)
        few = agents.replace(where=Compare("verb", "=", "get"))
        assert engine.run(few).rows == [("kubectl", 1)]
    store.cluster.close()


def test_documents_without_any_audit_event_are_refused(cluster: Cluster, prefix: str) -> None:
    fill(cluster, f"{prefix}-1", [{"log": "not an event"}], Shape(lambda one: one))
    store = store_of(cluster, f"{prefix}-*")
    with store.engine() as engine, pytest.raises(StoreError, match="holds no audit events"):
        engine.run(Query(select=("verb",)))
    store.cluster.close()


def test_own_and_foreign_indices_are_not_queried_together(cluster: Cluster, prefix: str) -> None:
    fill_own(cluster, f"{prefix}-own", [normalized(event())])
    fill(cluster, f"{prefix}-other", [event()], Shape(lambda one: one))
    store = store_of(cluster, f"{prefix}-*")
    with pytest.raises(StoreError, match=r"k8sidx filled .* and another program"):
        store.engine()
    store.cluster.close()
