"""Which columns of a result are times: engines answer with microseconds since 1970."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from k8sidx.backends.result import Value
from k8sidx.events.fields.lookup import resolve
from k8sidx.events.fields.moment import to_moment
from k8sidx.events.fields.table import Kind
from k8sidx.query.algebra import VALUES, DateHistogram, Query


def times_of(query: Query) -> frozenset[int]:
    """Positions of the result's columns that are times."""
    kinds = [resolve(name).field.kind is Kind.TIME for name in query.select]
    kinds += [
        isinstance(key, DateHistogram) or resolve(key.field).field.kind is Kind.TIME
        for key in query.group_by
    ]
    kinds += [
        (metric.kind in ("min", "max") or metric.kind in VALUES)
        and resolve(metric.field).field.kind is Kind.TIME
        for metric in query.metrics
    ]
    return frozenset(place for place, is_time in enumerate(kinds) if is_time)


def with_moments(rows: Iterable[Sequence[Any]], times: frozenset[int]) -> list[tuple[Value, ...]]:
    """The rows with moments (UTC) in place of microseconds."""
    if not times:
        return [tuple(row) for row in rows]
    places = sorted(times)
    found: list[tuple[Value, ...]] = []
    for row in rows:
        values = list(row)
        for place in places:
            values[place] = _moment(values[place])
        found.append(tuple(values))
    return found


def _moment(value: Any) -> Value:
    if isinstance(value, list):
        return [_moment(one) for one in value]
    return None if value is None else to_moment(value)
