"""Query results: named columns, rows, and whether the numbers are exact."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

Value: TypeAlias = str | int | float | bool | datetime | list["Value"] | None


@dataclass(frozen=True, slots=True)
class Result:
    """Rows of a query, in its order.

    :param columns: the query's column names.
    :param rows: one tuple per row; times are timezone-aware (UTC), fields with many
        values are lists.
    :param engine: ``duckdb``, ``opensearch`` or ``elasticsearch``.
    :param exact: false when any number may be an estimate (an approximate aggregation).
    """

    columns: tuple[str, ...]
    rows: list[tuple[Value, ...]]
    engine: str
    exact: bool = True
