"""Single request bodies, for other clients: without pages and points in time.

The conditions are those of the engine. Groups are a terms aggregation, which counts
the largest groups exactly while no shard has more values than the request's size; the engine
itself requests all groups, page by page.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from k8sidx.backends.cluster.engine.composite import SHARD_SIZE, grouped
from k8sidx.backends.cluster.engine.filters import ConditionCompiler
from k8sidx.backends.cluster.engine.hits import sort_of
from k8sidx.backends.cluster.schema.profile import ID, OwnProfile
from k8sidx.errors import UnsupportedQuery
from k8sidx.events.fields.lookup import resolve
from k8sidx.events.fields.table import Kind
from k8sidx.query.algebra import Condition, Query

MISSING = "(missing)"
"""Placeholder of a missing text, as ``MISSING_NUMBER`` is of a missing number."""
MISSING_NUMBER = -1

_PROFILE = OwnProfile()


def events_body(query: Query, size: int) -> dict[str, Any]:
    """Return the body for the events of a query, with the fields that it selects.

    :param size: largest number of events.
    :raises UnsupportedQuery: when a cluster cannot query them.
    """
    wanted = [_PROFILE.paths(resolve(name)) for name in query.select if name != ID]
    return {
        **matching(query.where),
        "sort": sort_of(query, _PROFILE),
        "size": size,
        "_source": [paths.histogram or paths.source for paths in wanted],
    }


def matching(condition: Condition) -> dict[str, Any]:
    """Return the query part of a body.

    :raises UnsupportedQuery: when a cluster cannot query them.
    """
    select = Query(where=condition, select=(ID,))
    return {"query": ConditionCompiler(_PROFILE).events(select).to_dict()}


def terms(
    fields: tuple[str, ...], size: int, *, rarest: bool = False, keep_missing: bool = False
) -> dict[str, Any]:
    """Return a terms aggregation over the combinations of fields, the most frequent first.

    :raises UnsupportedQuery: when a cluster cannot group by one of them.
    """
    sources = [_source(name, keep_missing) for name in fields]
    order = [{"_count": "asc" if rarest else "desc"}, {"_key": "asc"}]
    how = {"size": size, "shard_size": max(size, SHARD_SIZE), "order": order}
    if len(sources) == 1:
        return {"terms": {**sources[0], **how}}
    return {"multi_terms": {"terms": sources, **how}}


def _source(name: str, keep_missing: bool) -> dict[str, Any]:
    paths = grouped(name, _PROFILE)
    if not keep_missing:
        return {"field": paths.group}
    if paths.kind in (Kind.KEYWORD, Kind.ADDRESS):
        return {"field": paths.group, "missing": MISSING}
    if paths.kind is Kind.INTEGER:
        return {"field": paths.group, "missing": MISSING_NUMBER}
    raise UnsupportedQuery(f"one request cannot group by {name} and by its being missing.")


def intervals(width: timedelta, at_least: int = 1) -> dict[str, Any]:
    """Return a date histogram of the intervals with a minimum number of events.

    :raises UnsupportedQuery: for an interval that is not a whole number of milliseconds.
    """
    millisecond = timedelta(milliseconds=1)
    if width % millisecond:
        raise UnsupportedQuery(f"a cluster cannot count intervals of {width}.")
    return {
        "date_histogram": {
            "field": _PROFILE.paths(resolve("@timestamp")).histogram,
            "fixed_interval": f"{width // millisecond}ms",
            "min_doc_count": at_least,
        }
    }
