"""Parser: query text to syntax tree."""

from __future__ import annotations

import dataclasses
import math
import re
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from lark import Lark, Token, UnexpectedInput, v_args
from lark.exceptions import VisitError
from lark.visitors import Transformer_NonRecursive

from k8sidx.insights.language import ast as syntax
from k8sidx.insights.language.ast import MESSAGE, Expression, Name, Position
from k8sidx.insights.language.diagnostics import QueryError, position_at, syntax_error
from k8sidx.insights.language.periods import is_possible, unit_of

__all__ = ["QueryError", "parse"]

MAX_LENGTH = 100_000
"""Characters of a query at most."""
MAX_DEPTH = 100
"""Nested expressions at most."""
MAX_DIGITS = 300
"""Digits of a number at most; it then fits a float."""
MAX_LIMIT = 1_000_000
"""The largest limit of a query."""
ESCAPES = {"n": "\n", "t": "\t", "\\": "\\", '"': '"', "'": "'"}
"""Escape sequences of strings: the letter behind the backslash, and its character."""
PLAIN_NAME = re.compile(
    r"([\w@]+\.)*(annotations|labels|extra)\.[\w@./-]*[\w@]|[\w@]+(\.[\w@]+)*", re.IGNORECASE
)
"""A name that needs no backquotes: the grammar's PATH or NAME."""


def parse(text: str) -> syntax.Program:
    """Parse a query.

    :raises QueryError: when it does not follow the grammar, or exceeds a limit.
    """
    if len(text) > MAX_LENGTH:
        raise QueryError(f"a query has at most {MAX_LENGTH:,} characters", Position(1, 1))
    if (lone := _SURROGATE.search(text)) is not None:
        position = position_at(text, lone.start())
        raise QueryError("here is half a surrogate pair, which no event can contain", position)
    if not _COMMENT.sub("", text).strip(" \t\r\n|"):
        raise QueryError("the query is empty", Position(1, 1), expected=tuple(syntax.COMMANDS))
    try:
        commands = _Builder().transform(_grammar().parse(text))
    except UnexpectedInput as error:
        raise syntax_error(text, error) from None
    except VisitError as error:
        raise error.orig_exc from None
    return syntax.Program(text, tuple(_named(text, command) for command in commands))


_PERIOD = re.compile(r"(\d+)\s*([a-z]+)", re.IGNORECASE)
_SURROGATE = re.compile("[\ud800-\udfff]")
_COMMENT = re.compile(r"#[^\n]*")
_OF_ITEM = re.compile(
    r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`|/(?:\\.|[^/\\\n])+/)|#[^\n]*""", re.DOTALL
)


class _Item(NamedTuple):
    """An item before it has its name: the range of its expression in the text."""

    expression: Expression
    alias: str | None
    start: int
    end: int
    position: Position


class _Alias(NamedTuple):
    """A name after ``as``, and the end of the item's expression before it."""

    text: str
    start: int


class _List(NamedTuple):
    """Items of ``by``, or the options of ``in``."""

    items: tuple[Any, ...]


@cache
def _grammar() -> Lark:
    grammar = files("k8sidx.insights.language").joinpath("grammar.lark").read_text("utf-8")
    return Lark(grammar, parser="lalr", propagate_positions=True, maybe_placeholders=False)


def _named(text: str, command: syntax.Command) -> syntax.Command:
    """Return the command with names for its columns; checks that nothing is nested too deeply."""
    named: dict[str, Any] = {
        field: tuple(_item(text, item) for item in getattr(command, field))
        for field in ("items", "aggregates", "keys")
        if isinstance(command, syntax.Fields | syntax.Display | syntax.Stats)
        and hasattr(command, field)
    }
    command = dataclasses.replace(command, **named) if named else command
    _check_depth(command)
    return command


def _item(text: str, raw: _Item) -> syntax.Item:
    if raw.alias is not None:
        return syntax.Item(raw.expression, raw.alias, raw.position)
    if isinstance(raw.expression, Name):
        return syntax.Item(raw.expression, raw.expression.text, raw.position)
    written = _OF_ITEM.sub(lambda match: match[1] or " ", text[raw.start : raw.end])
    return syntax.Item(raw.expression, " ".join(written.split()), raw.position)


def _check_depth(command: syntax.Command) -> None:
    pending: list[tuple[Any, int]] = [(command, 0)]
    while pending:
        node, depth = pending.pop()
        if depth > MAX_DEPTH:
            raise QueryError(f"more than {MAX_DEPTH} expressions inside each other", node.position)
        for field in dataclasses.fields(node):
            value = getattr(node, field.name)
            inner = value if isinstance(value, tuple) else (value,)
            pending += [(child, depth + 1) for child in inner if dataclasses.is_dataclass(child)]


def _unescaped(written: str) -> str:
    """Return the text of a string: a backslash before anything else stands for itself."""
    return re.sub(
        r"\\(.)", lambda match: ESCAPES.get(match[1], match[0]), written[1:-1], flags=re.DOTALL
    )


def _pattern(token: Token) -> syntax.Literal | syntax.Pattern:
    if token.type == "STRING":
        return syntax.Literal(_unescaped(token), position=_at(token))
    return syntax.Pattern(token[1:-1].replace("\\/", "/"), _at(token))


def _at(token: Token) -> Position:
    return Position(token.line or 1, token.column or 1)


def _bare(token: Token) -> str:
    return token[1:-1] if token.type in ("QUOTED", "STARRED") else str(token)


@v_args(meta=True)
class _Builder(Transformer_NonRecursive[Any, Any]):
    """Builds commands and expressions from the inside out, so that the depth does not matter."""

    def start(self, meta: Any, children: list[Any]) -> list[Any]:
        return children

    def fields(self, meta: Any, children: list[Any]) -> syntax.Fields:
        return syntax.Fields(tuple(children), _of(meta))

    def display(self, meta: Any, children: list[Any]) -> syntax.Display:
        return syntax.Display(tuple(children), _of(meta))

    def filter(self, meta: Any, children: list[Any]) -> syntax.Filter:
        return syntax.Filter(children[0], _of(meta))

    def parse(self, meta: Any, children: list[Any]) -> syntax.Parse:
        source = Name(MESSAGE, _of(meta))
        if isinstance(children[0], Name):
            source, *children = children
        pattern, *names = children
        return syntax.Parse(
            source, _pattern(pattern), tuple(name.text for name in names), _of(meta)
        )

    def stats(self, meta: Any, children: list[Any]) -> syntax.Stats:
        keys = children.pop().items if isinstance(children[-1], _List) else ()
        return syntax.Stats(tuple(children), keys, _of(meta))

    def keys(self, meta: Any, children: list[Any]) -> _List:
        return _List(tuple(children))

    def sort(self, meta: Any, children: list[Any]) -> syntax.Sort:
        return syntax.Sort(tuple(children), _of(meta))

    def sorted(self, meta: Any, children: list[Any]) -> syntax.SortItem:
        descending = len(children) > 1 and children[1].type == "DESC"
        return syntax.SortItem(children[0], descending, _of(meta))

    def limit(self, meta: Any, children: list[Any]) -> syntax.Limit:
        count = _number(children[0])
        if not isinstance(count, int) or not 1 <= count <= MAX_LIMIT:
            raise QueryError(f"a limit is a whole number from 1 to {MAX_LIMIT:,}", _at(children[0]))
        return syntax.Limit(count, _of(meta))

    def dedup(self, meta: Any, children: list[Any]) -> syntax.Dedup:
        return syntax.Dedup(tuple(children), _of(meta))

    def item(self, meta: Any, children: list[Any]) -> _Item:
        alias = children[1] if len(children) > 1 else None
        end = alias.start if alias else meta.end_pos
        name = alias.text if alias else None
        return _Item(children[0], name, meta.start_pos, end, _of(meta))

    def alias(self, meta: Any, children: list[Any]) -> _Alias:
        return _Alias(_bare(children[0]), meta.start_pos)

    def name(self, meta: Any, children: list[Any]) -> Name:
        return Name(_bare(children[0]), _at(children[0]))

    parsed = name

    def either(self, meta: Any, children: list[Any]) -> syntax.Logical:
        return syntax.Logical("or", tuple(children), _of(meta))

    def both(self, meta: Any, children: list[Any]) -> syntax.Logical:
        return syntax.Logical("and", tuple(children), _of(meta))

    def negated(self, meta: Any, children: list[Any]) -> syntax.Logical:
        return syntax.Logical("not", tuple(children), _of(meta))

    def compared(self, meta: Any, children: list[Any]) -> syntax.Operation:
        pending, operator, right = children
        operator = "=" if operator == "==" else str(operator)
        return syntax.Operation(operator, (pending, right), _of(meta))

    binary = compared

    def minus(self, meta: Any, children: list[Any]) -> syntax.Operation:
        return syntax.Operation("-", (children[1],), _of(meta))

    def options(self, meta: Any, children: list[Any]) -> _List:
        return _List(tuple(children))

    def member(self, meta: Any, children: list[Any]) -> syntax.Membership:
        return syntax.Membership(children[0], children[1].items, _of(meta))

    def no_member(self, meta: Any, children: list[Any]) -> syntax.Logical:
        return syntax.Logical("not", (self.member(meta, children),), _of(meta))

    def pattern(self, meta: Any, children: list[Any]) -> syntax.Literal | syntax.Pattern:
        return _pattern(children[0])

    def alike(self, meta: Any, children: list[Any]) -> syntax.Matching:
        return syntax.Matching(children[0], children[1], _of(meta))

    def unlike(self, meta: Any, children: list[Any]) -> syntax.Logical:
        return syntax.Logical("not", (self.alike(meta, children),), _of(meta))

    def matched(self, meta: Any, children: list[Any]) -> syntax.Matching:
        item, _, pattern = children
        if isinstance(pattern, syntax.Literal):
            pattern = syntax.Pattern(str(pattern.value), pattern.position)
        return syntax.Matching(item, pattern, _of(meta))

    def unmatched(self, meta: Any, children: list[Any]) -> syntax.Logical:
        return syntax.Logical("not", (self.matched(meta, children),), _of(meta))

    def number(self, meta: Any, children: list[Any]) -> syntax.Literal:
        return syntax.Literal(_number(children[0]), str(children[0]), _of(meta))

    def text(self, meta: Any, children: list[Any]) -> syntax.Literal:
        return syntax.Literal(_unescaped(children[0]), position=_of(meta))

    def yes(self, meta: Any, children: list[Any]) -> syntax.Literal:
        return syntax.Literal(True, position=_of(meta))

    def no(self, meta: Any, children: list[Any]) -> syntax.Literal:
        return syntax.Literal(False, position=_of(meta))

    def star(self, meta: Any, children: list[Any]) -> syntax.Star:
        return syntax.Star(_of(meta))

    def period(self, meta: Any, children: list[Any]) -> syntax.Period:
        digits, unit = _PERIOD.findall(children[0])[0]
        position = _at(children[0])
        period = syntax.Period(
            int(digits) if len(digits) <= MAX_DIGITS else 0, unit_of(unit) or "", position
        )
        if not is_possible(period):
            raise QueryError(f"{children[0]} is not a valid period", position)
        return period

    def call(self, meta: Any, children: list[Any]) -> syntax.Call:
        return syntax.Call(str(children[0]), tuple(children[1:]), _at(children[0]))


def _of(meta: Any) -> Position:
    return Position(getattr(meta, "line", 1), getattr(meta, "column", 1))


def _number(token: Token) -> int | float:
    written = str(token)
    if written.isdecimal() and len(written) <= MAX_DIGITS:
        return int(written)
    number = float(written)
    if math.isinf(number):
        raise QueryError("the number is too large", _at(token))
    return number
