"""Logical plan: expressions over the columns of rows, and the steps from rows to rows.

Aliases are expanded: an expression contains all that it reads of the rows of its stage. The rows
of the first stage are events, those of a later one the result of the ``stats`` before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from k8sidx.events.fields.lookup import FieldPath
from k8sidx.events.fields.table import Kind
from k8sidx.insights.language.aggregates import Aggregate
from k8sidx.insights.language.ast import Period
from k8sidx.query.algebra import Comparison


@dataclass(frozen=True, slots=True)
class Stored:
    """A field of the field table.

    :param name: as the query wrote it; the engines resolve that name, too.
    """

    path: FieldPath
    name: str = field(compare=False)

    @property
    def many(self) -> bool:
        return self.path.many

    @property
    def kind(self) -> Kind:
        return self.path.field.kind


@dataclass(frozen=True, slots=True)
class JsonPath:
    """A JSON path into the whole event, for a value that is not a field."""

    path: str


@dataclass(frozen=True, slots=True)
class RawMessage:
    """The whole event as JSON text: ``@message``."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the rows of a ``stats``.

    :param textual: its values are texts, also those that look like numbers.
    """

    index: int
    textual: bool = field(default=False, compare=False)
    many: bool = field(default=False, compare=False)


Source: TypeAlias = Stored | JsonPath | RawMessage | Column


@dataclass(frozen=True, slots=True)
class Constant:
    """A value in the query."""

    value: Any


@dataclass(frozen=True, slots=True)
class FieldRef:
    """The value of a source in the row."""

    source: Source


@dataclass(frozen=True, slots=True)
class Apply:
    """A function call.

    :param name: the function, for :mod:`k8sidx.insights.plan.filter_pushdown` and explanations.
    :param run: computes the value from the arguments' values.
    :param takes_missing: it is called where an argument is missing, too.
    :param detail: the constants in ``run``, so that equal expressions compare equal.
    """

    name: str
    arguments: tuple[BoundExpression, ...]
    run: Callable[..., Any] = field(compare=False)
    takes_missing: bool = False
    detail: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class DateFloor:
    """The start of the period that a moment is in."""

    moment: BoundExpression
    period: Period


@dataclass(frozen=True, slots=True)
class Compared:
    """``left operator right``."""

    operator: Comparison
    left: BoundExpression
    right: BoundExpression


@dataclass(frozen=True, slots=True)
class InList:
    """The item equals one of the constants."""

    item: BoundExpression
    options: tuple[BoundExpression, ...]


@dataclass(frozen=True, slots=True)
class Contains:
    """The text contains a part."""

    item: BoundExpression
    part: str


@dataclass(frozen=True, slots=True)
class RegexMatch:
    """A regular expression (RE2) is found in the text."""

    item: BoundExpression
    pattern: str


@dataclass(frozen=True, slots=True)
class RegexGroup:
    """The text of a group in the first match of a regular expression."""

    item: BoundExpression
    pattern: str
    group: int


@dataclass(frozen=True, slots=True)
class AllOf:
    """All conditions are true."""

    parts: tuple[BoundExpression, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one condition is true."""

    parts: tuple[BoundExpression, ...]


@dataclass(frozen=True, slots=True)
class Negated:
    """The condition is false; missing where it is."""

    part: BoundExpression


BoundExpression: TypeAlias = (
    Constant
    | FieldRef
    | Apply
    | DateFloor
    | Compared
    | InList
    | Contains
    | RegexMatch
    | RegexGroup
    | AllOf
    | AnyOf
    | Negated
)


@dataclass(frozen=True, slots=True)
class Measure:
    """An aggregate of a group.

    :param operand: the aggregated expression; ``None`` for ``count(*)``.
    :param by: the order of ``earliest`` and ``latest``: the moment, and what separates rows of
        one moment.
    """

    aggregate: Aggregate
    operand: BoundExpression | None
    argument: float = 0.0
    by: tuple[BoundExpression, ...] = ()


@dataclass(frozen=True, slots=True)
class Filter:
    """Keeps the rows for which the condition is true."""

    condition: BoundExpression


@dataclass(frozen=True, slots=True)
class Sort:
    """Sorts by expressions, each with whether it is descending."""

    by: tuple[tuple[BoundExpression, bool], ...]


@dataclass(frozen=True, slots=True)
class Limit:
    """Keeps the first rows."""

    count: int


@dataclass(frozen=True, slots=True)
class Distinct:
    """Keeps the first row for each combination of values."""

    by: tuple[BoundExpression, ...]


Step: TypeAlias = Filter | Sort | Limit | Distinct


@dataclass(frozen=True, slots=True)
class Grouping:
    """A ``stats``: its rows have the keys and then the measures as columns.

    :param by: the keys.
    :param measures: the aggregates, each once.
    """

    by: tuple[BoundExpression, ...]
    measures: tuple[Measure, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """Steps over rows of one kind, and the grouping that ends them (none in the last stage)."""

    steps: tuple[Step, ...]
    grouping: Grouping | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of a query.

    :param stages: the first over events.
    :param columns: names of the columns shown.
    :param shown: their values in a row of the last stage.
    :param limited: the query limits its rows itself.
    :param warnings: where the plan differs from the text of the query.
    """

    stages: tuple[Stage, ...]
    columns: tuple[str, ...]
    shown: tuple[BoundExpression, ...]
    limited: bool
    warnings: tuple[str, ...] = ()


def parts_of(expression: BoundExpression) -> tuple[BoundExpression, ...]:
    """Return the direct sub-expressions of an expression."""
    match expression:
        case Apply():
            return expression.arguments
        case DateFloor():
            return (expression.moment,)
        case Compared():
            return expression.left, expression.right
        case InList():
            return expression.item, *expression.options
        case Contains() | RegexMatch() | RegexGroup():
            return (expression.item,)
        case AllOf() | AnyOf():
            return expression.parts
        case Negated():
            return (expression.part,)
    return ()


def sources_of(expression: BoundExpression) -> Iterator[Source]:
    """Yield the sources that an expression reads of a row."""
    if isinstance(expression, FieldRef):
        yield expression.source
    for part in parts_of(expression):
        yield from sources_of(part)


def is_list(expression: BoundExpression) -> bool:
    """Whether an expression is a field that holds a list."""
    return (
        isinstance(expression, FieldRef)
        and isinstance(expression.source, Stored | Column)
        and expression.source.many
    )


def is_textual(expression: BoundExpression) -> bool:
    """Whether texts are ordered as texts even where they are numbers: those of fields that contain
    words."""
    if not isinstance(expression, FieldRef):
        return False
    if isinstance(expression.source, Stored):
        return expression.source.kind in (Kind.KEYWORD, Kind.ADDRESS)
    return isinstance(expression.source, Column) and expression.source.textual


def expressions_of(step: Step) -> tuple[BoundExpression, ...]:
    """Return the expressions of a step."""
    match step:
        case Filter():
            return (step.condition,)
        case Sort():
            return tuple(key for key, _ in step.by)
        case Distinct():
            return step.by
    return ()


def event_expressions(plan: Plan) -> Iterator[BoundExpression]:
    """Yield all expressions over events: those of the first stage."""
    first = plan.stages[0]
    for step in first.steps:
        yield from expressions_of(step)
    if first.grouping is None:
        yield from plan.shown
        return
    yield from grouping_expressions(first.grouping)


def grouping_expressions(grouping: Grouping) -> Iterator[BoundExpression]:
    """Yield the expressions of a grouping, over the rows before it."""
    yield from grouping.by
    for measure in grouping.measures:
        if measure.operand is not None:
            yield measure.operand
        yield from measure.by
