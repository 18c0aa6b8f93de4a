"""A ``stats`` that an engine can do by itself → a query of the algebra, with the filters, the
order and the limit that follow it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from k8sidx.backends.result import Value
from k8sidx.events.fields.lookup import resolve
from k8sidx.events.fields.table import Kind
from k8sidx.insights.execute.expressions import Places
from k8sidx.insights.language.periods import fixed
from k8sidx.insights.language.values import MOST_EXACT, is_number
from k8sidx.insights.plan.logical import (
    ID,
    TIME,
    AllOf,
    Arrange,
    Column,
    Compared,
    Constant,
    Cut,
    Floor,
    Grouping,
    Keep,
    Meaning,
    Measure,
    Of,
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
"""Which metric of the algebra an aggregate of a field is."""
EVENT_TIME = Of(Stored(resolve(TIME), TIME))
EVENT_ORDER = (EVENT_TIME, Of(Stored(resolve(ID), ID)))
"""What events are ordered by in time."""
_OF_NUMBERS = frozenset({"sum", "avg", "percentile"})
_OF_LISTS = frozenset({"present", "count_distinct"})
_LISTS = frozenset({"first_values", "last_values"})


@dataclass(frozen=True, slots=True)
class Aggregation:
    """How an engine does a ``stats``.

    :param read: the engine's rows as rows of ``places``.
    :param stages: what is left to be done.
    """

    query: Query
    places: Places
    read: Callable[[Sequence[Sequence[Value]]], list[Sequence[Any]]]
    stages: tuple[Stage, ...]


def aggregation(grouping: Grouping, where: Condition, later: Sequence[Stage]) -> Aggregation | None:
    """How an engine does the grouping; none when it cannot.

    :param later: the stages after it.
    """
    keys = [key_of(one, f"k{place}") for place, one in enumerate(grouping.by)]
    metrics = [_metric(one, f"m{place}") for place, one in enumerate(grouping.measures)]
    by = tuple(one for one in keys if one is not None)
    measured = tuple(one for one in metrics if one is not None)
    if len(by) < len(keys) or len(measured) < len(metrics):
        return None
    query = Query(where=where, group_by=by, metrics=measured or (Metric("n", "count"),))
    query, left = _with_what_follows(query, later[0].steps)
    columns = range(len(by) + len(measured))
    singles = [len(by) + at for at, one in enumerate(measured) if one.kind in _LISTS]
    return Aggregation(
        query,
        {Column(place): place for place in columns},
        lambda rows: [_unpacked(row, singles) for row in rows],
        (replace(later[0], steps=left), *later[1:]),
    )


def key_of(one: Meaning, name: str) -> Key | None:
    """An expression as a key of groups; none when an engine cannot group by it."""
    if isinstance(one, Of) and isinstance(one.source, Stored):
        return Terms(one.source.name, name, keep_missing=True)
    if isinstance(one, Floor) and one.moment == EVENT_TIME and (lengths := fixed(one.period)):
        return DateHistogram(lengths[0], name, lengths[1], keep_missing=True)
    return None


def _metric(measure: Measure, name: str) -> Metric | None:
    if measure.of is None:
        return Metric(name, "count")
    if not isinstance(measure.of, Of) or not isinstance(measure.of.source, Stored):
        return None
    field, kind = measure.of.source, _KINDS.get(measure.aggregate.name)
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


def _with_what_follows(query: Query, steps: Sequence[Step]) -> tuple[Query, tuple[Step, ...]]:
    """The query with the steps after it that are the engine's, and those that are left."""
    for place, step in enumerate(steps):
        match step:
            case Keep():
                having = _having(query, step.condition)
                if having is None:
                    return query, tuple(steps[place:])
                query = replace(query, having=(*query.having, *having))
            case Arrange():
                order = _order(query, step)
                if order is None:
                    return query, tuple(steps[place:])
                query = replace(query, order=(*order, *query.order))
            case Cut():
                return replace(query, limit=step.count), tuple(steps[place + 1 :])
            case _:
                return query, tuple(steps[place:])
    return query, ()


def _having(query: Query, condition: Meaning) -> list[Having] | None:
    found: list[Having] = []
    for part in condition.parts if isinstance(condition, AllOf) else (condition,):
        match part:
            case Compared(left=Of(source=Column() as column), right=Constant(value=value)):
                metric = _metric_at(query, column.place)
                if metric is None or not is_number(value) or abs(value) > MOST_EXACT:
                    return None
                found.append(Having(metric.name, part.operator, value))
            case _:
                return None
    return found


def _metric_at(query: Query, place: int) -> Metric | None:
    """The metric in a column, when its values are numbers."""
    at = place - len(query.group_by)
    if at < 0:
        return None
    metric = query.metrics[at]
    return None if metric.kind in ("min", "max", *_LISTS) else metric


def _order(query: Query, step: Arrange) -> list[Order] | None:
    """The order as the engine has it: each column of keys and metrics but lists."""
    found: list[Order] = []
    for one, descending in step.by:
        if not isinstance(one, Of) or not isinstance(one.source, Column):
            return None
        at = one.source.place - len(query.group_by)
        if at >= 0 and query.metrics[at].kind in _LISTS:
            return None
        name = query.columns[one.source.place]
        if name not in [order.column for order in found]:
            found.append(Order(name, descending))
    return found


def _unpacked(row: Sequence[Value], singles: Sequence[int]) -> Sequence[Any]:
    """The row with the one value of what the engine gives as a list."""
    if not singles:
        return row
    values: list[Any] = list(row)
    for place in singles:
        found = values[place]
        values[place] = found[0] if found else None
    return values
