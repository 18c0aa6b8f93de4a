"""What a query means: expressions over the columns of rows, and the steps from rows to rows.

Aliases are gone: an expression says all that it needs of the rows of its stage. The rows of
the first stage are events, those of a later one what the ``stats`` before it gives.
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

TIME = "@timestamp"
ID = "event.id"


@dataclass(frozen=True, slots=True)
class Stored:
    """A field of the field table.

    :param name: as the query wrote it; the engines know it by that name, too.
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
class Inside:
    """A value of the whole event that is no field: its JSON path."""

    path: str


@dataclass(frozen=True, slots=True)
class Whole:
    """The whole event as JSON text: ``@message``."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the rows that a ``stats`` gave.

    :param textual: its texts are texts, also those that look like numbers.
    """

    place: int
    textual: bool = field(default=False, compare=False)
    many: bool = field(default=False, compare=False)


Source: TypeAlias = Stored | Inside | Whole | Column


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that the query gives."""

    value: Any


@dataclass(frozen=True, slots=True)
class Of:
    """The value of a source in the row."""

    source: Source


@dataclass(frozen=True, slots=True)
class Apply:
    """A function of values.

    :param name: what is done, for :mod:`k8sidx.insights.plan.filter_pushdown` and people.
    :param run: the value, of the arguments' values.
    :param takes_missing: it is asked where an argument is missing.
    :param detail: what ``run`` was made from, so that equal expressions are equal.
    """

    name: str
    arguments: tuple[Meaning, ...]
    run: Callable[..., Any] = field(compare=False)
    takes_missing: bool = False
    detail: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Floor:
    """The start of the period that a moment is in."""

    moment: Meaning
    period: Period


@dataclass(frozen=True, slots=True)
class Compared:
    """``left operator right``."""

    operator: Comparison
    left: Meaning
    right: Meaning


@dataclass(frozen=True, slots=True)
class Among:
    """The item equals one of the constants."""

    item: Meaning
    options: tuple[Meaning, ...]


@dataclass(frozen=True, slots=True)
class Contains:
    """The text holds a part."""

    item: Meaning
    part: str


@dataclass(frozen=True, slots=True)
class Found:
    """A regular expression (RE2) is found in the text."""

    item: Meaning
    pattern: str


@dataclass(frozen=True, slots=True)
class Extracted:
    """What a group of a regular expression holds in the first match in the text."""

    item: Meaning
    pattern: str
    group: int


@dataclass(frozen=True, slots=True)
class AllOf:
    """All conditions are true."""

    parts: tuple[Meaning, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one condition is true."""

    parts: tuple[Meaning, ...]


@dataclass(frozen=True, slots=True)
class Negated:
    """The condition is false; missing where it is."""

    part: Meaning


Meaning: TypeAlias = (
    Constant
    | Of
    | Apply
    | Floor
    | Compared
    | Among
    | Contains
    | Found
    | Extracted
    | AllOf
    | AnyOf
    | Negated
)


@dataclass(frozen=True, slots=True)
class Measure:
    """An aggregate of a group.

    :param of: of what; none for ``count(*)``.
    :param by: of ``earliest`` and ``latest``: the moment, and what tells rows of one moment
        apart.
    """

    aggregate: Aggregate
    of: Meaning | None
    argument: float = 0.0
    by: tuple[Meaning, ...] = ()


@dataclass(frozen=True, slots=True)
class Keep:
    """Keeps the rows for which the condition is true."""

    condition: Meaning


@dataclass(frozen=True, slots=True)
class Arrange:
    """Sorts; each with whether it is descending."""

    by: tuple[tuple[Meaning, bool], ...]


@dataclass(frozen=True, slots=True)
class Cut:
    """Keeps so many rows."""

    count: int


@dataclass(frozen=True, slots=True)
class Once:
    """Keeps the first row for each combination of values."""

    by: tuple[Meaning, ...]


Step: TypeAlias = Keep | Arrange | Cut | Once


@dataclass(frozen=True, slots=True)
class Grouping:
    """A ``stats``: its rows have the keys and then the measures as columns.

    :param by: the keys.
    :param measures: the aggregates, each once.
    """

    by: tuple[Meaning, ...]
    measures: tuple[Measure, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """Steps over rows of one kind, and the grouping that ends them (none in the last stage)."""

    steps: tuple[Step, ...]
    grouping: Grouping | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a query means.

    :param stages: the first over events.
    :param columns: names of the columns shown.
    :param shown: their values in a row of the last stage.
    :param limited: the query says how many rows it wants.
    :param warnings: what was understood otherwise than it was written.
    """

    stages: tuple[Stage, ...]
    columns: tuple[str, ...]
    shown: tuple[Meaning, ...]
    limited: bool
    warnings: tuple[str, ...] = ()


def parts_of(one: Meaning) -> tuple[Meaning, ...]:
    """The expressions right inside an expression."""
    match one:
        case Apply():
            return one.arguments
        case Floor():
            return (one.moment,)
        case Compared():
            return one.left, one.right
        case Among():
            return one.item, *one.options
        case Contains() | Found() | Extracted():
            return (one.item,)
        case AllOf() | AnyOf():
            return one.parts
        case Negated():
            return (one.part,)
    return ()


def sources_of(one: Meaning) -> Iterator[Source]:
    """What an expression reads of a row."""
    if isinstance(one, Of):
        yield one.source
    for part in parts_of(one):
        yield from sources_of(part)


def is_list(one: Meaning) -> bool:
    """Whether an expression is a field that holds a list."""
    return isinstance(one, Of) and isinstance(one.source, Stored | Column) and one.source.many


def is_textual(one: Meaning) -> bool:
    """Whether texts are ordered as texts even where they are numbers: those of fields that
    hold words."""
    if not isinstance(one, Of):
        return False
    if isinstance(one.source, Stored):
        return one.source.kind in (Kind.KEYWORD, Kind.ADDRESS)
    return isinstance(one.source, Column) and one.source.textual


def expressions_of(step: Step) -> tuple[Meaning, ...]:
    """The expressions of a step."""
    match step:
        case Keep():
            return (step.condition,)
        case Arrange():
            return tuple(one for one, _ in step.by)
        case Once():
            return step.by
    return ()


def event_expressions(plan: Plan) -> Iterator[Meaning]:
    """All expressions over events: those of the first stage."""
    first = plan.stages[0]
    for step in first.steps:
        yield from expressions_of(step)
    if first.grouping is None:
        yield from plan.shown
        return
    yield from grouping_expressions(first.grouping)


def grouping_expressions(grouping: Grouping) -> Iterator[Meaning]:
    """The expressions of a grouping, over the rows before it."""
    yield from grouping.by
    for one in grouping.measures:
        if one.of is not None:
            yield one.of
        yield from one.by
