"""Percentiles between two values of a group, exactly: each engine gives the two values.

Databases interpolate in floats, whose last digit depends on whether a processor multiplies and
adds in one step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from k8sidx.backends.ordering import arranged
from k8sidx.query.algebra import Metric, Query


def rank_of(percent: float) -> Fraction:
    """The rank, 0 to 1, of a percentage as it was written: 33.3 is 333/1000."""
    return Fraction(repr(percent)) / 100


def place_of(rank: Fraction, count: int) -> tuple[int, Fraction]:
    """Which of so many ascending values, from 0 on, is the last at or below the rank, and how
    far it is from there to the next (SQL's percentile_cont)."""
    low, part = divmod(rank * (count - 1), 1)
    return int(low), part


def between(below: float, above: float, part: Fraction) -> float | None:
    """The number that lies so far between two others; none where it is too large for a float."""
    low = Fraction(below)
    try:
        return float(low + (Fraction(above) - low) * part)
    except OverflowError:
        return None


def percentile(ranked: Sequence[tuple[float, int]], percent: float) -> float | None:
    """The percentile of some values, interpolated between neighbours; none of no values.

    :param ranked: the values, ascending, and how often each occurs.
    """
    count = sum(times for _, times in ranked)
    if not count:
        return None
    place, part = place_of(rank_of(percent), count)
    below = _at(ranked, place)
    return between(below, _at(ranked, place + 1) if part else below, part)


def _at(ranked: Sequence[tuple[float, int]], place: int) -> float:
    passed = 0
    for value, times in ranked:
        passed += times
        if place < passed:
            return value
    raise IndexError(place)


def percentiles_of(query: Query) -> list[tuple[int, Metric]]:
    """The percentiles of a query, with their columns."""
    first = len(query.group_by)
    return [(first + at, one) for at, one in enumerate(query.metrics) if one.kind == "percentile"]


def without_what_follows(query: Query) -> Query:
    """The query without what can only be done when its percentiles are there."""
    if not percentiles_of(query):
        return query
    return replace(query, having=(), order=(), limit=None)


def with_percentiles(query: Query, rows: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
    """The rows of a query, of which :func:`without_what_follows` was asked.

    :param rows: for each percentile they have a list: the value at or below it, the next one if
        there is one, and the number of values.
    """
    percentiles = percentiles_of(query)
    if not percentiles:
        return rows
    return arranged(query, ([*_settled(row, percentiles)] for row in rows))


def _settled(row: Sequence[Any], percentiles: Sequence[tuple[int, Metric]]) -> list[Any]:
    values = list(row)
    for at, metric in percentiles:
        *near, count = values[at]
        _, part = place_of(rank_of(metric.argument), count)
        values[at] = between(near[0], near[-1] if part else near[0], part) if count else None
    return values
