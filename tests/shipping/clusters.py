"""Shipping to a real cluster in tests, and what is in its indices then."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.index.document import identity_of, stored_fields
from k8sidx.backends.cluster.index.target import parse_target
from k8sidx.backends.cluster.store import ClusterStore
from k8sidx.backends.connection import ConnectionSettings
from k8sidx.events.normalize.json_tree import Fields
from k8sidx.shipping.pipeline import ShipOptions, ShipReport, ship

PAGE = 1000


def shipped(
    url: str, prefix: str, *inputs: Path, folder: Path, settings: Any = None, **options: Any
) -> ShipReport:
    """Ship the inputs; dead letters go to the folder."""
    store = ClusterStore(url, parse_target(prefix), settings or ConnectionSettings())
    chosen = ShipOptions(**{"dead_letter": folder / "dead.jsonl", **options})
    return ship([str(one) for one in inputs], store, chosen)


def rows(cluster: Cluster, prefix: str) -> dict[str, Fields]:
    """All stored events by their ids, but for their sizes: those depend on how they were read."""
    found: dict[str, Fields] = {}
    cluster.request("POST", f"/{prefix}-*/_refresh")
    after: list[Any] = []
    while True:
        body: dict[str, Any] = {"size": PAGE, "sort": ["event.order"]}
        if after:
            body["search_after"] = after
        answer = cluster.request("POST", f"/{prefix}-*/_search", body=body)
        assert answer.status == 200, answer.body
        hits = msgspec.json.decode(answer.body)["hits"]["hits"]
        for hit in hits:
            row = stored_fields(hit["_source"], identity_of(hit["_id"]))
            assert row["event.id"] not in found, "stored twice"
            assert row.pop("event.bytes") > 0
            found[row["event.id"]] = row
        if len(hits) < PAGE:
            return found
        after = hits[-1]["sort"]


def dead_letters(folder: Path) -> list[dict[str, Any]]:
    """The records in the dead-letter file."""
    path = folder / "dead.jsonl"
    return [json.loads(one) for one in path.read_text().splitlines()] if path.exists() else []
