"""What a query says → what it means: names looked up, aliases put in, commands in order."""

from __future__ import annotations

from datetime import datetime

from k8sidx.insights.language import ast as syntax
from k8sidx.insights.language.ast import MESSAGE, Item, Name
from k8sidx.insights.language.diagnostics import refuse_list, same_name
from k8sidx.insights.language.parse_patterns import groups_of
from k8sidx.insights.plan.columns import CLOUDWATCH
from k8sidx.insights.plan.expressions import Expressions
from k8sidx.insights.plan.limits import Extents
from k8sidx.insights.plan.logical import (
    TIME,
    Arrange,
    Cut,
    Extracted,
    Keep,
    Meaning,
    Once,
    Plan,
    Stage,
    Step,
    grouping_expressions,
    is_list,
)
from k8sidx.insights.plan.scope import Scope
from k8sidx.insights.plan.stats import grouped


def understood(program: syntax.Program, *, now: datetime) -> Plan:
    """What a query means.

    :param now: what ``now()`` is, timezone-aware.
    :raises QueryError: for names that there are not, and what makes no sense.
    """
    reader = _Reader(now)
    for command in program.commands:
        reader.read(command)
    return reader.plan()


class _Reader:
    """Goes through the commands, with the names that each of them sees."""

    def __init__(self, now: datetime) -> None:
        self.scope = Scope()
        self.expressions = Expressions(self.scope, now)
        self.extents = Extents()
        self.stages: list[Stage] = []
        self.steps: list[Step] = []
        self.columns: dict[str, Meaning] = {}
        self.displayed: dict[str, Meaning] | None = None
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
                self.steps.append(Keep(self.extents.check(condition, command.place)))
            case syntax.Parse():
                self._parse(command)
            case syntax.Stats():
                self._stats(command)
            case syntax.Sort():
                self.steps.append(Arrange(tuple(self._sorted(one) for one in command.items)))
            case syntax.Limit():
                self.steps.append(Cut(command.count))
                self.limited = True
            case syntax.Dedup():
                self.steps.append(
                    Once(tuple(self.expressions.single(one) for one in command.names))
                )

    def plan(self) -> Plan:
        shown = self.columns if self.displayed is None else self.displayed
        if not shown:
            names = (Name(TIME), Name(MESSAGE))
            shown = {one.text: self.expressions.meaning(one) for one in names}
        stages = (*self.stages, Stage(tuple(self.steps)))
        return Plan(
            stages,
            tuple(shown),
            tuple(shown.values()),
            self.limited or len(stages) > 1,
            (*self.warnings, *map(_of_cloudwatch, sorted(self.scope.of_cloudwatch))),
        )

    def _defined(self, items: tuple[Item, ...]) -> dict[str, Meaning]:
        """Columns by name; each can be used by those after it."""
        found: dict[str, Meaning] = {}
        for item in items:
            meaning = self.expressions.meaning(item.expression)
            _put(found, item, self.extents.check(meaning, item.place))
            if item.expression != Name(item.name):
                self.scope.define(item.name, meaning)
        return found

    def _parse(self, command: syntax.Parse) -> None:
        source = self.expressions.single(command.source)
        pattern, groups = groups_of(command)
        for group, name in groups:
            part = Extracted(source, pattern, group)
            self.scope.define(name, self.extents.check(part, command.place))

    def _stats(self, command: syntax.Stats) -> None:
        grouping, columns = grouped(command, self.expressions)
        for one in (*grouping_expressions(grouping), *columns.values()):
            self.extents.check(one, command.place)
        self.stages.append(Stage(tuple(self.steps), grouping))
        self.steps = []
        self.columns, self.displayed = columns, None
        self.scope.begin(columns, (*command.keys, *command.aggregates))
        self.limited = False

    def _sorted(self, item: syntax.SortItem) -> tuple[Meaning, bool]:
        expression = item.expression
        if isinstance(expression, Name) and (meant := self.scope.meant(expression)):
            self.warnings.append(f"there is no {expression.text}; sorted by {meant}")
            expression = Name(meant, expression.place)
        meaning = self.expressions.meaning(expression)
        if is_list(meaning) and not self.stages:
            raise refuse_list(item.place)
        return self.extents.check(meaning, item.place), item.descending


def _of_cloudwatch(name: str) -> str:
    value = CLOUDWATCH[name]
    return f"{name} is CloudWatch's own; here it is {'missing' if value is None else value}"


def _put(columns: dict[str, Meaning], item: Item, meaning: Meaning) -> None:
    if columns.get(item.name, meaning) != meaning:
        raise same_name(item)
    columns[item.name] = meaning
