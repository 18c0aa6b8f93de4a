"""Detection of an index's profile by its fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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


class NoAuditFields(StoreError):
    """Indices without a field of audit events that can be searched.

    :param index: the name or pattern.
    """

    def __init__(self, index: str) -> None:
        super().__init__(
            f"{index} holds no audit events that can be searched: no field is named auditID.",
            remedy="Where they are whole lines in one text field, ship the logs with k8sidx.",
        )


class SeveralShapes(StoreError):
    """Indices whose documents have audit events in different places.

    :param index: the name or pattern.
    :param shapes: where they are, with an index of each.
    """

    def __init__(self, index: str, shapes: Mapping[str, str]) -> None:
        places = ", ".join(f"{prefix or 'the root'} in {name}" for prefix, name in shapes.items())
        super().__init__(
            f"{index} has audit events of several shapes: under {places}.",
            remedy="Name indices of one shape with --index.",
        )


_OWN = "k8sidx's own fields"


def choose_profile(cluster: Cluster, index: str) -> Profile:
    """Return the profile of an index or pattern; k8sidx's own where there is no index at all.

    :raises NoAuditFields: when it contains no audit events that can be queried.
    :raises SeveralShapes: when its documents have different shapes.
    :raises StoreError: when k8sidx filled some of its indices, and another program others.
    """
    types = _types(cluster, index)
    mappings = _mappings(cluster, index)
    shapes: dict[str, str] = {}
    for name, mapping in sorted(mappings.items()):
        for shape in _shapes(mapping.get("mappings", {})):
            shapes.setdefault(shape, name)
    if not types or set(shapes) == {_OWN}:
        return OwnProfile()
    if not shapes:
        raise NoAuditFields(index)
    if _OWN in shapes:
        own = shapes.pop(_OWN)
        raise StoreError(
            f"k8sidx filled {own}, and another program {next(iter(shapes.values()))}: their "
            "events cannot be queried together.",
            remedy="Name either with --index, or ship those of the other program with k8sidx.",
        )
    if len(shapes) > 1:
        raise SeveralShapes(index, shapes)
    closed = any(_closes(mapping.get("mappings", {})) for mapping in mappings.values())
    return ForeignProfile(next(iter(shapes)), types, _Documents(cluster, index), closed=closed)


def _shapes(mapping: Mapping[str, Any]) -> Iterator[str]:
    """Yield the prefixes of audit fields in a mapping, or that it is our own."""
    names = frozenset(_names(mapping, ""))
    if {ORDER, epoch_path(TIME)} <= names:
        yield _OWN
        return
    for name in sorted(names):
        prefix = name.removesuffix(_MARKS[0])
        is_mark = prefix + _MARKS[0] == name and (not prefix or prefix.endswith("."))
        if is_mark and all(f"{prefix}{mark}" in names for mark in _MARKS):
            yield prefix


def _names(mapping: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for name, inner in mapping.get("properties", {}).items():
        yield f"{prefix}{name}"
        for members in (inner, {"properties": inner.get("fields", {})}):
            yield from _names(members, f"{prefix}{name}.")


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
        aggregations = self._search({"size": 0, "track_total_hits": False, "aggs": aggs})[
            "aggregations"
        ]
        return bool(aggregations["values"]["value"] == aggregations["documents"]["doc_count"])

    def _search(self, body: dict[str, Any]) -> Any:
        return _get_json(
            self._cluster,
            "POST",
            f"/{quote(self._index, safe='*,-')}/_search?allow_partial_search_results=false",
            self._index,
            body,
        )


def _types(cluster: Cluster, index: str) -> Types:
    """Return the types of all fields; empty when there is no index."""
    path = f"/{quote(index, safe='*,-')}/_field_caps?fields=*&ignore_unavailable=true"
    fields: dict[str, Any] = _get_json(cluster, "GET", path, index)["fields"]
    known = {name: frozenset(caps) - {"unmapped"} for name, caps in fields.items()}
    return {name: types for name, types in known.items() if not name.startswith("_")}


def _mappings(cluster: Cluster, index: str) -> dict[str, Any]:
    path = f"/{quote(index, safe='*,-')}/_mapping?ignore_unavailable=true"
    mappings: dict[str, Any] = _get_json(cluster, "GET", path, index)
    return mappings


def _closes(mapping: Any) -> bool:
    if not isinstance(mapping, dict):
        return False
    if str(mapping.get("dynamic", "true")).lower() != "true" or mapping.get("enabled") is False:
        return True
    return any(_closes(inner) for inner in mapping.get("properties", {}).values())


def _get_json(
    cluster: Cluster, method: str, path: str, index: str, body: Mapping[str, Any] | None = None
) -> Any:
    answer = cluster.request(method, path, body=body)
    if answer.status != 200:
        raise refusal(answer, index)
    return answer.json()
