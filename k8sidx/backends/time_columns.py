"""Time columns of a result: engines return microseconds since 1970."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from k8sidx.backends.result import Value
from k8sidx.events.fields.lookup import resolve
from k8sidx.events.fields.moment import to_moment
from k8sidx.events.fields.table import Kind
from k8sidx.query.algebra import VALUES, DateHistogram, Query


def time_columns(query: Query) -> frozenset[int]:
    """Return the positions of the result's columns that are times."""
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
    return frozenset(position for position, is_time in enumerate(kinds) if is_time)


def to_datetimes(rows: Iterable[Sequence[Any]], times: frozenset[int]) -> list[tuple[Value, ...]]:
    """Return the rows with datetimes (UTC) in place of microseconds."""
    if not times:
        return [tuple(row) for row in rows]
    positions = sorted(times)
    converted: list[tuple[Value, ...]] = []
    for row in rows:
        values = list(row)
        for position in positions:
            values[position] = _datetime(values[position])
        converted.append(tuple(values))
    return converted


def _datetime(value: Any) -> Value:
    if isinstance(value, list):
        return [_datetime(element) for element in value]
    return None if value is None else to_moment(value)
