"""Abstract syntax tree: commands and expressions with their positions in the text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

MESSAGE = "@message"
"""CloudWatch's name for the whole event."""


class Position(NamedTuple):
    """A position in the text; both numbers count from 1."""

    line: int
    column: int


_START = Position(1, 1)


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant; ``written`` is the text of a number."""

    value: str | int | float | bool
    written: str = ""
    position: Position = field(default=_START, compare=False)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression between slashes (RE2 syntax)."""

    text: str
    position: Position = field(default=_START, compare=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A field or an alias."""

    text: str
    position: Position = field(default=_START, compare=False)


@dataclass(frozen=True, slots=True)
class Period:
    """A length of time, for example ``5m``; ``unit`` as in
    :data:`k8sidx.insights.language.periods.UNITS`."""

    count: int
    unit: str
    position: Position = field(default=_START, compare=False)


@dataclass(frozen=True, slots=True)
class Star:
    """The ``*`` of ``count(*)``."""

    position: Position = field(default=_START, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A function or an aggregate with its arguments."""

    name: str
    arguments: tuple[Expression, ...]
    position: Position = field(default=_START, compare=False)


@dataclass(frozen=True, slots=True)
class Operation:
    """``+ - * / % ^`` of two operands, ``-`` of one, or a comparison ``= != < <= > >=``."""

    operator: str
    operands: tuple[Expression, ...]
    position: Position = field(default=_START, compare=False)


@dataclass(frozen=True, slots=True)
class Logical:
    """``and`` and ``or`` of several conditions, ``not`` of one."""

    operator: str
    operands: tuple[Expression, ...]
    position: Position = field(default=_START, compare=False)


@dataclass(frozen=True, slots=True)
class Membership:
    """``item in [options]``."""

    item: Expression
    options: tuple[Expression, ...]
    position: Position = field(default=_START, compare=False)


@dataclass(frozen=True, slots=True)
class Matching:
    """``item like "part"``, ``item like /re/`` or ``item =~ /re/``."""

    item: Expression
    pattern: Literal | Pattern
    position: Position = field(default=_START, compare=False)


Expression: TypeAlias = (
    Literal | Pattern | Name | Period | Star | Call | Operation | Logical | Membership | Matching
)


@dataclass(frozen=True, slots=True)
class Item:
    """An expression with the name of its column: the alias, or the text itself."""

    expression: Expression
    name: str
    position: Position = field(default=_START, compare=False)


@dataclass(frozen=True, slots=True)
class Fields:
    """``fields``: more columns."""

    items: tuple[Item, ...]
    position: Position = field(default=_START, compare=False)


@dataclass(frozen=True, slots=True)
class Display:
    """``display``: the columns that are shown."""

    items: tuple[Item, ...]
    position: Position = field(default=_START, compare=False)


@dataclass(frozen=True, slots=True)
class Filter:
    """``filter`` or ``where``."""

    condition: Expression
    position: Position = field(default=_START, compare=False)


@dataclass(frozen=True, slots=True)
class Parse:
    """``parse``: text columns out of a text, by a pattern with ``*`` or an expression."""

    source: Name
    pattern: Literal | Pattern
    names: tuple[str, ...]
    position: Position = field(default=_START, compare=False)


@dataclass(frozen=True, slots=True)
class Stats:
    """``stats``: aggregates for each combination of keys."""

    aggregates: tuple[Item, ...]
    keys: tuple[Item, ...]
    position: Position = field(default=_START, compare=False)


@dataclass(frozen=True, slots=True)
class SortItem:
    """One key of ``sort``."""

    expression: Expression
    descending: bool
    position: Position = field(default=_START, compare=False)


@dataclass(frozen=True, slots=True)
class Sort:
    """``sort``."""

    items: tuple[SortItem, ...]
    position: Position = field(default=_START, compare=False)


@dataclass(frozen=True, slots=True)
class Limit:
    """``limit``."""

    count: int
    position: Position = field(default=_START, compare=False)


@dataclass(frozen=True, slots=True)
class Dedup:
    """``dedup``: the first row for each combination of values."""

    names: tuple[Name, ...]
    position: Position = field(default=_START, compare=False)


Command: TypeAlias = Fields | Display | Filter | Parse | Stats | Sort | Limit | Dedup


@dataclass(frozen=True, slots=True)
class Program:
    """A whole query.

    :param text: the positions are in it.
    """

    text: str
    commands: tuple[Command, ...]


class Entry(NamedTuple):
    """The documentation of a command, function or aggregate.

    :param form: its syntax.
    :param about: its effect.
    :param example: a whole query that uses it.
    :param gives: an example of its result, as ``call = value``.
    """

    form: str
    about: str
    example: str
    gives: str = ""


COMMANDS: dict[str, Entry] = {
    "fields": Entry(
        "fields field [as name], …",
        "adds columns; shows them where there is no display",
        "fields @timestamp, user.username, toupper(verb) as method | limit 5",
    ),
    "display": Entry(
        "display field [as name], …",
        "the columns to show; the last display counts",
        "fields strlen(userAgent) as size | display user.username, size | limit 5",
    ),
    "filter": Entry(
        "filter condition",
        "keeps the rows for which the condition is true; where is the same",
        'filter verb = "delete" and user.username not like /system/ | limit 5',
    ),
    "where": Entry(
        "where condition",
        "the same as filter",
        "where responseStatus.code >= 400 | limit 5",
    ),
    "parse": Entry(
        'parse field "text * text" as name, …; parse field /(?<name>…)/',
        "makes columns out of parts of a text and shows them where there is no display; @message "
        "where no field is named",
        'parse userAgent "*/*" as client, version | stats count(*) by client',
    ),
    "stats": Entry(
        "stats aggregate [as name], … [by key [as name], …]",
        "a row for each combination of keys; several may follow each other",
        "stats count(*) as n by verb, bin(1h) | stats max(n) by verb",
    ),
    "sort": Entry(
        "sort field [asc|desc], …",
        "sorts; missing values come last in both directions",
        "stats count(*) as n by verb | sort n desc, verb",
    ),
    "limit": Entry(
        "limit [any] number",
        "keeps the first rows of the result, also where a filter, sort or stats follows it",
        "stats count(*) by verb | limit 3",
    ),
    "dedup": Entry(
        "dedup field, …",
        "keeps the first row for each combination of values; rows without one of them are kept",
        "fields @timestamp, user.username, verb | dedup user.username, verb | limit 5",
    ),
}

UNSUPPORTED: dict[str, str] = {
    "pattern": "k8sidx does not cluster texts. Use stats count(*) by a field.",
    "diff": "Use a baseline: k8sidx hunt ID --baseline 30d.",
    "anomaly": "Use hunts with a baseline: k8sidx hunt ID --baseline 30d.",
    "unmask": "What is redacted is not stored.",
    "unnest": "A list as a key of stats counts a row under each of its elements.",
    "join": "Ask both questions one by one.",
    "lookup": "Use lists in a Sigma rule: k8sidx hunt RULE.yml.",
    "filterIndex": "Use filter; every field that can be searched is indexed.",
    "SOURCE": "Choose the store with --store and --index.",
}
"""Commands of CloudWatch that are not supported, and the alternatives."""
