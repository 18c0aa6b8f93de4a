"""The indices that a run writes to: each is made sure of before the first event goes there,
so that none ever comes about by itself, with a mapping that was guessed."""

from __future__ import annotations

import threading
from typing import Any

from k8sidx.cluster.connection import Cluster
from k8sidx.cluster.document import AUDIT, EPOCH_US, POSITION
from k8sidx.errors import StoreError
from k8sidx.fields.table import FIELDS, Field, Kind


class KnownIndices:
    """Remembers which indices are there; safe to be used by several threads.

    :ivar made: how many were made.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._known: set[str] = set()
        self._lock = threading.Lock()

    def prepare(self, names: set[str]) -> None:
        """Make those that are not there."""
        if names <= self._known:
            return
        with self._lock:
            for name in sorted(names - self._known):
                ensure_index(self._cluster, name)
                self._known.add(name)

    def forget(self, names: set[str]) -> None:
        """Look again before the next event goes there."""
        with self._lock:
            self._known -= names


def ensure_index(cluster: Cluster, name: str) -> None:
    """Make an index with our mapping when it is not there."""
    if cluster.request("HEAD", f"/{name}").status == 200:
        return
    answer = cluster.request("PUT", f"/{name}", body={"mappings": mapping(), "settings": {
        "number_of_shards": 1, "number_of_replicas": 0, "codec": "best_compression"}})  # fmt: skip
    if answer.status != 200 and b"resource_already_exists_exception" not in answer.body:
        raise StoreError(f"index {name} cannot be made: HTTP {answer.status}: {answer.body!r}")


def mapping() -> dict[str, Any]:
    """A mapping."""
    properties: dict[str, Any] = {AUDIT: {"type": "object", "enabled": False}}
    properties["event.order"] = {"type": "long"}
    for field in FIELDS:
        if field.kind is Kind.JSON or field.name == "event.id":
            continue
        properties[field.name] = _type(field)
        if field.kind is Kind.TIME:
            properties[f"{EPOCH_US}.{field.name}"] = {"type": "long"}
        for position in range(field.positions):
            properties[f"{POSITION}.{position}.{field.name}"] = {"type": "keyword"}
    return {"dynamic": False, "properties": properties}


def _type(field: Field) -> dict[str, Any]:
    if field.kind is Kind.ADDRESS:
        return {"type": "ip", "ignore_malformed": True, "fields": {"keyword": {"type": "keyword"}}}
    names = {Kind.INTEGER: "long", Kind.BOOLEAN: "boolean", Kind.TIME: "date"}
    return {"type": names.get(field.kind, "keyword")}
