"""Summaries in a cluster: the same answer with them and without, on real servers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.index.companions import summaries_index
from k8sidx.backends.cluster.index.document import document, document_id
from k8sidx.backends.cluster.index.target import Target
from k8sidx.backends.cluster.store import ClusterStore
from k8sidx.backends.connection import ConnectionSettings
from k8sidx.backends.summaries import SummaryEngine, completed_days
from k8sidx.backends.summary_key import digest_of
from k8sidx.hunt.library.load import load_hunts
from k8sidx.hunt.result import HuntResult
from k8sidx.hunt.run import Window, run_hunts
from tests.building import START, event, normalized
from tests.conformance.index_events import fill

DAY = 86_400
HUNTS = load_hunts(
    ["new_user_agent", "topn_user_by_agent", "topn_status_code", "forbidden_surge", "source_silent"]
)
WINDOW = Window(since=START + timedelta(days=5, hours=3), baseline=timedelta(days=5))
QUESTION = HUNTS[0].baseline_queries()[-1]


def events(*agents: str, days: int = 7) -> list[dict[str, Any]]:
    return [
        event(
            user=user,
            agent=agent,
            seconds=day * DAY + hour * 3600,
            code=403 if hour % 3 else 200,
            name=f"{agent}{hour}",
        )
        for day in range(days)
        for hour in range(5)
        for user in ("alice", "system:node:worker-1")
        for agent in agents
    ]


def opened(cluster: Cluster, prefix: str, *more: dict[str, Any]) -> ClusterStore:
    fill(cluster, prefix, [normalized(one) for one in [*events("kubectl/v1.37.2", "go/1"), *more]])
    return ClusterStore(cluster.url, Target(prefix), ConnectionSettings())


def judged(store: ClusterStore) -> list[HuntResult]:
    """What the hunts say with summaries, the same as without them."""
    with store.engine() as engine:
        summaries = engine.summaries()
        assert summaries is not None
        scanned = run_hunts(HUNTS, engine, WINDOW)
        summed = run_hunts(HUNTS, engine, WINDOW, summaries=summaries)
        assert summed == scanned
        assert summaries.error == ""
    return summed


def documents(cluster: Cluster, prefix: str) -> list[dict[str, Any]]:
    path = f"/{summaries_index(prefix)}/_search?size=1000&ignore_unavailable=true"
    return [hit["_source"] for hit in cluster.request("POST", path).json()["hits"]["hits"]]


def test_hunts_say_the_same_with_summaries(every_cluster: Cluster, prefix: str) -> None:
    late = event(agent="curl/8.5.0", seconds=6 * DAY)
    store = opened(every_cluster, prefix, late)
    first = judged(store)
    made = documents(every_cluster, prefix)
    assert made
    assert judged(store) == first
    assert len(documents(every_cluster, prefix)) == len(made)
    assert [one.key["user_agent.name"] for one in first[0].findings] == ["curl"]


def test_a_day_that_events_came_to_is_counted_again(cluster: Cluster, prefix: str) -> None:
    store = opened(cluster, prefix)
    judged(store)
    before = {(one["question"], one["day"]): one["state"] for one in documents(cluster, prefix)}
    late = normalized(event(agent="curl/8.5.0", seconds=2 * DAY))
    path = f"/{prefix}-2026.11.25/_doc/{document_id(late.values.id).decode()}?refresh=true"
    assert cluster.request("PUT", path, body=document(late)).status == 201
    judged(store)
    after = {(one["question"], one["day"]): one["state"] for one in documents(cluster, prefix)}
    assert before.keys() == after.keys()
    assert {one[1] for one in after if after[one] != before[one]} == {"2026-11-25"}


def test_a_summary_of_many_rows_lies_in_several_documents(
    cluster: Cluster, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("k8sidx.backends.cluster.summaries.PART_ROWS", 3)
    store = opened(cluster, prefix)
    query = QUESTION.replace(since=START - timedelta(days=1), until=START + timedelta(days=5))
    with store.engine() as engine:
        summaries = engine.summaries()
        assert summaries is not None
        days = completed_days(summaries)
        SummaryEngine(engine, summaries, ()).make(QUESTION, days)
        assert summaries.kept(digest_of(QUESTION)) == frozenset(days)
        one = SummaryEngine(engine, summaries, [QUESTION])
        assert one.run(query) == engine.run(query)
        held = documents(cluster, prefix)
        assert {part["parts"] for part in held} == {2}
        lost = f"{digest_of(QUESTION)}-{days[1]}-{summaries.days()[days[1]]}-1"
        path = f"/{summaries_index(prefix)}/_doc/{lost}?refresh=true"
        assert cluster.request("DELETE", path).status == 200
        assert summaries.kept(digest_of(QUESTION)) == frozenset(days) - {days[1]}
        assert one.run(query) == engine.run(query)
        assert summaries.kept(digest_of(QUESTION)) == frozenset(days), "made again"


def test_an_index_of_that_name_that_is_not_ours_is_left_alone(
    opensearch: Cluster, prefix: str
) -> None:
    assert opensearch.request("PUT", f"/{summaries_index(prefix)}").status == 200
    store = opened(opensearch, prefix)
    with store.engine() as engine:
        summaries = engine.summaries()
        run_hunts(HUNTS, engine, WINDOW, summaries=summaries)
        assert summaries is not None
        assert "it was not made by k8sidx" in summaries.error
    assert documents(opensearch, prefix) == []


def test_foreign_indices_have_no_summaries(opensearch: Cluster, prefix: str) -> None:
    opened(opensearch, prefix)
    store = ClusterStore(opensearch.url, Target(f"{prefix}-*"), ConnectionSettings())
    with store.engine() as engine:
        assert engine.summaries() is None
