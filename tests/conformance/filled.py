"""Indices as k8sidx makes them, filled with events, and an engine over them."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from k8sidx.cluster.connection import Cluster
from k8sidx.cluster.document import document, document_id
from k8sidx.cluster.index import IndexNames
from k8sidx.cluster.mapping import mapping
from k8sidx.cluster.template import IndexOptions, index_settings, own_meta
from k8sidx.engine.search import SearchEngine
from k8sidx.normalize.event import Normalized


def fill(cluster: Cluster, prefix: str, events: Sequence[Normalized]) -> SearchEngine:
    names = IndexNames(prefix)
    settings = index_settings(IndexOptions(shards=2, replicas=0), cluster.product)
    for index in {names.of(event.own[1]) for event in events} | {names.of(None)}:
        body = {"settings": settings, "mappings": mapping(own_meta())}
        made = cluster.request("PUT", f"/{index}", body=body)
        assert made.status == 200, made.body
    for at in range(0, len(events), 5_000):
        _bulk(cluster, names, events[at : at + 5_000])
    assert cluster.request("POST", f"/{prefix}-*/_refresh").status == 200
    return SearchEngine(cluster, f"{prefix}-*")


def _bulk(cluster: Cluster, names: IndexNames, events: Sequence[Normalized]) -> None:
    lines: list[bytes] = []
    for event in events:
        action = {"_index": names.of(event.own[1]), "_id": document_id(event.own[0]).decode()}
        lines += [orjson.dumps({"create": action}), document(event)]
    answer = cluster.request(
        "POST", "/_bulk", body=b"\n".join(lines) + b"\n",
        headers={"content-type": "application/x-ndjson"},
    )  # fmt: skip
    statuses = [next(iter(one.values()))["status"] for one in answer.json()["items"]]
    assert set(statuses) <= {201, 409}, answer.body[:500]
