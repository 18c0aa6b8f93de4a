"""Indices as k8sidx makes them, filled with events, and an engine over them."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from k8sidx.backends.cluster.engine.engine import SearchEngine
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.index.document import document, document_id
from k8sidx.backends.cluster.index.mapping import mapping
from k8sidx.backends.cluster.index.names import IndexNames
from k8sidx.backends.cluster.index.template import IndexOptions, index_settings, own_meta
from k8sidx.events.normalize.event import Normalized


def fill(
    cluster: Cluster, prefix: str, events: Sequence[Normalized], *, dated: bool = True
) -> SearchEngine:
    """Index the events; all in the index for undated ones unless ``dated``."""
    names = IndexNames(prefix)
    settings = index_settings(IndexOptions(shards=2, replicas=0), cluster.product)
    days = [event.values.timestamp if dated else None for event in events]
    for index in {names.of(day) for day in days} | {names.of(None)}:
        body = {"settings": settings, "mappings": mapping(own_meta())}
        made = cluster.request("PUT", f"/{index}", body=body)
        assert made.status == 200, made.body
    for at in range(0, len(events), 5_000):
        places = [names.of(day) for day in days[at : at + 5_000]]
        _bulk(cluster, places, events[at : at + 5_000])
    assert cluster.request("POST", f"/{prefix}-*/_refresh").status == 200
    return SearchEngine(cluster, f"{prefix}-*")


def _bulk(cluster: Cluster, places: Sequence[str], events: Sequence[Normalized]) -> None:
    lines: list[bytes] = []
    for index, event in zip(places, events, strict=True):
        action = {"_index": index, "_id": document_id(event.values.id).decode()}
        lines += [orjson.dumps({"create": action}), document(event)]
    answer = cluster.request(
        "POST", "/_bulk", body=b"\n".join(lines) + b"\n",
        headers={"content-type": "application/x-ndjson"},
    )  # fmt: skip
    statuses = [next(iter(one.values()))["status"] for one in answer.json()["items"]]
    assert set(statuses) <= {201, 409}, answer.body[:500]
