"""Percentiles between two values, to the digits that all engines agree on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from k8sidx.query.algebra import Query

_DIGITS = 15
"""Digits that a 64-bit float has at least. What comes after them depends on how a processor
multiplies and adds: in one step or in two."""


def between(below: float, above: float, part: float) -> float:
    """The number that lies so far between two others.

    :param part: 0 at ``below``, 1 at ``above``.
    """
    return settled(float(below) if part == 0 else below * (1 - part) + above * part)


def settled(number: float) -> float:
    """The number to fifteen digits."""
    return float(f"{number:.{_DIGITS}g}") if math.isfinite(number) else number


def with_percentiles(query: Query, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The rows with their percentiles settled."""
    first = len(query.group_by)
    places = {first + at for at, one in enumerate(query.metrics) if one.kind == "percentile"}
    return [_settled(row, places) for row in rows] if places else rows


def _settled(row: Sequence[Any], places: set[int]) -> tuple[Any, ...]:
    return tuple(
        settled(value) if at in places and value is not None else value
        for at, value in enumerate(row)
    )
