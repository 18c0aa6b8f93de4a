"""Groups as they come → the rows that a query asks for: having, order, limit.

Memory is bounded by the limit, where there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from k8sidx.query.algebra import COMPARED, Having, Query

Row = list[Any]

_HELD = 10_000
"""Rows beyond the limit that are held before the last ones are dropped."""


def arranged(query: Query, rows: Iterable[Row]) -> list[Row]:
    """The rows that the query keeps, in its order; times are microseconds."""
    kept: list[Row] = []
    places = {name: place for place, name in enumerate(query.columns)}
    for row in rows:
        if not all(_holds(row[places[one.metric]], one) for one in query.having):
            continue
        kept.append(row)
        if query.limit is not None and len(kept) >= query.limit + _HELD:
            _sort(query, kept)
            del kept[query.limit :]
    _sort(query, kept)
    return kept if query.limit is None else kept[: query.limit]


def _holds(value: Any, having: Having) -> bool:
    return value is not None and COMPARED[having.op](value, having.value)


def _sort(query: Query, rows: list[Row]) -> None:
    """By the order, then by the keys; missing values last, in either direction."""
    places = {name: place for place, name in enumerate(query.columns)}
    order = [(places[one.column], one.descending) for one in query.order]
    order += [(place, False) for place in range(len(query.group_by))]
    for place, descending in reversed(order):
        rows.sort(key=_key(place, descending), reverse=descending)


def _key(place: int, descending: bool) -> Callable[[Row], tuple[bool, Any]]:
    def key(row: Row) -> tuple[bool, Any]:
        value = row[place]
        return (value is None) != descending, 0 if value is None else value

    return key
