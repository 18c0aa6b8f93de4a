"""The aggregates of the reference: over the values of a group's rows, in exact numbers."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from fractions import Fraction

from tests.insights.reference_values import (
    Time,
    Value,
    ascending,
    is_number,
    milliseconds,
    numeric_text,
    plain,
    same,
)

_NEVER = 2**63
"""Later than any moment."""


def _numbers(values: Sequence[Value]) -> list[int | float]:
    """Numbers and numeric texts; times as milliseconds."""
    found: list[int | float] = []
    for value in values:
        if isinstance(value, str):
            read = numeric_text(value)
            if read is not None:
                found.append(read)
        elif isinstance(value, Time):
            found.append(milliseconds(value.micros))
        elif is_number(value):
            found.append(value)  # type: ignore[arg-type]
    return found


def _sum(values: Sequence[Value]) -> Value:
    found = _numbers(values)
    return plain(sum(map(Fraction, found), Fraction())) if found else None


def _average(values: Sequence[Value]) -> Value:
    found = _numbers(values)
    return plain(float(sum(map(Fraction, found), Fraction()) / len(found))) if found else None


def _deviation(values: Sequence[Value]) -> Value:
    found = _numbers(values)
    if not found:
        return None
    return plain(math.sqrt(statistics.pvariance(map(Fraction, found))))


def _percentile(values: Sequence[Value], percent: Value = 50) -> Value:
    """Between the two nearest values, rounded once."""
    found = sorted(_numbers(values))
    if not found:
        return None
    place = Fraction(str(percent)) / 100 * (len(found) - 1)
    below = math.floor(place)
    low, high = Fraction(found[below]), Fraction(found[min(below + 1, len(found) - 1)])
    return plain(float(low + (high - low) * (place - below)))


def _extreme(values: Sequence[Value], texts: bool, place: int) -> Value:
    """``min`` and ``max``: among numbers where there are any, else among texts and times."""
    numbers = [] if texts else _numbers([one for one in values if not isinstance(one, Time)])
    return _end(numbers or values, texts, place)


def _end(values: Sequence[Value], texts: bool, place: int) -> Value:
    return ascending(values, texts)[place] if values else None


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
}
"""Over the values that are there; lists count by element, but for ``count``."""
SORTED: dict[str, Callable[[Sequence[Value], bool], Value]] = {
    "min": lambda values, texts: _extreme(values, texts, 0),
    "max": lambda values, texts: _extreme(values, texts, -1),
    "sortsFirst": lambda values, texts: _end(values, texts, 0),
    "sortsLast": lambda values, texts: _end(values, texts, -1),
    "values": lambda values, texts: tuple(ascending(_distinct(values), texts)) or None,
}
"""Those that go by order; ``texts`` says that the values are those of a field of text."""


def of_moment(pairs: Sequence[tuple[Value, Value]], *, last: bool) -> Value:
    """``earliest`` and ``latest``: the value of the first or last row, by time and event id; rows
    without a time come last in both.

    :param pairs: time and value of the rows that have a value, in order of their ids.
    """
    ordered = list(reversed(pairs)) if last else list(pairs)
    sign = -1 if last else 1
    ordered.sort(key=lambda pair: sign * pair[0].micros if isinstance(pair[0], Time) else _NEVER)
    return ordered[0][1] if ordered else None
