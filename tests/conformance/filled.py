"""The same events in every kind of store, and an engine over each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from k8sidx.cluster.connection import Cluster
from k8sidx.cluster.document import document, document_id
from k8sidx.cluster.index import IndexNames
from k8sidx.cluster.profile import own_paths
from k8sidx.engine.search import SearchEngine
from k8sidx.fields.lookup import FieldPath
from k8sidx.fields.table import FIELDS, Kind
from k8sidx.normalize.event import Normalized


def mapping() -> dict[str, Any]:
    properties: dict[str, Any] = {
        "event.order": {"type": "long"},
        "audit": {"type": "object", "enabled": False},
    }
    types = {Kind.KEYWORD: "keyword", Kind.INTEGER: "long", Kind.BOOLEAN: "boolean"}
    for field in FIELDS:
        paths = own_paths(FieldPath(field))
        if field.kind in types and field.name != "event.id":
            properties[field.name] = {"type": types[field.kind]}
        elif field.kind is Kind.TIME:
            properties[field.name] = {"type": "date"}
            properties[paths.query] = {"type": "long"}
        elif field.kind is Kind.ADDRESS:
            properties[field.name] = {
                "type": "ip", "ignore_malformed": True, "fields": {"keyword": {"type": "keyword"}},
            }  # fmt: skip
        for position in range(field.positions):
            properties[own_paths(FieldPath(field, position)).query] = {"type": "keyword"}
    return {"dynamic": False, "properties": properties}


def fill(cluster: Cluster, prefix: str, events: Sequence[Normalized]) -> SearchEngine:
    names = IndexNames(prefix)
    for index in {names.of(event.own[1]) for event in events} | {names.of(None)}:
        settings = {"number_of_shards": 2, "number_of_replicas": 0}
        body = {"settings": settings, "mappings": mapping()}
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
