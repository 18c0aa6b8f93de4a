"""Query text → rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, takewhile
from typing import TypeVar

from k8sidx.backends.protocol import Engine, StoreEngine
from k8sidx.backends.result import Result, Value
from k8sidx.errors import UnsupportedQuery, UsageError
from k8sidx.insights.execute.expressions import evaluation
from k8sidx.insights.execute.operators import Rows, grouped, stepped
from k8sidx.insights.execute.pages import Pages
from k8sidx.insights.language.ast import Program
from k8sidx.insights.plan.binder import understood
from k8sidx.insights.plan.filter_pushdown import Conditions
from k8sidx.insights.plan.logical import Column, Cut, Keep, Once, Plan, Stage, Step
from k8sidx.insights.plan.strategies import MOST_GROUPS, MOST_SHOWN, Ask, ways

MOST_READ = 1_000_000
"""Events that a query may read one by one."""
Say = Callable[[str], None]
T = TypeVar("T")


def answer(
    program: Program,
    engine: StoreEngine,
    since: datetime | None = None,
    until: datetime | None = None,
    *,
    say: Say,
) -> Result:
    """The rows of a query.

    :param since: only events from this moment on (timezone-aware).
    :param until: only events before this moment.
    :param say: told what users should know: a column taken for another, many events read.
    :raises QueryError: when the query means nothing.
    :raises UnsupportedQuery: when the engine has no way to answer.
    :raises UsageError: when more events would be read one by one than is sensible.
    :raises StoreError: when the store cannot be read.
    """
    plan = understood(program, now=datetime.now(UTC))
    for warning in plan.warnings:
        say(warning)
    return first_way(plan, engine, lambda ask: _answer(plan, ask.over(since, until), engine, say))


def first_way(plan: Plan, engine: StoreEngine, take: Callable[[Ask], T]) -> T:
    """What ``take`` makes of the best way to ask that the engine does not refuse. In the last
    ways it is asked no conditions.

    :raises UnsupportedQuery: the first refusal, when all are refused.
    """
    conditions = Conditions(engine.supports_regex)
    refused: UnsupportedQuery | None = None
    for ask in chain(ways(plan, conditions), ways(plan, None)):
        try:
            return take(ask)
        except UnsupportedQuery as error:
            refused = refused or error
    raise refused or UnsupportedQuery("there is no way to answer this.")


def _answer(plan: Plan, ask: Ask, engine: Engine, say: Say) -> Result:
    found = _read(ask, engine, say) if ask.reads_all else _asked(ask, engine)
    rows = _worked_out(found.rows, ask.stages)
    return Result(plan.columns, _shown(plan, rows, say), engine.name, found.exact)


@dataclass(frozen=True, slots=True)
class _Found:
    """Rows, and whether the engine's numbers are exact."""

    rows: Rows
    exact: bool


def _asked(ask: Ask, engine: Engine) -> _Found:
    result = engine.run(ask.query)
    if len(result.rows) > MOST_GROUPS:
        raise UsageError(
            f"the query needs more than {MOST_GROUPS:,} combinations of values at once.",
            remedy="Filter first, or look at less time with --since and --until.",
        )
    return _Found(ask.rows(result.rows), result.exact)


def _read(ask: Ask, engine: Engine, say: Say) -> _Found:
    """Read events page by page, keeping those that the query keeps, until there are enough."""
    pages = Pages(ask.query, engine)
    keeps, once, enough = _first_steps(ask.stages[0].steps)
    if pages.count > MOST_READ:
        raise UsageError(
            f"the query would read {pages.count:,} events one by one, since {ask.reads_all}.",
            remedy="Filter by other fields, too, or look at less time with --since and --until.",
        )
    if pages.count:
        most = "up to " if enough is not None else ""
        say(f"{most}{pages.count:,} events are read one by one, since {ask.reads_all}.")
    found, exact = ask.rows(()), True
    for page in pages:
        result = engine.run(page)
        found.rows.extend(stepped(ask.rows(result.rows), keeps).rows)
        found = stepped(found, once)
        exact = exact and result.exact
        if enough is not None and len(found.rows) >= enough:
            break
    return _Found(found, exact)


def _first_steps(steps: Sequence[Step]) -> tuple[list[Step], list[Step], int | None]:
    """The conditions at the beginning, the ``dedup`` after them if there is one, and how many
    rows are enough then. Done for a part of the rows and then for all, they give the same."""
    keeps = list(takewhile(lambda one: isinstance(one, Keep), steps))
    once = list(takewhile(lambda one: isinstance(one, Once), steps[len(keeps) :]))[:1]
    after = steps[len(keeps) + len(once) :][:1]
    enough = next((one.count for one in after if isinstance(one, Cut)), None)
    return keeps, once, enough


def _worked_out(found: Rows, stages: Sequence[Stage]) -> Rows:
    for stage in stages:
        found = stepped(found, stage.steps)
        if stage.grouping is not None:
            found = grouped(found, stage.grouping, _columns(stage))
    return found


def _columns(stage: Stage) -> Sequence[Column]:
    grouping = stage.grouping
    count = len(grouping.by) + len(grouping.measures) if grouping else 0
    return [Column(place) for place in range(count)]


def _shown(plan: Plan, found: Rows, say: Say) -> list[tuple[Value, ...]]:
    rows = found.rows
    if not plan.limited and len(rows) > MOST_SHOWN:
        rows = rows[:MOST_SHOWN]
        say(f"only the first {MOST_SHOWN:,} events are shown; ask for others with limit.")
    values = [evaluation(one, found.places) for one in plan.shown]
    return [tuple(value(row) for value in values) for _, row in rows]
