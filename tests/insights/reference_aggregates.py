"""The aggregates of the reference: over the values of a group's rows, in exact numbers."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from fractions import Fraction

from tests.insights.reference_values import (
    Time,
    Value,
    ascending,
    is_number,
    kind,
    numeric_text,
    plain,
    same,
)


def _numbers(values: Sequence[Value]) -> list[int | float]:
    """Numbers and numeric texts."""
    found: list[int | float] = []
    for value in values:
        if isinstance(value, str):
            read = numeric_text(value)
            if read is not None:
                found.append(read)
        elif is_number(value):
            found.append(value)  # type: ignore[arg-type]
    return found


def _sum(values: Sequence[Value]) -> Value:
    found = _numbers(values)
    return plain(sum(map(Fraction, found), Fraction())) if found else None


def _average(values: Sequence[Value]) -> Value:
    found = _numbers(values)
    return plain(sum(map(Fraction, found), Fraction()) / len(found)) if found else None


def _deviation(values: Sequence[Value]) -> Value:
    found = _numbers(values)
    return plain(float(statistics.pstdev(map(Fraction, found)))) if found else None


def _percentile(values: Sequence[Value], percent: Value = 50) -> Value:
    found = sorted(_numbers(values))
    if not found:
        return None
    place = Fraction(str(percent)) / 100 * (len(found) - 1)
    below = int(place)
    above = min(below + 1, len(found) - 1)
    low, high = Fraction(found[below]), Fraction(found[above])
    return plain(low + (high - low) * (place - below))


def _extreme(of: Callable[[Sequence[Value]], Value]) -> Callable[[Sequence[Value]], Value]:
    """``min`` and ``max``: among numbers where there are any, else among texts and times."""

    def aggregate(values: Sequence[Value]) -> Value:
        numbers = [one for one in values if kind(one) == "number"]
        return of(numbers or values)

    return aggregate


def _first(values: Sequence[Value]) -> Value:
    return ascending(values)[0] if values else None


def _last(values: Sequence[Value]) -> Value:
    return ascending(values)[-1] if values else None


def _distinct(values: Sequence[Value]) -> list[Value]:
    return list({same(one): one for one in values}.values())


AGGREGATES: dict[str, Callable[..., Value]] = {
    "count": lambda values: len(values),
    "count_distinct": lambda values: len(_distinct(values)),
    "sum": _sum,
    "avg": _average,
    "stddev": _deviation,
    "pct": _percentile,
    "median": _percentile,
    "min": _extreme(_first),
    "max": _extreme(_last),
    "sortsFirst": _first,
    "sortsLast": _last,
    "values": lambda values: tuple(ascending(_distinct(values))),
}
"""Over the values that are there; lists count by element, but for ``count``."""


def of_moment(pairs: Sequence[tuple[Time, Value]], *, last: bool) -> Value:
    """``earliest`` and ``latest``: the value of the first or last row, by time and event id.

    :param pairs: time and value of the rows that have both, ties in order of their ids.
    """
    if not pairs:
        return None
    ordered = sorted(pairs, key=lambda pair: pair[0])
    return ordered[-1 if last else 0][1]
