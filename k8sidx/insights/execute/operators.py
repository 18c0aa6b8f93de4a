"""Operators over rows: filter, sort, limit, distinct and group; exact, and the same for every
store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from k8sidx.insights.execute.expressions import Evaluate, Layout, Row, evaluator
from k8sidx.insights.language.aggregates import Details, Weighted
from k8sidx.insights.language.values import OrderKey, group_key, identity, order_key, truth
from k8sidx.insights.plan.logical import (
    Column,
    Distinct,
    Filter,
    Grouping,
    Limit,
    Measure,
    Sort,
    Step,
    is_list,
    is_textual,
)

WeightedRow = tuple[int, Row]
"""The number of events or rows that it represents, and the row."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows and the layout of their columns."""

    layout: Layout
    rows: list[WeightedRow]


def apply_steps(table: Rows, steps: Iterable[Step]) -> Rows:
    """Return the rows after some steps."""
    rows = table.rows
    for step in steps:
        rows = _apply_step(rows, step, table.layout)
    return Rows(table.layout, rows)


def _apply_step(rows: list[WeightedRow], step: Step, layout: Layout) -> list[WeightedRow]:
    match step:
        case Filter():
            holds = evaluator(step.condition, layout)
            return [row for row in rows if truth(holds(row[1]))]
        case Sort():
            by = [_SortKey(evaluator(key, layout), is_textual(key), down) for key, down in step.by]
            return _sorted(rows, by)
        case Limit():
            return rows[: step.count]
        case Distinct():
            return _distinct(rows, step, layout)


@dataclass(frozen=True, slots=True)
class _SortKey:
    """An expression to sort rows by."""

    value: Evaluate
    textual: bool
    descending: bool

    def key(self, row: WeightedRow) -> tuple[bool, OrderKey]:
        """Return the key for sorting; missing values come last in both directions."""
        value = self.value(row[1])
        return (value is None) != self.descending, order_key(value, textual=self.textual)


def _sorted(rows: list[WeightedRow], by: Sequence[_SortKey]) -> list[WeightedRow]:
    rows = list(rows)
    for sort_key in reversed(by):
        rows.sort(key=sort_key.key, reverse=sort_key.descending)
    return rows


def _distinct(rows: list[WeightedRow], step: Distinct, layout: Layout) -> list[WeightedRow]:
    values = [evaluator(key, layout) for key in step.by]
    seen: set[tuple[Any, ...]] = set()
    kept = []
    for row in rows:
        row_values = [value(row[1]) for value in values]
        if not any(item is None for item in row_values):
            key = tuple(identity(item) for item in row_values)
            if key in seen:
                continue
            seen.add(key)
        kept.append(row)
    return kept


def group_rows(table: Rows, grouping: Grouping, columns: Sequence[Column]) -> Rows:
    """Return one row for each combination of keys: keys, then measures; by keys, ascending.

    :param columns: the columns of the result.
    """
    keys = [(evaluator(key, table.layout), is_list(key)) for key in grouping.by]
    groups: dict[tuple[Any, ...], tuple[list[Any], list[WeightedRow]]] = {}
    for row in table.rows:
        for key in _keys_of(row[1], keys):
            groups.setdefault(tuple(identity(item) for item in key), (key, []))[1].append(row)
    if not grouping.by and not groups:
        groups[()] = ([], [])
    measures = [_measurement(measure, table) for measure in grouping.measures]
    rows = [[*key, *(measure(members) for measure in measures)] for key, members in groups.values()]
    textual = [is_textual(key) for key in grouping.by]
    rows.sort(key=lambda row: [group_key(row[at], textual=item) for at, item in enumerate(textual)])
    return Rows({column: column.index for column in columns}, [(1, row) for row in rows])


def _keys_of(row: Row, keys: Sequence[tuple[Evaluate, bool]]) -> list[list[Any]]:
    """Return the combinations of keys that a row counts under: each element of a list is one."""
    combinations: list[list[Any]] = [[]]
    for value, many in keys:
        keyed = value(row)
        options = (
            list({identity(item): item for item in keyed}.values()) if many and keyed else None
        )
        options = options or [None if many else keyed]
        combinations = [[*key, option] for key in combinations for option in options]
    return combinations


def _measurement(measure: Measure, table: Rows) -> Callable[[list[WeightedRow]], Any]:
    if measure.operand is None:
        return lambda rows: sum(weight for weight, _ in rows)
    value = evaluator(measure.operand, table.layout)
    details = Details(measure.argument, is_textual(measure.operand))
    run, name = measure.aggregate.run, measure.aggregate.name
    many = is_list(measure.operand)
    # The earliest row comes first, or the latest; those without a moment come last.
    by = [_SortKey(evaluator(key, table.layout), True, name == "latest") for key in measure.by]

    def measured(rows: list[WeightedRow]) -> Any:
        if by:
            rows = _sorted(rows, by)
        values = [(weight, value(row)) for weight, row in rows]
        if many and name != "count":
            values = [(weight, item) for weight, each in values for item in each or ()]
        return run(_present(values), details)

    return measured


def _present(values: Iterable[Weighted]) -> list[Weighted]:
    return [value for value in values if value[1] is not None and value[1] != []]
