"""A query as the tests have it: a small tree, which the reference evaluates and ``writing`` writes.

It knows nothing of ``k8sidx.insights``: what one says wrong, the other must not repeat.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Scalar: TypeAlias = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Literal:
    """A value as it is written: ``text`` for numbers and booleans, quotes come later."""

    value: Scalar
    text: str = ""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression between slashes."""

    regex: str


@dataclass(frozen=True, slots=True)
class Name:
    """A field, a path, an alias or a column."""

    name: str


@dataclass(frozen=True, slots=True)
class Period:
    """``5m``: a number, one of ``reference_time.UNITS``, and how they are written."""

    number: int
    unit: str
    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function or an aggregate. ``count(*)`` is one without arguments."""

    function: str
    arguments: tuple[Expression, ...] = ()


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """``+ - * / % ^`` between two values."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Negative:
    value: Expression


@dataclass(frozen=True, slots=True)
class Comparison:
    """``= == != < <= > >=``."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Like:
    """``value like "part"``, ``value like /re/``, ``value =~ /re/``, ``value =~ "re"``."""

    value: Expression
    pattern: Literal | Pattern
    found: bool = False
    negated: bool = False


@dataclass(frozen=True, slots=True)
class OneOf:
    value: Expression
    choices: tuple[Expression, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class And:
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Or:
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Not:
    value: Expression


Expression: TypeAlias = (
    Literal | Name | Period | Call | Arithmetic | Negative | Comparison | Like | OneOf
    | And | Or | Not
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Item:
    """An expression, and what it is called. Without ``alias`` its column has ``name``."""

    value: Expression
    alias: str = ""
    name: str = ""

    @property
    def column(self) -> str:
        if self.alias:
            return self.alias
        return self.value.name if isinstance(self.value, Name) else self.name


@dataclass(frozen=True, slots=True)
class Fields:
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Display:
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    condition: Expression


@dataclass(frozen=True, slots=True)
class Parse:
    """``value`` is @message where none is written; the pattern a glob or a regular expression."""

    pattern: Literal | Pattern
    names: tuple[str, ...]
    value: Name | None = None
    named: bool = False


@dataclass(frozen=True, slots=True)
class Stats:
    aggregates: tuple[Item, ...]
    keys: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    value: Expression
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Sort:
    orders: tuple[Order, ...]


@dataclass(frozen=True, slots=True)
class Limit:
    count: int


@dataclass(frozen=True, slots=True)
class Dedup:
    values: tuple[Name, ...]


Command: TypeAlias = Fields | Display | Filter | Parse | Stats | Sort | Limit | Dedup
Tree: TypeAlias = tuple[Command, ...]
