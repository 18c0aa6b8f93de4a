"""The steps of a query over rows that are here: exact, and the same for every store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from k8sidx.insights.execute.expressions import Evaluate, Places, Row, evaluation
from k8sidx.insights.language.aggregates import Details, Weighted
from k8sidx.insights.language.values import OrderKey, group_key, identity, order_key, truth
from k8sidx.insights.plan.logical import (
    Arrange,
    Column,
    Cut,
    Grouping,
    Keep,
    Measure,
    Once,
    Step,
    is_list,
    is_textual,
)

WeightedRow = tuple[int, Row]
"""How many events or rows it stands for, and the row."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows and where they have what."""

    places: Places
    rows: list[WeightedRow]


def stepped(found: Rows, steps: Iterable[Step]) -> Rows:
    """The rows after some steps."""
    rows = found.rows
    for step in steps:
        rows = _stepped(rows, step, found.places)
    return Rows(found.places, rows)


def _stepped(rows: list[WeightedRow], step: Step, places: Places) -> list[WeightedRow]:
    match step:
        case Keep():
            holds = evaluation(step.condition, places)
            return [row for row in rows if truth(holds(row[1]))]
        case Arrange():
            by = [_By(evaluation(one, places), is_textual(one), down) for one, down in step.by]
            return _sorted(rows, by)
        case Cut():
            return rows[: step.count]
        case Once():
            return _once(rows, step, places)


@dataclass(frozen=True, slots=True)
class _By:
    """What rows are sorted by."""

    value: Evaluate
    textual: bool
    descending: bool

    def key(self, row: WeightedRow) -> tuple[bool, OrderKey]:
        """Missing values come last in both directions."""
        found = self.value(row[1])
        return (found is None) != self.descending, order_key(found, textual=self.textual)


def _sorted(rows: list[WeightedRow], by: Sequence[_By]) -> list[WeightedRow]:
    rows = list(rows)
    for one in reversed(by):
        rows.sort(key=one.key, reverse=one.descending)
    return rows


def _once(rows: list[WeightedRow], step: Once, places: Places) -> list[WeightedRow]:
    values = [evaluation(one, places) for one in step.by]
    seen: set[tuple[Any, ...]] = set()
    kept = []
    for row in rows:
        found = [value(row[1]) for value in values]
        if not any(one is None for one in found):
            key = tuple(identity(one) for one in found)
            if key in seen:
                continue
            seen.add(key)
        kept.append(row)
    return kept


def grouped(found: Rows, grouping: Grouping, columns: Sequence[Column]) -> Rows:
    """One row for each combination of keys: keys, then measures; by keys, ascending.

    :param columns: those of the rows that it gives.
    """
    keys = [(evaluation(one, found.places), is_list(one)) for one in grouping.by]
    groups: dict[tuple[Any, ...], tuple[list[Any], list[WeightedRow]]] = {}
    for row in found.rows:
        for key in _keys_of(row[1], keys):
            groups.setdefault(tuple(identity(one) for one in key), (key, []))[1].append(row)
    if not grouping.by and not groups:
        groups[()] = ([], [])
    measures = [_measuring(one, found) for one in grouping.measures]
    rows = [[*key, *(measure(members) for measure in measures)] for key, members in groups.values()]
    textual = [is_textual(one) for one in grouping.by]
    rows.sort(key=lambda row: [group_key(row[at], textual=one) for at, one in enumerate(textual)])
    return Rows({column: column.place for column in columns}, [(1, row) for row in rows])


def _keys_of(row: Row, keys: Sequence[tuple[Evaluate, bool]]) -> list[list[Any]]:
    """The combinations of keys that a row counts under: each element of a list is one."""
    combinations: list[list[Any]] = [[]]
    for value, many in keys:
        found = value(row)
        options = list({identity(one): one for one in found}.values()) if many and found else None
        options = options or [None if many else found]
        combinations = [[*key, option] for key in combinations for option in options]
    return combinations


def _measuring(measure: Measure, found: Rows) -> Callable[[list[WeightedRow]], Any]:
    if measure.of is None:
        return lambda rows: sum(weight for weight, _ in rows)
    value = evaluation(measure.of, found.places)
    details = Details(measure.argument, is_textual(measure.of))
    run, name = measure.aggregate.run, measure.aggregate.name
    many = is_list(measure.of)
    # The earliest row comes first, or the latest; those without a moment come last.
    by = [_By(evaluation(one, found.places), True, name == "latest") for one in measure.by]

    def measured(rows: list[WeightedRow]) -> Any:
        if by:
            rows = _sorted(rows, by)
        values = [(weight, value(row)) for weight, row in rows]
        if many and name != "count":
            values = [(weight, one) for weight, each in values for one in each or ()]
        return run(_present(values), details)

    return measured


def _present(values: Iterable[Weighted]) -> list[Weighted]:
    return [one for one in values if one[1] is not None and one[1] != []]
