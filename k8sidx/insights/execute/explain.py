"""Explanation of a query: the engine's part, and the steps over its rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from k8sidx.backends.protocol import StoreEngine
from k8sidx.insights.execute.run import choose_strategy
from k8sidx.insights.language.ast import Program
from k8sidx.insights.plan.binder import bind
from k8sidx.insights.plan.logical import Distinct, Filter, Limit, Plan, Sort, Stage, Step
from k8sidx.insights.plan.pretty import pretty, pretty_measure
from k8sidx.insights.plan.strategies import Strategy
from k8sidx.query.algebra import (
    Always,
    And,
    Compare,
    Condition,
    DateHistogram,
    InNetwork,
    Key,
    Metric,
    Not,
    OneOf,
    Or,
    Present,
    Query,
    Regex,
    Wildcard,
)


def explain_query(
    program: Program,
    engine: StoreEngine,
    since: datetime | None = None,
    until: datetime | None = None,
) -> str:
    """Return the query in the algebra, in the engine's language, and the steps over its rows.

    :raises QueryError: when the query has no meaning.
    :raises UnsupportedQuery: when the engine cannot answer it.
    :raises StoreError: when the cluster or the store cannot be reached.
    """
    plan = bind(program, now=datetime.now(UTC))
    return choose_strategy(
        plan, engine, lambda strategy: _explanation(plan, strategy.over(since, until), engine)
    )


def _explanation(plan: Plan, strategy: Strategy, engine: StoreEngine) -> str:
    asked = engine.explain(strategy.query)
    parts = [
        "\n".join(["The engine runs:", *_lines(strategy.query)]),
        asked.rstrip("\n"),
        "\n".join(_afterwards(plan, strategy)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _lines(query: Query) -> Iterator[str]:
    parts_of_query = {
        "events": _condition(query.where),
        "since": query.since.isoformat() if query.since else "",
        "until": query.until.isoformat() if query.until else "",
        "fields": ", ".join(query.select),
        "groups": ", ".join(_key(key) for key in query.group_by),
        "metrics": ", ".join(_metric(metric) for metric in query.metrics),
        "having": " and ".join(
            f"{having.metric} {having.op} {having.value}" for having in query.having
        ),
        "order": ", ".join(
            f"{order.column}{' descending' if order.descending else ''}" for order in query.order
        ),
        "limit": str(query.limit or ""),
    }
    for name, text in parts_of_query.items():
        if text:
            yield f"  {name:<8} {text}"


def _key(key: Key) -> str:
    if isinstance(key, DateHistogram):
        return f"{key.name} = intervals of {key.interval}"
    return f"{key.column} = {key.field}"


def _metric(metric: Metric) -> str:
    argument = f", {metric.argument:g}" if metric.argument else ""
    return f"{metric.name} = {metric.kind}({metric.field}{argument})"


def _condition(condition: Condition) -> str:
    match condition:
        case Always() | And(conditions=()):
            return "all"
        case And(conditions=parts):
            return " and ".join(_nested(part) for part in parts)
        case Or(conditions=()):
            return "none"
        case Or(conditions=parts):
            return " or ".join(_nested(part) for part in parts)
        case Not(condition=part):
            return f"not {_nested(part)}"
        case Compare():
            return f"{condition.field} {condition.op} {condition.value!r}"
        case OneOf():
            return f"{condition.field} in {list(condition.values)!r}"
        case Wildcard():
            return f"{condition.field} is like {condition.pattern!r}"
        case Regex():
            return f"{condition.field} has {condition.pattern!r}"
        case InNetwork():
            return f"{condition.field} is in {', '.join(condition.networks)}"
        case Present():
            return f"{condition.field} is there"


def _nested(condition: Condition) -> str:
    inner = _condition(condition)
    is_joined = isinstance(condition, And | Or) and len(condition.conditions) > 1
    return f"({inner})" if is_joined else inner


def _afterwards(plan: Plan, strategy: Strategy) -> Iterator[str]:
    """Yield the steps over the engine's rows."""
    lines = [line for stage in strategy.stages for line in _stage(stage)]
    shown = ", ".join(
        name if name == pretty(value) else f"{name} = {pretty(value)}"
        for name, value in zip(plan.columns, plan.shown, strict=True)
    )
    yield "Then, over the rows that it returns:"
    if strategy.reads_all:
        yield f"  read     all events one by one, since {strategy.reads_all}"
    yield from lines
    yield f"  show     {shown}"


def _stage(stage: Stage) -> Iterator[str]:
    for step in stage.steps:
        yield _step(step)
    if stage.grouping is not None:
        by = ", ".join(pretty(key) for key in stage.grouping.by)
        measures = ", ".join(pretty_measure(measure) for measure in stage.grouping.measures)
        yield f"  group    {measures}{f' by {by}' if by else ''}"


def _step(step: Step) -> str:
    match step:
        case Filter():
            return f"  keep     {pretty(step.condition)}"
        case Sort():
            by = [f"{pretty(key)}{' desc' if descending else ''}" for key, descending in step.by]
            return f"  sort     {', '.join(by)}"
        case Limit():
            return f"  limit    {step.count}"
        case Distinct():
            return f"  dedup    {', '.join(pretty(key) for key in step.by)}"
