"""Top-N hunts in a cluster against the same aggregations written by hand, in one run.

    python benchmarks/query_cluster.py http://localhost:9200 'k8s-audit-*'

The indices must hold events already (``make_log.py``, then ``k8sidx ship``). What is written
by hand is as exact as what the hunt asks for: one field by ``terms``, which tells its
error bound; several fields by ``composite`` in pages of 10,000 until there are no more,
sorted afterwards. Neither may use the cache of the shards (index.requests.cache.enable).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from k8sidx.backends.cluster.engine.engine import SearchEngine
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.http.open import open_cluster
from k8sidx.hunt.library.load import load_hunts
from k8sidx.hunt.run import Window, run_hunt

RUNS = 41

Body = dict[str, Any]

NOT_SYSTEM: Body = {"wildcard": {"user.username": {"value": "*system*"}}}
DECISION = "annotations.authorization.k8s.io/decision"
FORBIDDEN: Body = {"wildcard": {DECISION: {"value": "*forbid*"}}}
FIRST_ADDRESS = "position.0.sourceIPs"


def exists(field: str) -> Body:
    return {"exists": {"field": field}}


BY_HAND: dict[str, tuple[Body, list[str]]] = {
    "topn_user_agent": ({"filter": [exists("userAgent")]}, ["userAgent"]),
    "topn_source_ip": (
        {"filter": [exists(FIRST_ADDRESS)], "must_not": [{"term": {FIRST_ADDRESS: "::1"}}]},
        [FIRST_ADDRESS],
    ),
    "topn_status_code": ({"filter": [exists("responseStatus.code")]}, ["responseStatus.code"]),
    "topn_user_by_agent": (
        {"filter": [exists("userAgent")], "must_not": [NOT_SYSTEM]},
        ["userAgent", "user.username"],
    ),
    "topn_user_by_ip": (
        {"filter": [exists(FIRST_ADDRESS)], "must_not": [NOT_SYSTEM]},
        [FIRST_ADDRESS, "user.username"],
    ),
    "topn_forbidden_user": (
        {"filter": [FORBIDDEN], "must_not": [NOT_SYSTEM]},
        [DECISION, "user.username"],
    ),
    "topn_forbidden_list_resource": (
        {
            "filter": [{"term": {"responseStatus.code": 403}}, {"term": {"verb": "list"}}],
            "must_not": [NOT_SYSTEM],
        },
        ["responseStatus.code", DECISION, "verb", "user.username", "objectRef.resource"],
    ),
}
"""The condition (as a ``bool`` query) and the fields of each hunt."""


def by_hand(cluster: Cluster, index: str, hunt: str) -> list[tuple[Any, ...]]:
    """The ten most frequent, with what a careful person would send."""
    condition, fields = BY_HAND[hunt]
    if len(fields) == 1:
        terms = {"field": fields[0], "size": 10, "order": [{"_count": "desc"}, {"_key": "asc"}]}
        found = aggregated(cluster, index, condition, {"terms": terms})
        return [(one["key"], one["doc_count"]) for one in found["buckets"]]
    sources = [{f"k{n}": {"terms": {"field": name}}} for n, name in enumerate(fields)]
    rows: list[tuple[Any, ...]] = []
    composite: Body = {"size": 10_000, "sources": sources}
    while True:
        found = aggregated(cluster, index, condition, {"composite": composite})
        rows += [(*one["key"].values(), one["doc_count"]) for one in found["buckets"]]
        if len(found["buckets"]) < 10_000:
            break
        composite["after"] = found["after_key"]
    rows.sort(key=lambda row: (-row[-1], row[:-1]))
    return rows[:10]


def aggregated(cluster: Cluster, index: str, condition: Body, aggregation: Body) -> Any:
    body = {"size": 0, "track_total_hits": False, "query": {"bool": condition},
            "aggs": {"a": aggregation}}  # fmt: skip
    answer = cluster.request("POST", f"/{index}/_search", body=body, timeout=600)
    assert answer.status == 200, answer.body
    return answer.json()["aggregations"]["a"]


def in_turn(ours: Callable[[], object], theirs: Callable[[], object]) -> tuple[float, float, float]:
    """Median milliseconds of each, and the median of their ratios, run by run: what else the
    machine does weighs on both runs of a pair."""
    pairs = []
    for _ in range(RUNS + 1):
        taken = []
        for run in (ours, theirs):
            started = time.perf_counter()
            run()
            taken.append((time.perf_counter() - started) * 1000)
        pairs.append(taken)
    del pairs[0]
    ratio = median(mine / hand for mine, hand in pairs)
    return median(one[0] for one in pairs), median(one[1] for one in pairs), ratio


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("index")
    arguments = parser.parse_args()
    cluster, index = open_cluster(arguments.url), arguments.index
    uncached = {"index.requests.cache.enable": False}
    assert cluster.request("PUT", f"/{index}/_settings", body=uncached).status == 200
    engine = SearchEngine(cluster, index)
    count = cluster.request("GET", f"/{index}/_count").json()["count"]
    version = ".".join(map(str, cluster.version))
    print(
        f"| hunt, {count:,} documents, {cluster.product} {version} | k8sidx ms | by hand ms | ratio |"
    )
    print("| --- | --: | --: | --: |")
    for hunt in load_hunts(list(BY_HAND)):
        ours = run_hunt(hunt, engine, Window()).rows
        theirs = by_hand(cluster, index, hunt.id)
        assert ours == theirs, (hunt.id, ours, theirs)
        mine, hand, ratio = in_turn(
            lambda hunt=hunt: run_hunt(hunt, engine, Window()),  # type: ignore[misc]
            lambda hunt=hunt: by_hand(cluster, index, hunt.id),  # type: ignore[misc]
        )
        print(f"| `{hunt.id}` | {mine:.1f} | {hand:.1f} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
