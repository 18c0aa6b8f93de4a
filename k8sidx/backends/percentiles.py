"""Exact interpolation of percentiles: each engine returns the two neighbouring values.

Databases interpolate in floats, whose last digit depends on whether a processor multiplies and
adds in one step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from k8sidx.backends.ordering import finish_rows
from k8sidx.query.algebra import Metric, Query


def rank_of(percent: float) -> Fraction:
    """Return the rank, 0 to 1, of a percentage exactly as written: 33.3 is 333/1000."""
    return Fraction(repr(percent)) / 100


def position_of(rank: Fraction, count: int) -> tuple[int, Fraction]:
    """Return the position of the last of ``count`` ascending values at or below the rank, and the
    fraction of the way to the next one (SQL's percentile_cont)."""
    low, part = divmod(rank * (count - 1), 1)
    return int(low), part


def interpolate(below: float, above: float, part: Fraction) -> float | None:
    """Return the number at a fraction of the way between two others; ``None`` where it is too large
    for a float."""
    low = Fraction(below)
    try:
        return float(low + (Fraction(above) - low) * part)
    except OverflowError:
        return None


def percentile(ranked: Sequence[tuple[float, int]], percent: float) -> float | None:
    """Return the percentile of values, interpolated between neighbours; ``None`` without values.

    :param ranked: the values, ascending, and how often each occurs.
    """
    count = sum(times for _, times in ranked)
    if not count:
        return None
    position, part = position_of(rank_of(percent), count)
    below = _at(ranked, position)
    return interpolate(below, _at(ranked, position + 1) if part else below, part)


def _at(ranked: Sequence[tuple[float, int]], position: int) -> float:
    passed = 0
    for value, times in ranked:
        passed += times
        if position < passed:
            return value
    raise IndexError(position)


def percentiles_of(query: Query) -> list[tuple[int, Metric]]:
    """Return the percentiles of a query, with the positions of their columns."""
    first = len(query.group_by)
    return [
        (first + at, metric)
        for at, metric in enumerate(query.metrics)
        if metric.kind == "percentile"
    ]


def defer_after_percentiles(query: Query) -> Query:
    """Return the query without the clauses that need its percentiles."""
    if not percentiles_of(query):
        return query
    return replace(query, having=(), order=(), limit=None)


def finish_percentiles(query: Query, rows: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
    """Return the rows of a query, given those of :func:`defer_after_percentiles`.

    :param rows: for each percentile they contain a list: the value at or below it, the next one
        if there is one, and the number of values.
    """
    percentiles = percentiles_of(query)
    if not percentiles:
        return rows
    return finish_rows(query, ([*_interpolated(row, percentiles)] for row in rows))


def _interpolated(row: Sequence[Any], percentiles: Sequence[tuple[int, Metric]]) -> list[Any]:
    values = list(row)
    for at, metric in percentiles:
        *neighbours, count = values[at]
        _, part = position_of(rank_of(metric.argument), count)
        values[at] = (
            interpolate(neighbours[0], neighbours[-1] if part else neighbours[0], part)
            if count
            else None
        )
    return values
