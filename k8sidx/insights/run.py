"""Query text → rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from k8sidx.engine.protocol import Engine
from k8sidx.engine.result import Result
from k8sidx.engine.search_regex import lucene
from k8sidx.errors import InvalidQuery, UnsupportedQuery, UsageError
from k8sidx.insights.asking import MOST_SHOWN, Ask, ways
from k8sidx.insights.conditions import Conditions, takes_any_regex
from k8sidx.insights.evaluate import evaluation
from k8sidx.insights.meaning import Column, Plan, Stage
from k8sidx.insights.resolve import understood
from k8sidx.insights.rows import Rows, grouped, stepped
from k8sidx.insights.syntax import Program
from k8sidx.query.algebra import Metric, Query

MOST_READ = 2_000_000
"""Events that a query may read one by one."""
Say = Callable[[str], None]


def answer(
    program: Program,
    engine: Engine,
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
    refused: UnsupportedQuery | None = None
    for ask in asks(plan, engine.name):
        query = ask.query.replace(since=since, until=until)
        try:
            if ask.reads_all:
                _tell_reading(ask, query, engine, say)
            result = engine.run(query)
        except UnsupportedQuery as error:
            refused = refused or error
            continue
        return _shown(plan, _worked_out(ask, result), result, say)
    raise refused or UnsupportedQuery("there is no way to answer this.")


def asks(plan: Plan, engine: str) -> list[Ask]:
    """The ways to ask an engine, the best one first; in the last ones it answers no conditions.

    :param engine: its name.
    """
    takes_regex = takes_any_regex if engine == "duckdb" else _lucene_takes
    return [*ways(plan, Conditions(takes_regex)), *ways(plan, None)]


def _lucene_takes(pattern: str) -> bool:
    try:
        lucene(pattern)
    except (UnsupportedQuery, InvalidQuery):
        return False
    return takes_any_regex(pattern)


def _tell_reading(ask: Ask, query: Query, engine: Engine, say: Say) -> None:
    """Say that events are read one by one, and how many."""
    counting = replace(query, select=(), order=(), limit=None, metrics=(Metric("n", "count"),))
    (count,) = engine.run(counting).rows[0]
    if isinstance(count, int) and count > MOST_READ:
        raise UsageError(
            f"the query would read {count:,} events one by one, since {ask.reads_all}.",
            remedy="Filter by other fields, too, or look at less time with --since and --until.",
        )
    say(f"{count:,} events are read one by one, since {ask.reads_all}.")


def _worked_out(ask: Ask, result: Result) -> Rows:
    found = ask.rows(result.rows)
    for stage in ask.stages:
        found = stepped(found, stage.steps)
        if stage.grouping is not None:
            found = grouped(found, stage.grouping, _columns(stage))
    return found


def _columns(stage: Stage) -> Sequence[Column]:
    grouping = stage.grouping
    count = len(grouping.by) + len(grouping.measures) if grouping else 0
    return [Column(place) for place in range(count)]


def _shown(plan: Plan, found: Rows, result: Result, say: Say) -> Result:
    rows = found.rows
    if not plan.limited and len(rows) > MOST_SHOWN:
        rows = rows[:MOST_SHOWN]
        say(f"only the first {MOST_SHOWN:,} events are shown; ask for others with limit.")
    values = [evaluation(one, found.places) for one in plan.shown]
    shown = [tuple(value(row) for value in values) for _, row in rows]
    return Result(plan.columns, shown, result.engine, result.exact)
