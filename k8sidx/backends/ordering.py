"""Having, order and limit, applied to rows that an engine streams.

Memory is bounded by the limit, where there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from k8sidx.query.algebra import COMPARED, Having, Query

Row = list[Any]

_BUFFER = 10_000
"""Rows beyond the limit that are buffered before the last ones are dropped."""


def finish_rows(query: Query, rows: Iterable[Row]) -> list[Row]:
    """Return the rows that the query keeps, in its order; times are microseconds."""
    kept: list[Row] = []
    positions = {name: position for position, name in enumerate(query.columns)}
    for row in rows:
        if not all(_holds(row[positions[having.metric]], having) for having in query.having):
            continue
        kept.append(row)
        if query.limit is not None and len(kept) >= query.limit + _BUFFER:
            _sort(query, kept)
            del kept[query.limit :]
    _sort(query, kept)
    return kept if query.limit is None else kept[: query.limit]


def _holds(value: Any, having: Having) -> bool:
    return value is not None and COMPARED[having.op](value, having.value)


def _sort(query: Query, rows: list[Row]) -> None:
    """Sort by the order, then by the keys; missing values last, in either direction."""
    positions = {name: position for position, name in enumerate(query.columns)}
    order = [(positions[by.column], by.descending) for by in query.order]
    order += [(position, False) for position in range(len(query.group_by))]
    for position, descending in reversed(order):
        rows.sort(key=_sort_key(position, descending), reverse=descending)


def _sort_key(position: int, descending: bool) -> Callable[[Row], tuple[bool, Any]]:
    def key(row: Row) -> tuple[bool, Any]:
        value = row[position]
        return (value is None) != descending, 0 if value is None else value

    return key
