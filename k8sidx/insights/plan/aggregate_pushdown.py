"""Aggregate push-down: a ``stats`` as a query of the algebra, with the filters, the order and the
limit after it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from k8sidx.backends.result import Value
from k8sidx.events.fields.lookup import resolve
from k8sidx.events.fields.names import EVENT_ID, TIMESTAMP
from k8sidx.events.fields.table import Kind
from k8sidx.insights.execute.expressions import Layout
from k8sidx.insights.language.periods import fixed
from k8sidx.insights.language.values import MAX_EXACT, is_number
from k8sidx.insights.plan.logical import (
    AllOf,
    BoundExpression,
    Column,
    Compared,
    Constant,
    DateFloor,
    FieldRef,
    Filter,
    Grouping,
    Limit,
    Measure,
    Sort,
    Stage,
    Step,
    Stored,
)
from k8sidx.query.algebra import (
    Condition,
    DateHistogram,
    Having,
    Key,
    Metric,
    MetricKind,
    Order,
    Query,
    Terms,
)

_KINDS: dict[str, MetricKind] = {
    "count": "present",
    "count_distinct": "count_distinct",
    "sum": "sum",
    "avg": "avg",
    "pct": "percentile",
    "median": "percentile",
    "min": "min",
    "max": "max",
    "sortsFirst": "min",
    "sortsLast": "max",
    "earliest": "first_values",
    "latest": "last_values",
}
"""The metric of the algebra for each aggregate of a field."""
EVENT_TIME = FieldRef(Stored(resolve(TIMESTAMP), TIMESTAMP))
EVENT_ORDER = (EVENT_TIME, FieldRef(Stored(resolve(EVENT_ID), EVENT_ID)))
"""The order of events in time."""
_OF_NUMBERS = frozenset({"sum", "avg", "percentile"})
_OF_LISTS = frozenset({"present", "count_distinct"})
_LISTS = frozenset({"first_values", "last_values"})


@dataclass(frozen=True, slots=True)
class Aggregation:
    """A ``stats`` that an engine computes.

    :param read: makes rows of ``layout`` of the engine's rows.
    :param stages: the stages that remain to be computed here.
    """

    query: Query
    layout: Layout
    read: Callable[[Sequence[Sequence[Value]]], list[Sequence[Any]]]
    stages: tuple[Stage, ...]


def aggregation(grouping: Grouping, where: Condition, later: Sequence[Stage]) -> Aggregation | None:
    """Return the grouping as an engine computes it, or ``None`` when it cannot.

    :param later: the stages after it.
    """
    keys = [key_of(key, f"k{index}") for index, key in enumerate(grouping.by)]
    metrics = [_metric(measure, f"m{index}") for index, measure in enumerate(grouping.measures)]
    by = tuple(key for key in keys if key is not None)
    measured = tuple(metric for metric in metrics if metric is not None)
    if len(by) < len(keys) or len(measured) < len(metrics):
        return None
    query = Query(where=where, group_by=by, metrics=measured or (Metric("n", "count"),))
    query, left = _absorb_steps(query, later[0].steps)
    columns = range(len(by) + len(measured))
    singles = [len(by) + at for at, metric in enumerate(measured) if metric.kind in _LISTS]
    return Aggregation(
        query,
        {Column(index): index for index in columns},
        lambda rows: [_unwrapped(row, singles) for row in rows],
        (replace(later[0], steps=left), *later[1:]),
    )


def key_of(expression: BoundExpression, name: str) -> Key | None:
    """Return an expression as a key of groups, or ``None`` when an engine cannot group by it."""
    if isinstance(expression, FieldRef) and isinstance(expression.source, Stored):
        return Terms(expression.source.name, name, keep_missing=True)
    if (
        isinstance(expression, DateFloor)
        and expression.moment == EVENT_TIME
        and (lengths := fixed(expression.period))
    ):
        return DateHistogram(lengths[0], name, lengths[1], keep_missing=True)
    return None


def _metric(measure: Measure, name: str) -> Metric | None:
    if measure.operand is None:
        return Metric(name, "count")
    if not isinstance(measure.operand, FieldRef) or not isinstance(measure.operand.source, Stored):
        return None
    field, kind = measure.operand.source, _KINDS.get(measure.aggregate.name)
    if kind is None or (kind in _OF_NUMBERS and field.kind is not Kind.INTEGER):
        return None
    if measure.by and measure.by != EVENT_ORDER:
        return None  # An alias hides the time of events.
    if (field.many and kind not in _OF_LISTS) or (
        kind in ("min", "max") and field.kind is Kind.BOOLEAN
    ):
        return None
    argument = {"pct": measure.argument, "median": 50.0}.get(measure.aggregate.name, 0.0)
    return Metric(name, kind, field.name, 1.0 if kind in _LISTS else argument)


def _absorb_steps(query: Query, steps: Sequence[Step]) -> tuple[Query, tuple[Step, ...]]:
    """Return the query with those steps after it that the engine can run, and the remaining
    steps."""
    for index, step in enumerate(steps):
        match step:
            case Filter():
                having = _having(query, step.condition)
                if having is None:
                    return query, tuple(steps[index:])
                query = replace(query, having=(*query.having, *having))
            case Sort():
                order = _order(query, step)
                if order is None:
                    return query, tuple(steps[index:])
                query = replace(query, order=(*order, *query.order))
            case Limit():
                return replace(query, limit=step.count), tuple(steps[index + 1 :])
            case _:
                return query, tuple(steps[index:])
    return query, ()


def _having(query: Query, condition: BoundExpression) -> list[Having] | None:
    clauses: list[Having] = []
    for part in condition.parts if isinstance(condition, AllOf) else (condition,):
        match part:
            case Compared(left=FieldRef(source=Column() as column), right=Constant(value=value)):
                metric = _metric_at(query, column.index)
                if metric is None or not is_number(value) or abs(value) > MAX_EXACT:
                    return None
                clauses.append(Having(metric.name, part.operator, value))
            case _:
                return None
    return clauses


def _metric_at(query: Query, index: int) -> Metric | None:
    """Return the metric of a column, when its values are numbers."""
    at = index - len(query.group_by)
    if at < 0:
        return None
    metric = query.metrics[at]
    return None if metric.kind in ("min", "max", *_LISTS) else metric


def _order(query: Query, step: Sort) -> list[Order] | None:
    """Return the order as the engine has it (columns of keys and metrics, except lists), or
    ``None``."""
    orders: list[Order] = []
    for key, descending in step.by:
        if not isinstance(key, FieldRef) or not isinstance(key.source, Column):
            return None
        at = key.source.index - len(query.group_by)
        if at >= 0 and query.metrics[at].kind in _LISTS:
            return None
        name = query.columns[key.source.index]
        if name not in [order.column for order in orders]:
            orders.append(Order(name, descending))
    return orders


def _unwrapped(row: Sequence[Value], singles: Sequence[int]) -> Sequence[Any]:
    """Return the row with single values where the engine returns lists of one."""
    if not singles:
        return row
    values: list[Any] = list(row)
    for index in singles:
        listed = values[index]
        values[index] = listed[0] if listed else None
    return values
