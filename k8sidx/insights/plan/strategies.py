"""Candidate strategies for the rows of a query, the best first.

1. The first ``stats`` is the engine's own aggregation.
2. The engine groups events by the fields that the query reads, and the rest is computed over
   these groups, each weighted by its number of events.
3. Events are read one by one, with a notice where that is more than the query returns.

Conditions are pushed down to the engine as far as it supports them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from k8sidx.backends.result import Value
from k8sidx.events.fields.names import EVENT_ID, TIMESTAMP
from k8sidx.events.fields.table import Kind
from k8sidx.insights.execute.event_reader import EventReader, count_of
from k8sidx.insights.execute.expressions import Layout
from k8sidx.insights.execute.operators import Rows
from k8sidx.insights.plan.aggregate_pushdown import aggregation, key_of
from k8sidx.insights.plan.filter_pushdown import Conditions
from k8sidx.insights.plan.logical import (
    BoundExpression,
    DateFloor,
    Distinct,
    FieldRef,
    Filter,
    JsonPath,
    Limit,
    Plan,
    RawMessage,
    Sort,
    Source,
    Stage,
    Step,
    Stored,
    event_expressions,
    grouping_expressions,
    parts_of,
    sources_of,
)
from k8sidx.query.algebra import And, Condition, Metric, Order, Query

MAX_GROUPS = 1_000_000
"""Combinations of values that are processed at most."""
MAX_ROWS = 10_000
"""Events that are returned where the query has no limit."""


@dataclass(frozen=True, slots=True)
class Strategy:
    """One way to get the rows of a query.

    :param query: for the engine.
    :param rows: makes rows for the first of ``stages`` of the engine's result.
    :param stages: the stages to compute over them.
    :param reads_all: why all matching events are read; empty where the engine returns no more
        than needed.
    """

    query: Query
    rows: Callable[[Sequence[Sequence[Value]]], Rows]
    stages: tuple[Stage, ...]
    reads_all: str = ""

    def over(self, since: datetime | None, until: datetime | None) -> Strategy:
        """Return the same strategy for a range of time."""
        return replace(self, query=self.query.replace(since=since, until=until))


@dataclass(frozen=True, slots=True)
class _FirstStage:
    """The steps of the first stage: the condition for the engine, and the remaining steps.

    :param left: conditions that the engine cannot evaluate; they come first.
    :param steps: the steps after the conditions.
    """

    where: Condition
    left: tuple[Step, ...]
    steps: tuple[Step, ...]


def strategies(plan: Plan, conditions: Conditions | None) -> Iterator[Strategy]:
    """Yield the strategies for a query's rows, the best first.

    :param conditions: ``None`` to evaluate all conditions over the rows.
    """
    first, *later = plan.stages
    first_stage = _first_stage(first, conditions)
    if first.grouping is not None and not first_stage.steps:
        pushed = None if first_stage.left else aggregation(first.grouping, first_stage.where, later)
        if pushed is not None:
            layout, read = pushed.layout, pushed.read
            yield Strategy(
                pushed.query,
                lambda rows: Rows(layout, [(1, row) for row in read(rows)]),
                pushed.stages,
            )
        if (over_groups := _over_groups(plan, first_stage)) is not None:
            yield over_groups
    yield _over_events(plan, first_stage)


def _first_stage(stage: Stage, conditions: Conditions | None) -> _FirstStage:
    """Move conditions to the front, since sorting before them changes nothing; rows that are only
    counted need not be sorted."""
    steps = stage.steps
    end = next(
        (at for at, step in enumerate(steps) if isinstance(step, Limit | Distinct)), len(steps)
    )
    where: list[Condition] = []
    left: list[Step] = []
    sorts: list[Step] = []
    for step in steps[:end]:
        if not isinstance(step, Filter):
            sorts.append(step)
            continue
        split = conditions.split(step.condition) if conditions else ([], [step.condition])
        where += split[0]
        left += [Filter(item) for item in split[1]]
    if stage.grouping is not None and end == len(steps):
        sorts = []
    return _FirstStage(And(tuple(where)), tuple(left), (*sorts, *steps[end:]))


def _over_groups(plan: Plan, first_stage: _FirstStage) -> Strategy | None:
    """Return the strategy that groups events by the sources that the query reads."""
    grouping = plan.stages[0].grouping
    if grouping is None:
        return None
    left = [step.condition for step in first_stage.left if isinstance(step, Filter)]
    expressions = (*left, *grouping_expressions(grouping))
    atoms = list(dict.fromkeys(atom for expression in expressions for atom in _atoms(expression)))
    keys = [key_of(atom, f"k{at}") for at, atom in enumerate(atoms) if _is_groupable(atom)]
    by = tuple(key for key in keys if key is not None)
    if len(by) < len(atoms):
        return None
    layout: Layout = {
        atom.source if isinstance(atom, FieldRef) else atom: at for at, atom in enumerate(atoms)
    }
    return Strategy(
        Query(
            where=first_stage.where,
            group_by=by,
            metrics=(Metric("n", "count"),),
            limit=MAX_GROUPS + 1,
        ),
        lambda rows: Rows(layout, [(count_of(row), row) for row in rows if count_of(row)]),
        (Stage(first_stage.left, grouping), *plan.stages[1:]),
    )


def _atoms(expression: BoundExpression) -> Iterator[FieldRef | DateFloor]:
    """Yield the sources and intervals of time that an expression reads."""
    if isinstance(expression, FieldRef) or (
        isinstance(expression, DateFloor) and key_of(expression, "interval")
    ):
        yield expression
        return
    for part in parts_of(expression):
        yield from _atoms(part)


def _is_groupable(atom: FieldRef | DateFloor) -> bool:
    """Whether there are fewer groups than events, and each event has one value."""
    if isinstance(atom, DateFloor):
        return True
    source = atom.source
    if not isinstance(source, Stored) or source.many:
        return False
    return source.kind is not Kind.TIME and source.path.field.name != EVENT_ID


def _over_events(plan: Plan, first_stage: _FirstStage) -> Strategy:
    """Return the strategy that reads events one by one, newest first, and no more of them than are
    returned where that is known."""
    sources = list(
        dict.fromkeys(
            source for expression in event_expressions(plan) for source in sources_of(expression)
        )
    )
    reader = EventReader(sources)
    order, steps, limit = _ordered(plan, first_stage)
    layout: Layout = {source: at for at, source in enumerate(sources)}
    first = plan.stages[0]
    return Strategy(
        Query(where=first_stage.where, select=reader.columns, order=order, limit=limit),
        lambda rows: Rows(layout, [(1, row) for row in reader.rows(rows)]),
        (Stage((*first_stage.left, *steps), first.grouping), *plan.stages[1:]),
        "" if limit is not None else _reason(sources),
    )


_NEWEST_FIRST = (Order(TIMESTAMP, descending=True),)


def _ordered(
    plan: Plan, first_stage: _FirstStage
) -> tuple[tuple[Order, ...], list[Step], int | None]:
    """Return the order and the limit for the engine, and the remaining steps; without a limit
    events come newest first, to be read page by page."""
    order: tuple[Order, ...] = _NEWEST_FIRST
    steps = list(first_stage.steps)
    if first_stage.left:
        return order, steps, None
    while steps and isinstance(steps[0], Sort) and (keys := _order(steps[0])) is not None:
        order = (*keys, *order)
        steps.pop(0)
    if steps and isinstance(steps[0], Limit):
        return _without_repetition(order), steps, steps[0].count
    if not steps and plan.stages[0].grouping is None and not plan.limited:
        return _without_repetition(order), steps, MAX_ROWS + 1
    return _NEWEST_FIRST, list(first_stage.steps), None


def _order(step: Sort) -> tuple[Order, ...] | None:
    """Return an order of events that every engine supports, or ``None``."""
    orders: list[Order] = []
    for key, descending in step.by:
        source: Source | None = key.source if isinstance(key, FieldRef) else None
        if not isinstance(source, Stored) or source.many or source.path.field.name == EVENT_ID:
            return None
        orders.append(Order(source.name, descending))
    return tuple(orders)


def _without_repetition(order: Sequence[Order]) -> tuple[Order, ...]:
    kept: dict[str, Order] = {}
    for item in order:
        kept.setdefault(item.column, item)
    return tuple(kept.values())


def _reason(sources: Sequence[Source]) -> str:
    """Return why the engine cannot compute the result by itself."""
    for source in sources:
        if isinstance(source, RawMessage):
            return "@message is the whole event; message, its one-line summary, is quick"
        if isinstance(source, JsonPath):
            return f"{source.path} is not a field of its own; those are in docs/fields.md"
    return "the engine cannot compute it by itself"
