"""Expressions of the reference, for a row or for a group of rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import re2  # type: ignore[import-untyped]

from tests.insights import reference_ast as tree
from tests.insights.reference_aggregates import AGGREGATES, SORTED, of_moment
from tests.insights.reference_fields import (
    INTEGERS,
    KEYWORDS,
    LISTS,
    field_named,
    field_value,
    path_value,
)
from tests.insights.reference_functions import FUNCTIONS, arithmetic, negative
from tests.insights.reference_time import ceiling, floor
from tests.insights.reference_values import Value, as_time, compared, text, whole_number

_AGGREGATES = {*AGGREGATES, *SORTED, "earliest", "latest"}


@dataclass(slots=True)
class Row:
    """A row: an event with what was added to it; after ``stats`` columns alone."""

    event: dict[str, Any] | None
    columns: dict[str, Value] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    """The fields that columns are other names of."""

    def plus(self, added: dict[str, Value], fields: dict[str, str] | None = None) -> Row:
        known = {**self.fields, **dict.fromkeys(added, ""), **(fields or {})}
        return Row(self.event, {**self.columns, **added}, known)

    def field(self, expression: tree.Expression) -> str:
        """The field that an expression is, under whatever name."""
        if not isinstance(expression, tree.Name):
            return ""
        if expression.name in self.columns:
            return self.fields.get(expression.name, "")
        return field_named(expression.name)

    def is_text(self, expression: tree.Expression) -> bool:
        """Whether all its values are texts, however much they look like numbers."""
        return self.field(expression) in KEYWORDS | LISTS

    def of(self, name: str) -> Value:
        if name in self.columns:
            return self.columns[name]
        assert self.event is not None, f"no column {name}"
        found = field_value(self.event, name)
        return path_value(self.event, name) if found is NotImplemented else found


@dataclass(slots=True)
class Group:
    """Rows whose aggregates are asked for."""

    rows: list[Row]
    places: dict[int, int]

    def aggregate(self, call: tree.Call) -> Value:
        if not call.arguments:
            return len(self.rows)
        of = call.arguments[0]
        pairs = [(row, evaluate(of, row)) for row in self.rows]
        pairs = [(row, value) for row, value in pairs if value is not None]
        if call.function in ("earliest", "latest"):
            return of_moment(self._timed(pairs), last=call.function == "latest")
        values = [value for _, value in pairs]
        if call.function != "count":
            values = [one for value in values for one in elements(value)]
        if call.function in SORTED:
            texts = bool(self.rows) and self.rows[0].is_text(of)
            return SORTED[call.function](values, texts)
        further = [evaluate(one, self.rows[0]) for one in call.arguments[1:] if self.rows]
        return AGGREGATES[call.function](values, *further)

    def _timed(self, pairs: list[tuple[Row, Value]]) -> list[tuple[Value, Value]]:
        """Time and value of rows, by event id."""
        pairs = sorted(pairs, key=lambda pair: self.places.get(id(pair[0].event), 0))
        return [(row.of("@timestamp"), value) for row, value in pairs]


def elements(value: Value) -> tuple[Value, ...]:
    """The distinct elements of a list; a plain value alone."""
    return tuple(dict.fromkeys(value)) if isinstance(value, tuple) else (value,)


def evaluate(expression: tree.Expression, row: Row | Group) -> Value:
    """The value of an expression for a row, or for a group of rows. What is true is 1."""
    match expression:
        case tree.Literal(value):
            return value
        case tree.Name(name):
            assert isinstance(row, Row)
            return row.of(name)
        case tree.Arithmetic(operator, left, right):
            return arithmetic(operator, evaluate(left, row), evaluate(right, row))
        case tree.Negative(value):
            return negative(evaluate(value, row))
        case tree.Call():
            return _called(expression, row)
    said = truth(expression, row)
    return None if said is None else int(said)


def _called(call: tree.Call, row: Row | Group) -> Value:
    if isinstance(row, Group) and call.function in _AGGREGATES:
        return row.aggregate(call)
    match call.function:
        case "bin":
            assert isinstance(row, Row)
            return _floored(row.of("@timestamp"), call.arguments[0])
        case "datefloor":
            return _floored(evaluate(call.arguments[0], row), call.arguments[1])
        case "dateceil":
            moment, period = as_time(evaluate(call.arguments[0], row)), call.arguments[1]
            assert isinstance(period, tree.Period)
            return None if moment is None else ceiling(moment, period)
    values = [evaluate(one, row) for one in call.arguments]
    match call.function:
        case "ispresent":
            return int(values[0] is not None)
        case "coalesce":
            return next((one for one in values if one is not None), None)
        case "isempty":
            return int(text(values[0]) in (None, ""))
        case "isblank":
            return int(not (text(values[0]) or "").strip())
        case "concat":
            return "".join(text(one) or "" for one in values)
    return None if None in values else FUNCTIONS[call.function](*values)


def _floored(value: Value, period: tree.Expression) -> Value:
    assert isinstance(period, tree.Period)
    moment = as_time(value)
    return None if moment is None else floor(moment, period)


def truth(expression: tree.Expression, row: Row | Group) -> bool | None:
    """A condition: true, false, or unknown."""
    match expression:
        case tree.And(left, right):
            sides = truth(left, row), truth(right, row)
            return False if False in sides else None if None in sides else True
        case tree.Or(left, right):
            sides = truth(left, row), truth(right, row)
            return True if True in sides else None if None in sides else False
        case tree.Not(value):
            said = truth(value, row)
            return None if said is None else not said
        case tree.Comparison(operator, left, right):
            return _compared(operator, left, right, row)
        case tree.OneOf(value, choices, negated):
            found = [_compared("=", value, one, row) for one in choices]
            any_of = True if True in found else None if None in found else False
            return any_of if any_of is None else any_of is not negated
        case tree.Like():
            return _like(expression, row)
    # Only numbers and booleans are conditions; what turns out to be anything else is unknown.
    bare = evaluate(expression, row)
    return bare != 0 if isinstance(bare, int | float) else None


def _compared(
    operator: str, left: tree.Expression, right: tree.Expression, row: Row | Group
) -> bool | None:
    a, b = evaluate(left, row), evaluate(right, row)
    if isinstance(left, tree.Literal):
        a, b = _fitted(left, right, a, b, row)
    elif isinstance(right, tree.Literal):
        b, a = _fitted(right, left, b, a, row)
    return compared(operator, a, b)


def _fitted(
    literal: tree.Literal, other: tree.Expression, said: Value, value: Value, row: Row | Group
) -> tuple[Value, Value]:
    """A literal as the field that it is compared with takes it."""
    if not isinstance(row, Row):
        return said, value
    if row.is_text(other) and not isinstance(said, str | bool):
        return literal.text, value
    if row.field(other) in INTEGERS and isinstance(said, str):
        number = whole_number(said)
        return ("no number" if number is None else number), value
    return said, value


def _like(like: tree.Like, row: Row | Group) -> bool | None:
    value = evaluate(like.value, row)
    if value is None:
        return None
    ones = value if isinstance(value, tuple) else (value,)
    found = any(_found(like, text(one) or "") for one in ones)
    return found is not like.negated


def _found(like: tree.Like, said: str) -> bool:
    if isinstance(like.pattern, tree.Pattern):
        return re2.search(like.pattern.regex, said) is not None
    part = str(like.pattern.value)
    return re2.search(part, said) is not None if like.found else part in said
