"""How an engine is asked for the rows of a query: the ways there are, the best one first.

1. The first ``stats`` is the engine's own aggregation.
2. The engine groups events by the fields that the query reads, and the rest is worked out over
   these groups, each standing for so many events.
3. Events are read one by one. Where that is more than the query gives, it is said.

Conditions are the engine's as far as it has them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from k8sidx.backends.result import Value
from k8sidx.events.fields.table import Kind
from k8sidx.insights.execute.event_reader import EventReader, count_of
from k8sidx.insights.execute.expressions import Places
from k8sidx.insights.execute.operators import Rows
from k8sidx.insights.plan.aggregate_pushdown import aggregation, key_of
from k8sidx.insights.plan.filter_pushdown import Conditions
from k8sidx.insights.plan.logical import (
    ID,
    TIME,
    Arrange,
    Cut,
    Floor,
    Inside,
    Keep,
    Meaning,
    Of,
    Once,
    Plan,
    Source,
    Stage,
    Step,
    Stored,
    Whole,
    event_expressions,
    grouping_expressions,
    parts_of,
    sources_of,
)
from k8sidx.query.algebra import And, Condition, Metric, Order, Query

MOST_GROUPS = 1_000_000
"""Combinations of values that are worked with."""
MOST_SHOWN = 10_000
"""Events that are shown where the query has no limit."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One way to get the rows of a query.

    :param query: for the engine.
    :param rows: its answer as rows of the first of ``stages``.
    :param stages: what is left to be worked out over them.
    :param reads_all: why all events that the query is about are read; empty where the engine
        gives no more than is needed.
    """

    query: Query
    rows: Callable[[Sequence[Sequence[Value]]], Rows]
    stages: tuple[Stage, ...]
    reads_all: str = ""

    def over(self, since: datetime | None, until: datetime | None) -> Ask:
        """The same for a range of time."""
        return replace(self, query=self.query.replace(since=since, until=until))


@dataclass(frozen=True, slots=True)
class _Asked:
    """The steps of the first stage, and what of them the engine is asked.

    :param left: conditions that it cannot answer, and that come first.
    :param steps: what comes after the conditions.
    """

    where: Condition
    left: tuple[Step, ...]
    steps: tuple[Step, ...]


def ways(plan: Plan, conditions: Conditions | None) -> Iterator[Ask]:
    """The ways to ask for a query's rows, the best first.

    :param conditions: none to leave all of them to the rows.
    """
    first, *later = plan.stages
    asked = _asked(first, conditions)
    if first.grouping is not None and not asked.steps:
        found = None if asked.left else aggregation(first.grouping, asked.where, later)
        if found is not None:
            places, read = found.places, found.read
            yield Ask(
                found.query,
                lambda rows: Rows(places, [(1, row) for row in read(rows)]),
                found.stages,
            )
        if (reduced := _reduced(plan, asked)) is not None:
            yield reduced
    yield _events(plan, asked)


def _asked(stage: Stage, conditions: Conditions | None) -> _Asked:
    """Conditions come first, since sorting before them changes nothing; and what is only
    counted need not be sorted."""
    steps = stage.steps
    end = next((at for at, one in enumerate(steps) if isinstance(one, Cut | Once)), len(steps))
    where: list[Condition] = []
    left: list[Step] = []
    sorts: list[Step] = []
    for step in steps[:end]:
        if not isinstance(step, Keep):
            sorts.append(step)
            continue
        found = conditions.split(step.condition) if conditions else ([], [step.condition])
        where += found[0]
        left += [Keep(one) for one in found[1]]
    if stage.grouping is not None and end == len(steps):
        sorts = []
    return _Asked(And(tuple(where)), tuple(left), (*sorts, *steps[end:]))


def _reduced(plan: Plan, asked: _Asked) -> Ask | None:
    """Events grouped by what the query reads of them."""
    grouping = plan.stages[0].grouping
    if grouping is None:
        return None
    left = [one.condition for one in asked.left if isinstance(one, Keep)]
    expressions = (*left, *grouping_expressions(grouping))
    atoms = list(dict.fromkeys(atom for one in expressions for atom in _atoms(one)))
    keys = [key_of(atom, f"k{at}") for at, atom in enumerate(atoms) if _tells_groups(atom)]
    by = tuple(key for key in keys if key is not None)
    if len(by) < len(atoms):
        return None
    places: Places = {
        atom.source if isinstance(atom, Of) else atom: at for at, atom in enumerate(atoms)
    }
    return Ask(
        Query(
            where=asked.where,
            group_by=by,
            metrics=(Metric("n", "count"),),
            limit=MOST_GROUPS + 1,
        ),
        lambda rows: Rows(places, [(count_of(row), row) for row in rows if count_of(row)]),
        (Stage(asked.left, grouping), *plan.stages[1:]),
    )


def _atoms(one: Meaning) -> Iterator[Of | Floor]:
    """What an expression reads: sources, and intervals of time."""
    if isinstance(one, Of) or (isinstance(one, Floor) and key_of(one, "interval")):
        yield one
        return
    for part in parts_of(one):
        yield from _atoms(part)


def _tells_groups(atom: Of | Floor) -> bool:
    """Whether there are fewer groups by it than events, each of one value."""
    if isinstance(atom, Floor):
        return True
    source = atom.source
    if not isinstance(source, Stored) or source.many:
        return False
    return source.kind is not Kind.TIME and source.path.field.name != ID


def _events(plan: Plan, asked: _Asked) -> Ask:
    """Events one by one, newest first; no more of them than are shown, where that can be told."""
    sources = list(
        dict.fromkeys(source for one in event_expressions(plan) for source in sources_of(one))
    )
    reader = EventReader(sources)
    order, steps, limit = _arranged(plan, asked)
    places: Places = {source: at for at, source in enumerate(sources)}
    first = plan.stages[0]
    return Ask(
        Query(where=asked.where, select=reader.columns, order=order, limit=limit),
        lambda rows: Rows(places, [(1, row) for row in reader.rows(rows)]),
        (Stage((*asked.left, *steps), first.grouping), *plan.stages[1:]),
        "" if limit is not None else _why(sources),
    )


_NEWEST_FIRST = (Order(TIME, descending=True),)


def _arranged(plan: Plan, asked: _Asked) -> tuple[tuple[Order, ...], list[Step], int | None]:
    """The order and the limit that an engine is asked for, and the steps that are left; without
    a limit events come newest first, to be read page by page."""
    order: tuple[Order, ...] = _NEWEST_FIRST
    steps = list(asked.steps)
    if asked.left:
        return order, steps, None
    while steps and isinstance(steps[0], Arrange) and (found := _order(steps[0])) is not None:
        order = (*found, *order)
        steps.pop(0)
    if steps and isinstance(steps[0], Cut):
        return _once_each(order), steps, steps[0].count
    if not steps and plan.stages[0].grouping is None and not plan.limited:
        return _once_each(order), steps, MOST_SHOWN + 1
    return _NEWEST_FIRST, list(asked.steps), None


def _order(step: Arrange) -> tuple[Order, ...] | None:
    """An order of events that every engine has; none when it is another one."""
    found: list[Order] = []
    for one, descending in step.by:
        source: Source | None = one.source if isinstance(one, Of) else None
        if not isinstance(source, Stored) or source.many or source.path.field.name == ID:
            return None
        found.append(Order(source.name, descending))
    return tuple(found)


def _once_each(order: Sequence[Order]) -> tuple[Order, ...]:
    kept: dict[str, Order] = {}
    for one in order:
        kept.setdefault(one.column, one)
    return tuple(kept.values())


def _why(sources: Sequence[Source]) -> str:
    """What keeps the engine from answering by itself, for people."""
    for source in sources:
        if isinstance(source, Whole):
            return "@message is the whole event; message, its one-line summary, is quick"
        if isinstance(source, Inside):
            return f"{source.path} is no field of its own; those are in docs/fields.md"
    return "the engine cannot put it together by itself"
