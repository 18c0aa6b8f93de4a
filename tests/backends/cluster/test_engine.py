"""Searches on real servers: whole answers or errors, on one state, in time."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from elasticsearch.dsl.query import MatchAll

from k8sidx.backends.cluster.engine.composite import Composite, Source
from k8sidx.backends.cluster.engine.engine import SearchEngine
from k8sidx.backends.cluster.engine.session import Session
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.index.document import document_id
from k8sidx.backends.cluster.index.names import IndexNames
from k8sidx.backends.protocol import EXACT, QueryOptions
from k8sidx.errors import StoreError, UnsupportedQuery
from k8sidx.events.normalize.event import Normalized
from k8sidx.query.algebra import (
    And,
    Compare,
    Condition,
    Metric,
    Or,
    Order,
    Present,
    Query,
    Regex,
    Terms,
)
from tests.building import event, normalized
from tests.conformance.index_events import fill

COUNT = Metric("n", "count")
EVERY = Query(metrics=(COUNT,))
BY_USER = Query(group_by=(Terms("user.username"), Terms("verb")), metrics=(COUNT,))


def users(count: int) -> list[Normalized]:
    return [normalized(event(user=f"u{n}", seconds=n)) for n in range(count)]


def erase(cluster: Cluster, prefix: str, events: list[Normalized]) -> None:
    names = IndexNames(prefix)
    lines = b"".join(
        orjson.dumps(
            {
                "delete": {
                    "_index": names.of(one.values.timestamp),
                    "_id": document_id(one.values.id).decode(),
                }
            }
        )
        + b"\n"
        for one in events
    )
    answer = cluster.request("POST", "/_bulk", params={"refresh": "true"}, body=lines)
    assert not answer.json()["errors"]


def opened(cluster: Cluster, index: str) -> int:
    """Contexts that searches keep open on the indices."""
    found = cluster.request("GET", f"/{index}/_stats/search").json()
    count: int = found["_all"]["total"]["search"]["open_contexts"]
    return count


def test_no_index_is_an_error_that_says_so(every_cluster: Cluster, prefix: str) -> None:
    for index in (f"{prefix}-*", f"{prefix}-one"):
        with pytest.raises(StoreError, match=f"no index of the cluster is named {prefix}.*ship"):
            SearchEngine(every_cluster, index).run(EVERY)
        with Session(every_cluster, index, EXACT) as session:
            with pytest.raises(StoreError, match="no index of the cluster"):
                session.search({"size": 0})
            with pytest.raises(StoreError, match="no index of the cluster"):
                session.pin()


def test_a_field_that_no_index_has_is_an_error(every_cluster: Cluster, prefix: str) -> None:
    body = {"mappings": {"dynamic": False, "properties": {"verb": {"type": "text"}}}}
    assert every_cluster.request("PUT", f"/{prefix}-1", body=body).status == 200
    engine = SearchEngine(every_cluster, f"{prefix}-*")
    with pytest.raises(StoreError, match=r"has the field user\.username"):
        engine.run(Query(metrics=(COUNT,), where=Present("user.username")))
    with pytest.raises(StoreError, match=f"{prefix}-1 has verb as text"):
        engine.run(Query(metrics=(COUNT,), where=Present("verb")))


def test_missing_shards_are_an_error_never_a_smaller_number(
    every_cluster: Cluster, prefix: str
) -> None:
    engine = fill(every_cluster, prefix, users(3))
    assert engine.run(EVERY).rows == [(3,)]
    settings = {"index.routing.allocation.require._name": "nobody", "number_of_replicas": 0}
    made = every_cluster.request(
        "PUT", f"/{prefix}-red", body={"settings": settings},
        params={"wait_for_active_shards": "0"},
    )  # fmt: skip
    assert made.status == 200
    for query in (EVERY, BY_USER, Query(select=("verb",)), Query(select=("verb",), limit=1)):
        with pytest.raises(StoreError, match=r"on no running node \(red\)"):
            engine.run(query)


def test_a_query_sees_one_state_of_the_index(every_cluster: Cluster, prefix: str) -> None:
    events = users(20)
    fill(every_cluster, prefix, events)
    index = f"{prefix}-*"
    with Session(every_cluster, index, EXACT) as session:
        session.pin()
        sources = [Source({"terms": {"field": "user.username"}})]
        composite = Composite(session, MatchAll(), sources, page=5)
        groups = composite.buckets()
        first = [next(groups) for _ in range(3)]
        erase(every_cluster, prefix, events)
        assert len([*first, *groups]) == 20


@contextmanager
def without_memory(cluster: Cluster) -> Iterator[None]:
    """No search gets memory for its groups."""
    limit = {"persistent": {"indices.breaker.request.limit": "1b"}}
    none = {"persistent": {"indices.breaker.request.limit": None}}
    try:
        assert cluster.request("PUT", "/_cluster/settings", body=limit).status == 200
        yield
    finally:
        assert cluster.request("PUT", "/_cluster/settings", body=none).status == 200


def test_a_search_waits_until_the_cluster_has_memory(every_cluster: Cluster, prefix: str) -> None:
    engine = fill(every_cluster, prefix, users(5))
    with ThreadPoolExecutor() as pool, without_memory(every_cluster):
        answer = pool.submit(engine.run, BY_USER)
        with pytest.raises(TimeoutError):
            answer.result(timeout=0.5)
    assert len(answer.result().rows) == 5


def test_a_search_that_gets_no_memory_says_so_in_the_end(
    every_cluster: Cluster, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("k8sidx.backends.cluster.engine.session.RETRY_SECONDS", 0.2)
    engine = fill(every_cluster, prefix, users(5))
    with without_memory(every_cluster), pytest.raises(StoreError, match="lacks the memory"):
        engine.run(BY_USER)


def test_what_is_too_much_for_a_cluster_is_told_as_that(
    every_cluster: Cluster, prefix: str
) -> None:
    """So that query text is answered over the events instead."""
    engine = fill(every_cluster, prefix, users(3))
    pattern = Query(metrics=(COUNT,), where=Regex("userAgent", "[ab]*a[ab]{25}$"))
    with pytest.raises(UnsupportedQuery, match="too complex for the cluster"):
        engine.run(pattern)
    deep: Condition = Present("verb")
    for _ in range(40):
        deep = Or((Compare("verb", "=", "x"), And((Present("user.username"), deep))))
    nested = Query(metrics=(COUNT,), where=deep)
    if every_cluster.product == "opensearch":
        assert engine.run(nested).rows == [(3,)]
    else:
        with pytest.raises(UnsupportedQuery, match="too complex for the cluster"):
            engine.run(nested)


def test_points_in_time_are_closed(every_cluster: Cluster, prefix: str) -> None:
    engine = fill(every_cluster, prefix, users(5))
    for query in (BY_USER, Query(select=("verb",)), EVERY):
        engine.run(query)
    with Session(every_cluster, f"{prefix}-*", EXACT) as session:
        session.pin()
        assert opened(every_cluster, f"{prefix}-*")
        with pytest.raises(StoreError, match="nonsense"):
            session.search({"query": {"nonsense": {}}})
    assert not opened(every_cluster, f"{prefix}-*")


def test_pages_are_smaller_where_the_cluster_limits_groups(cluster: Cluster, prefix: str) -> None:
    fill(cluster, prefix, users(5))
    with Session(cluster, f"{prefix}-*", EXACT) as session:
        composite = Composite(
            session, MatchAll(), [Source({"terms": {"field": "user.username"}})], page=70_000
        )
        assert len(list(composite.buckets())) == 5
        assert composite.page == 17_500


def test_a_top_that_is_not_proved_is_counted_whole(
    cluster: Cluster, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each index has a most frequent value of its own: short lists would miss the winner."""
    monkeypatch.setattr("k8sidx.backends.cluster.engine.engine.SHARD_SIZE", 1)
    for day in range(2):
        bodies = [event(user=f"local-{day}", seconds=86_400 * day + n) for n in range(40)]
        bodies += [event(user="everywhere", seconds=86_400 * day + n) for n in range(30)]
        fill(cluster, f"{prefix}-{day}", [normalized(body) for body in bodies])
    query = Query(
        group_by=(Terms("user.username"),), metrics=(COUNT,), order=(Order("n", True),), limit=1
    )
    assert SearchEngine(cluster, f"{prefix}-*").run(query).rows == [("everywhere", 60)]
    guess = SearchEngine(cluster, f"{prefix}-*", answering=QueryOptions(approximate=True))
    assert not guess.run(query).exact


def test_a_query_is_stopped_when_its_time_is_over(cluster: Cluster, prefix: str) -> None:
    slow = heavy(cluster, prefix)
    with Session(cluster, prefix, QueryOptions(timeout=0.05)) as session:
        began = time.monotonic()
        with pytest.raises(StoreError, match=r"longer than 0\.05 seconds.*--timeout"):
            session.search(slow)
        assert time.monotonic() - began < 20
    assert_stops(cluster, prefix)


def test_ctrl_c_ends_the_search_in_the_cluster(
    cluster: Cluster, prefix: str, tmp_path: Path
) -> None:
    slow = tmp_path / "slow.json"
    slow.write_bytes(orjson.dumps(heavy(cluster, prefix)))
    program = f"""
import orjson, pathlib, signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
from k8sidx.backends.cluster.http.open import open_cluster
from k8sidx.backends.protocol import EXACT
from k8sidx.backends.cluster.engine.session import Session
with Session(open_cluster({cluster.url!r}), {prefix!r}, EXACT) as session:
    print("asks", flush=True)
    session.search(orjson.loads(pathlib.Path({str(slow)!r}).read_bytes()))
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as asking:
        assert asking.stdout
        assert asking.stdout.readline() == b"asks\n"
        deadline = time.monotonic() + 10
        while not running(cluster, prefix) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert running(cluster, prefix)
        asking.send_signal(signal.SIGINT)
        assert asking.wait(10) != 0
    assert_stops(cluster, prefix)


def heavy(cluster: Cluster, index: str) -> dict[str, Any]:
    """Documents with many pairs of values, and a search that counts them all: seconds."""
    lists = [f"v{n}" for n in range(30)]
    keyword = {"type": "keyword"}
    body = {"settings": {"number_of_replicas": 0},
            "mappings": {"properties": {"a": keyword, "b": keyword, "c": keyword}}}  # fmt: skip
    assert cluster.request("PUT", f"/{index}", body=body).status == 200
    line = orjson.dumps({"a": lists, "b": lists, "c": lists})
    for _ in range(4):
        sent = b'{"index":{}}\n' + line + b"\n"
        taken = cluster.request("POST", f"/{index}/_bulk", body=sent * 5_000)
        assert taken.status == 200, taken.body[:300]
        assert not taken.json()["errors"]
    cluster.request("POST", f"/{index}/_refresh")
    sources = [{name: {"terms": {"field": name}}} for name in "abc"]
    return {"size": 0, "aggs": {"g": {"composite": {"size": 1000, "sources": sources}}}}


def running(cluster: Cluster, index: str) -> list[Any]:
    """Searches of the index that the cluster works on."""
    params = {"actions": "*search*", "detailed": "true", "group_by": "none"}
    found = cluster.request("GET", "/_tasks", params=params).json()["tasks"]
    return [one for one in found if index in one.get("description", "")]


def assert_stops(cluster: Cluster, index: str) -> None:
    deadline = time.monotonic() + 5
    while (left := running(cluster, index)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not left


def test_estimates_are_told_apart(cluster: Cluster, prefix: str) -> None:
    fill(cluster, prefix, users(30))
    engine = SearchEngine(cluster, f"{prefix}-*", answering=QueryOptions(approximate=True))
    distinct = Query(metrics=(Metric("d", "count_distinct", "user.username"),))
    middle = Query(metrics=(Metric("p", "percentile", "responseStatus.code", 50),))
    for query, rows in ((distinct, [(30,)]), (middle, [(200.0,)])):
        result = engine.run(query)
        assert (result.rows, result.exact) == (rows, False)
    assert engine.run(EVERY).exact


def test_an_engine_answers_for_the_product(cluster: Cluster, prefix: str) -> None:
    engine = fill(cluster, prefix, users(1))
    result = engine.run(Query(select=("user.username",), where=Compare("verb", "=", "get")))
    assert (result.engine, result.exact, result.rows) == (cluster.product, True, [("u0",)])
