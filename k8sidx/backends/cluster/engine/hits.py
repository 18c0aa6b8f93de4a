"""Event searches: pages of hits, and the values of their fields."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from elasticsearch.dsl import Search
from elasticsearch.dsl import query as dsl

from k8sidx.backends.cluster.engine.session import Session
from k8sidx.backends.cluster.index.document import AS_TEXT, AUDIT, find, identity_of
from k8sidx.backends.cluster.schema.profile import ID, TIME, Paths, Profile
from k8sidx.errors import UnsupportedQuery
from k8sidx.events.fields.lookup import resolve
from k8sidx.events.fields.table import Kind
from k8sidx.events.normalize.event_id import canonical_json
from k8sidx.query.algebra import Query

PAGE = 5_000
"""Events per page; indices return 10,000 by default (index.max_result_window)."""
PAGE_OF_BODIES = 500
"""Events per page when complete objects are selected."""
MOST_DOC_VALUES = 100
"""Fields that can be read from doc values at once (index.max_docvalue_fields_search)."""

AS_TEXT_PATH = f"{AUDIT}.{AS_TEXT}"
_UNMAPPED = {Kind.INTEGER: "long", Kind.BOOLEAN: "boolean", Kind.TIME: "long"}


class Reader:
    """Reads fields of hits: from doc values where they have all there is to know, since a
    document's source is large and compressed; else from the source.

    :param names: fields as the query names them.
    """

    def __init__(self, names: Sequence[str], profile: Profile) -> None:
        self._paths = [profile.paths(resolve(name)) for name in names]
        stored = [paths for paths in self._paths if paths.source != "_id"]
        self._columnar = len(stored) <= MOST_DOC_VALUES and all(
            paths.group and not paths.many and paths.read is None for paths in stored
        )
        self.has_bodies = any(paths.kind is Kind.JSON for paths in self._paths)

    def body(self) -> dict[str, Any]:
        """Return the members of a search that make its hits contain the values."""
        stored = [paths for paths in self._paths if paths.source != "_id"]
        if not self._columnar:
            text = [AS_TEXT_PATH] if self.has_bodies else []
            sources = {path for paths in stored for path in (*paths.parts, paths.source)} - {""}
            body: dict[str, Any] = {"_source": {"includes": sorted(sources) + text}}
            times = dict.fromkeys(paths.group for paths in stored if paths.unit != 1)
            if times:  # Their source is text in one of many forms.
                body["docvalue_fields"] = [
                    {"field": time, "format": "epoch_millis"} for time in times
                ]
            return body
        fields = [
            {"field": paths.group, "format": "epoch_millis"} if paths.unit != 1 else paths.group
            for paths in dict.fromkeys(stored)
        ]
        body = {"_source": False, "docvalue_fields": fields}
        if len(stored) == len(self._paths):
            body["stored_fields"] = "_none_"
        return body

    def row(self, hit: dict[str, Any]) -> list[Any]:
        """Return the values; times are microseconds."""
        return [self._value(paths, hit) for paths in self._paths]

    def _value(self, paths: Paths, hit: dict[str, Any]) -> Any:
        if paths.source == "_id":
            return _event_id(hit["_id"])
        if self._columnar or paths.unit != 1:
            values = hit.get("fields", {}).get(paths.group)
            return _typed(paths, values[0]) if values else None
        source = hit.get("_source", {})
        if paths.read is not None:
            return paths.read(source)
        if paths.kind is Kind.JSON:
            return _json(source, paths.source)
        value = find(source, paths.source)
        if value is None:
            return None
        if paths.many:
            return value if isinstance(value, list) else [value]
        return _typed(paths, value[0] if isinstance(value, list) and value else value)


def _json(source: Any, path: str) -> str | None:
    """Return a JSON field as canonical text."""
    text = find(source, AS_TEXT_PATH)
    if isinstance(text, str):
        source = {AUDIT: msgspec.json.decode(text)}
    value = find(source, path)
    return None if value is None else canonical_json(value).decode()


def _event_id(document: str) -> str:
    """Return the event's id for a document's ``_id``; that of a foreign document as it is."""
    try:
        return identity_of(document).hex()
    except ValueError:
        return document


def _typed(paths: Paths, value: Any) -> Any:
    return int(value) * paths.unit if paths.kind is Kind.TIME else value


def select(
    query: Query, events: dsl.Query, profile: Profile, session: Session
) -> Iterator[list[Any]]:
    """Return the rows of a query for events; times are microseconds."""
    reader = Reader(query.select, profile)
    page = PAGE_OF_BODIES if reader.has_bodies else PAGE
    if query.limit is not None and query.limit <= page:
        page = query.limit
    search: Search[Any] = Search().query(events).sort(*sort_of(query, profile))
    body = {**search.to_dict(), "track_total_hits": False, **reader.body()}
    left = query.limit
    while left is None or left > 0:
        asked = page if left is None else min(page, left)
        hits = session.search({**body, "size": asked})["hits"]["hits"]
        if len(hits) == asked != left and not session.pinned:
            session.pin()  # All pages must see one state: restart.
            continue
        for hit in hits:
            yield reader.row(hit)
        if len(hits) < asked:
            return
        left = None if left is None else left - len(hits)
        body["search_after"] = hits[-1]["sort"]


def sort_of(query: Query, profile: Profile) -> list[dict[str, Any]]:
    """Return the sort: by the query's order, then by time and id; missing values last.

    :raises UnsupportedQuery: when a cluster cannot order by a field.
    """
    order: list[dict[str, Any]] = []
    for by in query.order:
        path = resolve(by.column)
        if path.field.name == ID:
            order += _ties(profile, descending=by.descending)
            continue
        paths = profile.paths(path)
        if not paths.group or paths.many:
            raise UnsupportedQuery(f"a cluster cannot order events by {by.column}.")
        order.append(_sorted(paths, descending=by.descending))
    return order + _by_time(profile, descending=False)


def _by_time(profile: Profile, *, descending: bool) -> list[dict[str, Any]]:
    """Return the sort by time and id; events without a time last."""
    time = _sorted(profile.paths(resolve(TIME)), descending=descending)
    return [time, *_ties(profile, descending=descending)]


def _ties(profile: Profile, *, descending: bool) -> list[dict[str, Any]]:
    """Return the order of events of one moment; an index of a pattern may lack a field of it."""
    direction = {"order": _direction(descending)}
    lacking = {**direction, "unmapped_type": "keyword"} if profile.is_read else direction
    return [{path: direction if path.startswith("_") else lacking} for path in profile.order]


def _sorted(paths: Paths, *, descending: bool) -> dict[str, Any]:
    unmapped = "date" if paths.unit != 1 else _UNMAPPED.get(paths.kind, "keyword")
    how = {"order": _direction(descending), "missing": "_last", "unmapped_type": unmapped}
    return {paths.group: how}


def _direction(descending: bool) -> str:
    return "desc" if descending else "asc"


def outermost(
    name: str, count: int, profile: Profile, *, latest: bool
) -> tuple[dict[str, Any], Reader]:
    """A top_hits aggregation of the first or last events, and the reader of the field in its
    hits."""
    reader = Reader((name,), profile)
    order = _by_time(profile, descending=latest)
    return {**reader.body(), "size": count, "sort": order}, reader
