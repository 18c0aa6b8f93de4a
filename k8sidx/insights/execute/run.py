"""Execution of a query: parsed text to rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, takewhile
from typing import TypeVar

from k8sidx.backends.protocol import Engine, StoreEngine
from k8sidx.backends.result import Result, Value
from k8sidx.errors import UnsupportedQuery, UsageError
from k8sidx.insights.execute.expressions import evaluator
from k8sidx.insights.execute.operators import Rows, apply_steps, group_rows
from k8sidx.insights.execute.pages import Pages
from k8sidx.insights.language.ast import Program
from k8sidx.insights.plan.binder import bind
from k8sidx.insights.plan.filter_pushdown import Conditions
from k8sidx.insights.plan.logical import Column, Distinct, Filter, Limit, Plan, Stage, Step
from k8sidx.insights.plan.strategies import MAX_GROUPS, MAX_ROWS, Strategy, strategies

MAX_EVENTS_READ = 1_000_000
"""Events that a query may read one by one at most."""
OnWarning = Callable[[str], None]
T = TypeVar("T")


def run_program(
    program: Program,
    engine: StoreEngine,
    since: datetime | None = None,
    until: datetime | None = None,
    *,
    on_warning: OnWarning,
) -> Result:
    """Return the rows of a query.

    :param since: only events from this moment on (timezone-aware).
    :param until: only events before this moment.
    :param on_warning: called with each notice: a column taken for another, many events read.
    :raises QueryError: when the query has no meaning.
    :raises UnsupportedQuery: when the engine cannot answer it.
    :raises UsageError: when too many events would be read one by one.
    :raises StoreError: when the store cannot be read.
    """
    plan = bind(program, now=datetime.now(UTC))
    for warning in plan.warnings:
        on_warning(warning)
    return choose_strategy(
        plan,
        engine,
        lambda strategy: _answer(plan, strategy.over(since, until), engine, on_warning),
    )


def choose_strategy(plan: Plan, engine: StoreEngine, take: Callable[[Strategy], T]) -> T:
    """Return the result of ``take`` for the best strategy that the engine supports; the last
    strategies push no conditions down.

    :raises UnsupportedQuery: the first refusal, when all are refused.
    """
    conditions = Conditions(engine.supports_regex)
    refused: UnsupportedQuery | None = None
    for strategy in chain(strategies(plan, conditions), strategies(plan, None)):
        try:
            return take(strategy)
        except UnsupportedQuery as error:
            refused = refused or error
    raise refused or UnsupportedQuery("no strategy answers this query.")


def _answer(plan: Plan, strategy: Strategy, engine: Engine, on_warning: OnWarning) -> Result:
    read = (
        _read_pages(strategy, engine, on_warning)
        if strategy.reads_all
        else _run_query(strategy, engine)
    )
    rows = _apply_stages(read.rows, strategy.stages)
    return Result(plan.columns, _projected(plan, rows, on_warning), engine.name, read.exact)


@dataclass(frozen=True, slots=True)
class _Read:
    """Rows, and whether the engine's numbers are exact."""

    rows: Rows
    exact: bool


def _run_query(strategy: Strategy, engine: Engine) -> _Read:
    result = engine.run(strategy.query)
    if len(result.rows) > MAX_GROUPS:
        raise UsageError(
            f"the query needs more than {MAX_GROUPS:,} combinations of values at once.",
            remedy="Filter first, or look at less time with --since and --until.",
        )
    return _Read(strategy.rows(result.rows), result.exact)


def _read_pages(strategy: Strategy, engine: Engine, on_warning: OnWarning) -> _Read:
    """Read events page by page, keeping those that the query keeps, until there are enough."""
    pages = Pages(strategy.query, engine)
    filters, distinct, enough = _streamable(strategy.stages[0].steps)
    if pages.count > MAX_EVENTS_READ:
        raise UsageError(
            f"the query would read {pages.count:,} events one by one, since {strategy.reads_all}.",
            remedy="Filter by other fields, too, or look at less time with --since and --until.",
        )
    if pages.count:
        most = "up to " if enough is not None else ""
        on_warning(f"{most}{pages.count:,} events are read one by one, since {strategy.reads_all}.")
    rows, exact = strategy.rows(()), True
    for page in pages:
        result = engine.run(page)
        rows.rows.extend(apply_steps(strategy.rows(result.rows), filters).rows)
        rows = apply_steps(rows, distinct)
        exact = exact and result.exact
        if enough is not None and len(rows.rows) >= enough:
            break
    return _Read(rows, exact)


def _streamable(steps: Sequence[Step]) -> tuple[list[Step], list[Step], int | None]:
    """Return the conditions at the beginning, the ``dedup`` after them if there is one, and how
    many rows are enough then. Applied to a part of the rows and then to all, they give the same."""
    filters = list(takewhile(lambda item: isinstance(item, Filter), steps))
    distinct = list(takewhile(lambda item: isinstance(item, Distinct), steps[len(filters) :]))[:1]
    after = steps[len(filters) + len(distinct) :][:1]
    enough = next((item.count for item in after if isinstance(item, Limit)), None)
    return filters, distinct, enough


def _apply_stages(rows: Rows, stages: Sequence[Stage]) -> Rows:
    for stage in stages:
        rows = apply_steps(rows, stage.steps)
        if stage.grouping is not None:
            rows = group_rows(rows, stage.grouping, _columns(stage))
    return rows


def _columns(stage: Stage) -> Sequence[Column]:
    grouping = stage.grouping
    count = len(grouping.by) + len(grouping.measures) if grouping else 0
    return [Column(index) for index in range(count)]


def _projected(plan: Plan, result: Rows, on_warning: OnWarning) -> list[tuple[Value, ...]]:
    rows = result.rows
    if not plan.limited and len(rows) > MAX_ROWS:
        rows = rows[:MAX_ROWS]
        on_warning(f"only the first {MAX_ROWS:,} events are shown; ask for others with limit.")
    values = [evaluator(expression, result.layout) for expression in plan.shown]
    return [tuple(value(row) for value in values) for _, row in rows]
