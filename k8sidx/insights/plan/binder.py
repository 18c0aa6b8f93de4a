"""Binder: resolves names, expands aliases and puts the commands of a query into a plan."""

from __future__ import annotations

from datetime import datetime

from k8sidx.events.fields.names import TIMESTAMP
from k8sidx.insights.language import ast as syntax
from k8sidx.insights.language.ast import MESSAGE, Item, Name
from k8sidx.insights.language.diagnostics import duplicate_column, list_error
from k8sidx.insights.language.parse_patterns import groups_of
from k8sidx.insights.plan.columns import CLOUDWATCH
from k8sidx.insights.plan.expressions import Expressions
from k8sidx.insights.plan.limits import SizeChecker
from k8sidx.insights.plan.logical import (
    BoundExpression,
    Distinct,
    Filter,
    Limit,
    Plan,
    RegexGroup,
    Sort,
    Stage,
    Step,
    grouping_expressions,
    is_list,
)
from k8sidx.insights.plan.scope import Scope
from k8sidx.insights.plan.stats import bind_stats


def bind(program: syntax.Program, *, now: datetime) -> Plan:
    """Return the plan of a parsed query.

    :param now: what ``now()`` is, timezone-aware.
    :raises QueryError: for unknown names and expressions without a meaning.
    """
    reader = _Binder(now)
    for command in program.commands:
        reader.read(command)
    return reader.plan()


class _Binder:
    """Binds one command after the other, with the names that each of them can use."""

    def __init__(self, now: datetime) -> None:
        self.scope = Scope()
        self.expressions = Expressions(self.scope, now)
        self.sizes = SizeChecker()
        self.stages: list[Stage] = []
        self.steps: list[Step] = []
        self.columns: dict[str, BoundExpression] = {}
        self.displayed: dict[str, BoundExpression] | None = None
        self.limited = False
        self.warnings: list[str] = []

    def read(self, command: syntax.Command) -> None:
        match command:
            case syntax.Fields():
                self.columns.update(self._defined(command.items))
            case syntax.Display():
                self.displayed = self._defined(command.items)
            case syntax.Filter():
                condition = self.expressions.condition(command.condition)
                self.steps.append(Filter(self.sizes.check(condition, command.position)))
            case syntax.Parse():
                self._parse(command)
            case syntax.Stats():
                self._stats(command)
            case syntax.Sort():
                self.steps.append(Sort(tuple(self._sort_key(item) for item in command.items)))
            case syntax.Limit():
                self.steps.append(Limit(command.count))
                self.limited = True
            case syntax.Dedup():
                self.steps.append(
                    Distinct(tuple(self.expressions.single(name) for name in command.names))
                )

    def plan(self) -> Plan:
        shown = self.columns if self.displayed is None else self.displayed
        if not shown:
            names = (Name(TIMESTAMP), Name(MESSAGE))
            shown = {name.text: self.expressions.bind(name) for name in names}
        stages = (*self.stages, Stage(tuple(self.steps)))
        return Plan(
            stages,
            tuple(shown),
            tuple(shown.values()),
            self.limited or len(stages) > 1,
            (*self.warnings, *map(_cloudwatch_warning, sorted(self.scope.cloudwatch_names))),
        )

    def _defined(self, items: tuple[Item, ...]) -> dict[str, BoundExpression]:
        """Return columns by name; each can be used by those after it."""
        columns: dict[str, BoundExpression] = {}
        for item in items:
            bound = self.expressions.bind(item.expression)
            _put(columns, item, self.sizes.check(bound, item.position))
            if item.expression != Name(item.name):
                self.scope.define(item.name, bound)
        return columns

    def _parse(self, command: syntax.Parse) -> None:
        source = self.expressions.single(command.source)
        pattern, groups = groups_of(command)
        for group, name in groups:
            part = RegexGroup(source, pattern, group)
            self.scope.define(name, self.sizes.check(part, command.position))

    def _stats(self, command: syntax.Stats) -> None:
        grouping, columns = bind_stats(command, self.expressions)
        for item in (*grouping_expressions(grouping), *columns.values()):
            self.sizes.check(item, command.position)
        self.stages.append(Stage(tuple(self.steps), grouping))
        self.steps = []
        self.columns, self.displayed = columns, None
        self.scope.start_after_stats(columns, (*command.keys, *command.aggregates))
        self.limited = False

    def _sort_key(self, item: syntax.SortItem) -> tuple[BoundExpression, bool]:
        expression = item.expression
        if isinstance(expression, Name) and (likely_column := self.scope.likely_column(expression)):
            self.warnings.append(f"there is no {expression.text}; sorted by {likely_column}")
            expression = Name(likely_column, expression.position)
        bound = self.expressions.bind(expression)
        if is_list(bound) and not self.stages:
            raise list_error(item.position)
        return self.sizes.check(bound, item.position), item.descending


def _cloudwatch_warning(name: str) -> str:
    value = CLOUDWATCH[name]
    return f"{name} is CloudWatch's own; here it is {'missing' if value is None else value}"


def _put(columns: dict[str, BoundExpression], item: Item, bound: BoundExpression) -> None:
    if columns.get(item.name, bound) != bound:
        raise duplicate_column(item)
    columns[item.name] = bound
