"""Binder: resolves names, expands aliases and puts the commands of a query into a plan."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from k8sidx.events.fields.names import TIMESTAMP
from k8sidx.insights.language import ast as syntax
from k8sidx.insights.language.ast import MESSAGE, Item, Name
from k8sidx.insights.language.diagnostics import QueryError, duplicate_column, list_error
from k8sidx.insights.language.parse_patterns import groups_of
from k8sidx.insights.plan.columns import CLOUDWATCH
from k8sidx.insights.plan.expressions import Expressions
from k8sidx.insights.plan.limits import SizeChecker
from k8sidx.insights.plan.logical import (
    BoundExpression,
    Distinct,
    Filter,
    Plan,
    RegexGroup,
    Sort,
    Stage,
    Step,
    grouping_expressions,
    is_list,
)
from k8sidx.insights.plan.readings import Limits, column_made_of, conjuncts
from k8sidx.insights.plan.scope import MissingColumn, Scope
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
        self.now = now
        self.scope = Scope()
        self.expressions = Expressions(self.scope, now)
        self.events = self.expressions
        self.sizes = SizeChecker()
        self.limits = Limits()
        self.stages: list[Stage] = []
        self.steps: list[Step] = []
        self.columns: dict[str, BoundExpression] = {}
        self.parsed: dict[str, BoundExpression] = {}
        self.displayed: dict[str, BoundExpression] | None = None
        self.cloudwatch_names = self.scope.cloudwatch_names
        self.warnings: list[str] = []

    def read(self, command: syntax.Command) -> None:
        self.limits.read(command)
        match command:
            case syntax.Fields():
                self.columns.update(self._defined(command.items))
            case syntax.Display():
                self.displayed = self._defined(command.items)
            case syntax.Filter():
                self._filter(command)
            case syntax.Parse():
                self._parse(command)
            case syntax.Stats():
                self._stats(command)
            case syntax.Sort():
                keys = [key for item in command.items if (key := self._sort_key(item))]
                if keys:
                    self.steps.append(Sort(tuple(keys)))
            case syntax.Dedup():
                self.steps.append(
                    Distinct(tuple(self.expressions.single(name) for name in command.names))
                )

    def plan(self) -> Plan:
        shown = self._shown() if self.displayed is None else self.displayed
        stages = (*self.stages, Stage((*self.steps, *self.limits.of_result())))
        return Plan(
            stages,
            tuple(shown),
            tuple(shown.values()),
            bool(self.limits.of_result()) or len(stages) > 1,
            (
                *self.limits.warnings(),
                *self.warnings,
                *map(_cloudwatch_warning, sorted(self.cloudwatch_names)),
            ),
        )

    def _shown(self) -> dict[str, BoundExpression]:
        """Return the columns of ``fields`` or ``stats``, and those that ``parse`` made."""
        columns = self.columns
        if not columns:
            names = (Name(TIMESTAMP), Name(MESSAGE))
            columns = {name.text: self.events.bind(name) for name in names}
        return columns | self.parsed

    def _defined(self, items: tuple[Item, ...]) -> dict[str, BoundExpression]:
        """Return columns by name; each can be used by those after it."""
        columns: dict[str, BoundExpression] = {}
        for item in items:
            bound = self.expressions.bind(item.expression)
            _put(columns, item, self.sizes.check(bound, item.position))
            if item.expression != Name(item.name):
                self.scope.define(item.name, bound)
        return columns

    def _filter(self, command: syntax.Filter) -> None:
        """Add a condition; after ``stats``, its parts about events go before the first one, as
        CloudWatch applies them."""
        moved: list[Step] = []
        for part in conjuncts(command.condition):
            try:
                condition, steps = self.expressions.condition(part), self.steps
            except MissingColumn as error:
                condition, steps = self._of_events(part, error), moved
            steps.append(Filter(self.sizes.check(condition, command.position)))
        if moved:
            first = self.stages[0]
            self.stages[0] = replace(first, steps=(*first.steps, *moved))
            self.warnings.append(
                f"the filter of line {command.position.line} names fields of events, which stats "
                "does not keep: it is applied before stats"
            )

    def _of_events(self, part: syntax.Expression, error: MissingColumn) -> BoundExpression:
        """Bind a condition to the fields of events.

        :raises QueryError: the error of the condition after ``stats``.
        """
        try:
            return self.events.condition(part)
        except QueryError:
            raise error from None

    def _parse(self, command: syntax.Parse) -> None:
        source = self.expressions.single(command.source)
        pattern, groups = groups_of(command)
        for group, name in groups:
            part = RegexGroup(source, pattern, group)
            self.scope.define(name, self.sizes.check(part, command.position))
            self.parsed[name] = part

    def _stats(self, command: syntax.Stats) -> None:
        grouping, columns = bind_stats(command, self.expressions)
        for item in (*grouping_expressions(grouping), *columns.values()):
            self.sizes.check(item, command.position)
        self.stages.append(Stage((*self.steps, *self.limits.of_stage()), grouping))
        self.steps = []
        self.columns, self.parsed, self.displayed = columns, {}, None
        self.scope = Scope.after_stats(columns, (*command.keys, *command.aggregates))
        self.expressions = Expressions(self.scope, self.now)

    def _sort_key(self, item: syntax.SortItem) -> tuple[BoundExpression, bool] | None:
        """Return a key of the order; ``None`` for a field of events that ``stats`` does not keep,
        by which CloudWatch does not sort either."""
        expression = item.expression
        if isinstance(expression, Name) and not self.scope.has(expression):
            column = self._meant_column(expression)
            if column is None:
                self.warnings.append(
                    f"not sorted by {expression.text}, a field of events, which stats does not keep"
                )
                return None
            self.warnings.append(f"there is no {expression.text}; sorted by {column}")
            expression = Name(column, expression.position)
        bound = self.expressions.bind(expression)
        if is_list(bound) and not self.stages:
            raise list_error(item.position)
        return self.sizes.check(bound, item.position), item.descending

    def _meant_column(self, name: Name) -> str | None:
        """Return the column that a name after ``stats`` means: the one that was made of that field
        of events, or one that is spelled similarly.

        :raises QueryError: when it is neither a field nor similar to a column.
        """
        try:
            field = self.events.bind(name)
        except QueryError:
            if similar := self.scope.likely_column(name):
                return similar
            raise
        return column_made_of(field, self.stages, self.columns)


def _cloudwatch_warning(name: str) -> str:
    value = CLOUDWATCH[name]
    return f"{name} is CloudWatch's own; here it is {'missing' if value is None else value}"


def _put(columns: dict[str, BoundExpression], item: Item, bound: BoundExpression) -> None:
    if columns.get(item.name, bound) != bound:
        raise duplicate_column(item)
    columns[item.name] = bound
