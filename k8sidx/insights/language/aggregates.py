"""Aggregates: exact functions of the values of a group."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from k8sidx.backends.percentiles import percentile
from k8sidx.insights.language.ast import Entry
from k8sidx.insights.language.values import as_number, canonical_number, group_key, identity

Weighted = tuple[int, Any]
"""The number of rows that have the value, and the value."""


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An aggregate function.

    :param name: as CloudWatch writes it.
    :param run: computes the result from the values of a group, none of which is missing.
    :param entry: its documentation.
    :param takes_lists: its argument may be a list, each element then being a value.
    :param keeps_values: it returns values unchanged.
    :param gives_list: it returns a list.
    :param by_time: it depends on the order of rows in time.
    """

    name: str
    run: Callable[[Sequence[Weighted], Details], Any]
    entry: Entry
    takes_lists: bool = False
    keeps_values: bool = False
    gives_list: bool = False
    by_time: bool = False


@dataclass(frozen=True, slots=True)
class Details:
    """Parameters of an aggregate beside the values.

    :param argument: the number given to ``pct``.
    :param textual: the values are texts, also those that are numbers.
    """

    argument: float = 0.0
    textual: bool = False


def _numbers(values: Sequence[Weighted]) -> list[tuple[int, int | float]]:
    numbers = [(weight, as_number(value)) for weight, value in values]
    return [(weight, number) for weight, number in numbers if number is not None]


def _sum(values: Sequence[Weighted], details: Details) -> int | float | None:
    numbers = _numbers(values)
    return _plain(_total(numbers)) if numbers else None


def _total(numbers: Sequence[tuple[int, int | float]]) -> int | Fraction:
    if all(isinstance(number, int) for _, number in numbers):
        return sum(weight * int(number) for weight, number in numbers)
    return sum((weight * Fraction(number) for weight, number in numbers), Fraction(0))


def _plain(total: int | Fraction) -> int | float | None:
    if isinstance(total, int) or total.denominator == 1:
        return canonical_number(int(total))
    return _float(total)


def _float(number: float | Fraction) -> float | None:
    try:
        return float(number)
    except OverflowError:
        return None


def _avg(values: Sequence[Weighted], details: Details) -> float | None:
    numbers = _numbers(values)
    if not numbers:
        return None
    return _float(Fraction(_total(numbers)) / sum(weight for weight, _ in numbers))


def _stddev(values: Sequence[Weighted], details: Details) -> float | None:
    numbers = _numbers(values)
    if not numbers:
        return None
    count = sum(weight for weight, _ in numbers)
    mean = Fraction(_total(numbers)) / count
    spread = sum(weight * (Fraction(number) - mean) ** 2 for weight, number in numbers) / count
    variance = _float(spread)
    return None if variance is None else math.sqrt(variance)


def _percentile(values: Sequence[Weighted], percent: float) -> float | None:
    numbers = sorted(_numbers(values), key=lambda item: item[1])
    return percentile([(number, weight) for weight, number in numbers], percent)


def _pct(values: Sequence[Weighted], details: Details) -> float | None:
    return _percentile(values, details.argument)


def _median(values: Sequence[Weighted], details: Details) -> float | None:
    return _percentile(values, 50)


def _distinct(values: Sequence[Weighted], details: Details) -> int:
    return len({identity(value) for _, value in values})


def _values(values: Sequence[Weighted], details: Details) -> list[Any] | None:
    kept = {identity(value): value for _, value in values}
    ordered = sorted(kept.values(), key=lambda item: group_key(item, textual=details.textual))
    return ordered or None


def _extreme(
    pick: Callable[..., Any], *, of_numbers: bool
) -> Callable[[Sequence[Weighted], Details], Any]:
    def extreme(values: Sequence[Weighted], details: Details) -> Any:
        known = [value for _, value in values]
        if of_numbers and not details.textual:
            plain = [item for item in values if not isinstance(item[1], datetime)]
            if numbers := [number for _, number in _numbers(plain)]:
                return pick(numbers)
        return pick(known, key=lambda item: group_key(item, textual=details.textual), default=None)

    return extreme


def _count(values: Sequence[Weighted], details: Details) -> int:
    return sum(weight for weight, _ in values)


def _first(values: Sequence[Weighted], details: Details) -> Any:
    return values[0][1] if values else None


def _aggregate(
    name: str,
    run: Callable[[Sequence[Weighted], Details], Any],
    form: str,
    about: str,
    example: str,
    **more: bool,
) -> Aggregate:
    return Aggregate(name, run, Entry(form, about, example), **more)


_ALL = (
    _aggregate("count", _count, "count(*), count() or count(field)",
               "the number of rows, or of those that have the field",
               "stats count(*) as events, count(user.username) as named", takes_lists=True),
    _aggregate("count_distinct", _distinct, "count_distinct(field)",
               "the number of different values, exactly",
               "stats count_distinct(sourceIPs.0) as addresses by user.username",
               takes_lists=True),
    _aggregate("sum", _sum, "sum(number)", "the sum",
               "stats sum(responseStatus.code >= 400) as errors by user.username"),
    _aggregate("avg", _avg, "avg(number)", "the mean",
               "stats avg(event.duration) / 1000000 as milliseconds by verb"),
    _aggregate("min", _extreme(min, of_numbers=True), "min(field)",
               "the smallest number; the first text or moment where there is none",
               "stats min(@timestamp) as first by user.username",
               keeps_values=True),
    _aggregate("max", _extreme(max, of_numbers=True), "max(field)",
               "the largest number; the last text or moment where there is none",
               "stats max(event.bytes) by objectRef.resource",
               keeps_values=True),
    _aggregate("stddev", _stddev, "stddev(number)",
               "the standard deviation (of the whole, not of a sample)",
               "stats stddev(event.bytes) by verb"),
    _aggregate("pct", _pct, "pct(number, percent)",
               "the percentile, 0 to 100, interpolated",
               "stats pct(event.duration, 95) as slow by verb"),
    _aggregate("median", _median, "median(number)", "the same as pct(number, 50)",
               "stats median(event.duration) by verb"),
    _aggregate("earliest", _first, "earliest(field)",
               "the value in the earliest row by @timestamp that has one; undated rows come last",
               "stats earliest(sourceIPs.0) as first_seen_from by user.username",
               keeps_values=True, by_time=True),
    _aggregate("latest", _first, "latest(field)",
               "the value in the latest row by @timestamp that has one; undated rows come last",
               "stats latest(userAgent) by user.username",
               keeps_values=True, by_time=True),
    _aggregate("sortsFirst", _extreme(min, of_numbers=False), "sortsFirst(field)",
               "the value that comes first when sorted",
               "stats sortsFirst(objectRef.name) by objectRef.resource",
               keeps_values=True),
    _aggregate("sortsLast", _extreme(max, of_numbers=False), "sortsLast(field)",
               "the value that comes last when sorted",
               "stats sortsLast(objectRef.name) by objectRef.resource",
               keeps_values=True),
    _aggregate("values", _values, "values(field)", "the different values, sorted, as a list",
               "stats values(verb) by user.username", takes_lists=True,
               keeps_values=True, gives_list=True),
)  # fmt: skip
BY_NAME: dict[str, Aggregate] = {entry.name.lower(): entry for entry in _ALL}
AGGREGATES: dict[str, Entry] = {entry.name: entry.entry for entry in _ALL}
"""Documentation of all aggregates, by name as they are written."""
