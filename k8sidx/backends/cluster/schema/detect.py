"""Detection of an index's profile by its fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from k8sidx.backends.cluster.http.api_errors import refusal
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.index.document import ORDER, epoch_path
from k8sidx.backends.cluster.schema.foreign import ForeignProfile, Types
from k8sidx.backends.cluster.schema.profile import TIME, OwnProfile, Profile
from k8sidx.errors import StoreError

_MARKS = ("auditID", "verb", "stage")
"""Fields of every audit event."""


def choose_profile(cluster: Cluster, index: str) -> Profile:
    """Return the profile of an index or pattern; k8sidx's own where there is no index at all.

    :raises StoreError: when it contains no audit events that can be queried.
    """
    types = _types(cluster, index)
    if not types or {ORDER, epoch_path(TIME)} <= types.keys():
        return OwnProfile()
    prefixes = [
        name.removesuffix(_MARKS[0])
        for name in types
        if name == _MARKS[0] or name.endswith(f".{_MARKS[0]}")
    ]
    prefixes = [prefix for prefix in prefixes if all(f"{prefix}{mark}" in types for mark in _MARKS)]
    if not prefixes:
        raise StoreError(
            f"{index} holds no audit events that can be searched: no field is named auditID.",
            remedy="Where they are whole lines in one text field, ship the logs with k8sidx.",
        )
    documents = _Documents(cluster, index)
    return ForeignProfile(
        min(prefixes, key=len), types, documents, closed=_is_closed(cluster, index)
    )


class _Documents:
    """Queries about the documents of an index."""

    def __init__(self, cluster: Cluster, index: str) -> None:
        self._cluster = cluster
        self._index = index

    def count(self, query: Mapping[str, Any]) -> int:
        body = {"size": 0, "track_total_hits": True, "query": dict(query)}
        return int(self._search(body)["hits"]["total"]["value"])

    def single(self, path: str) -> bool:
        present = {"filter": {"exists": {"field": path}}}
        aggs = {"values": {"value_count": {"field": path}}, "documents": present}
        found = self._search({"size": 0, "track_total_hits": False, "aggs": aggs})["aggregations"]
        return bool(found["values"]["value"] == found["documents"]["doc_count"])

    def _search(self, body: dict[str, Any]) -> Any:
        return _asked(
            self._cluster,
            "POST",
            f"/{quote(self._index, safe='*,-')}/_search?allow_partial_search_results=false",
            self._index,
            body,
        )


def _types(cluster: Cluster, index: str) -> Types:
    """Types of all fields; nothing when there is no index."""
    path = f"/{quote(index, safe='*,-')}/_field_caps?fields=*&ignore_unavailable=true"
    fields: dict[str, Any] = _asked(cluster, "GET", path, index)["fields"]
    known = {name: frozenset(caps) - {"unmapped"} for name, caps in fields.items()}
    return {name: types for name, types in known.items() if not name.startswith("_")}


def _is_closed(cluster: Cluster, index: str) -> bool:
    """Whether documents may have fields that no mapping names."""
    path = f"/{quote(index, safe='*,-')}/_mapping?ignore_unavailable=true"
    mappings = _asked(cluster, "GET", path, index)
    return any(_closes(one.get("mappings", {})) for one in mappings.values())


def _closes(mapping: Any) -> bool:
    if not isinstance(mapping, dict):
        return False
    if str(mapping.get("dynamic", "true")).lower() != "true" or mapping.get("enabled") is False:
        return True
    return any(_closes(one) for one in mapping.get("properties", {}).values())


def _asked(
    cluster: Cluster, method: str, path: str, index: str, body: Mapping[str, Any] | None = None
) -> Any:
    answer = cluster.request(method, path, body=body)
    if answer.status != 200:
        raise refusal(answer, index)
    return answer.json()
