"""What a query means: a slow evaluator over events as the log has them, one by one.

The judge of both engines. It shares nothing with ``k8sidx.insights``, and of the rest of
k8sidx takes only the redacted event and its id (:mod:`k8sidx.normalize`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product
from typing import Any

import re2  # type: ignore[import-untyped]

from k8sidx.normalize.whole import whole_event
from tests.building import normalized
from tests.insights import tree
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
from tests.insights.reference_values import (
    Time,
    Value,
    compared,
    rank,
    same,
    text,
    total_rank,
    whole_number,
)

_PICKING = ("min", "max", "sortsFirst", "sortsLast", "earliest", "latest")
_AGGREGATES = {*AGGREGATES, *SORTED, "earliest", "latest"}
SHOWN = ("@timestamp", "@message")
"""The columns of a query that names none."""


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


@dataclass(frozen=True, slots=True)
class Answer:
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


class Reference:
    """The events, newest first; ties by their ids."""

    def __init__(self, bodies: Sequence[dict[str, Any]]) -> None:
        made = [normalized(body) for body in bodies]
        whole = {one.own[0]: whole_event(one.row) for one in made}
        by_id = [whole[key] for key in sorted(whole)]
        timed = [one for one in by_id if field_value(one, "@timestamp") is not None]
        timed.sort(key=lambda one: -field_value(one, "@timestamp").micros)
        timeless = [one for one in by_id if field_value(one, "@timestamp") is None]
        self.events = [*timed, *timeless]
        self.places = {id(one): place for place, one in enumerate(by_id)}

    def answer(
        self, commands: tree.Tree, since: datetime | None = None, until: datetime | None = None
    ) -> Answer:
        """The rows; with a time range, of the events that have a time in it."""
        run = _Run(self.places)
        rows = [Row(one) for one in self.events if _within(one, since, until)]
        for command in commands:
            rows = run.command(command, rows)
        columns = run.shown()
        return Answer(columns, [tuple(shown(row.of(name)) for name in columns) for row in rows])


def _within(event: dict[str, Any], since: datetime | None, until: datetime | None) -> bool:
    if since is None and until is None:
        return True
    moment = field_value(event, "@timestamp")
    if moment is None:
        return False
    after = since is None or moment.moment >= since
    return after and (until is None or moment.moment < until)


def shown(value: Value) -> Any:
    """The value as a result has it."""
    if isinstance(value, Time):
        return value.moment
    return [shown(one) for one in value] if isinstance(value, tuple) else value


class _Run:
    """One query: the columns that it shows, and each command over rows."""

    def __init__(self, places: dict[int, int]) -> None:
        self.places = places
        self.displayed: tuple[str, ...] | None = None
        self.added: list[str] = []

    def shown(self) -> tuple[str, ...]:
        if self.displayed is not None:
            return self.displayed
        return tuple(dict.fromkeys(self.added)) or SHOWN

    def command(self, command: tree.Command, rows: list[Row]) -> list[Row]:
        match command:
            case tree.Fields(items):
                self.added += [item.column for item in items]
                return [self._with(row, items) for row in rows]
            case tree.Display(items):
                self.displayed = tuple(item.column for item in items)
                return [self._with(row, items) for row in rows]
            case tree.Filter(condition):
                return [row for row in rows if truth(condition, row) is True]
            case tree.Parse():
                return [row.plus(_parsed(command, row)) for row in rows]
            case tree.Stats():
                return self._stats(command, rows)
            case tree.Sort(orders):
                return self._sort(orders, rows)
            case tree.Limit(count):
                return rows[:count]
            case tree.Dedup(values):
                return _dedup(values, rows)

    def _with(self, row: Row, items: Iterable[tree.Item]) -> Row:
        """The row with the items under their names; a field by its own name stays a field."""
        new = [item for item in items if item.alias or not isinstance(item.value, tree.Name)]
        return row.plus(
            {item.column: evaluate(item.value, row) for item in new},
            {item.column: row.field(item.value) for item in new},
        )

    def _sort(self, orders: Sequence[tree.Order], rows: list[Row]) -> list[Row]:
        named = [order.item for order in orders if order.item.alias]
        rows = [self._with(row, named) for row in rows]
        for order in reversed(orders):
            valued = [(evaluate(order.item.value, row), row) for row in rows]
            there = [pair for pair in valued if pair[0] is not None]
            texts = bool(rows) and rows[0].is_text(order.item.value)
            ranked = [(rank(value, texts), row) for value, row in there]
            ranked.sort(key=lambda pair: pair[0], reverse=order.descending)
            rows = [row for _, row in ranked] + [row for value, row in valued if value is None]
        return rows

    def _stats(self, command: tree.Stats, rows: list[Row]) -> list[Row]:
        groups: dict[tuple[Any, ...], tuple[tuple[Value, ...], list[Row]]] = {}
        if not command.keys:
            groups[()] = ((), [])
        for row in rows:
            choices = [_elements(evaluate(key.value, row)) for key in command.keys]
            for values in product(*choices):
                key = tuple(map(same, values))
                groups.setdefault(key, (values, []))[1].append(row)
        texts = [bool(rows) and rows[0].is_text(key.value) for key in command.keys]
        ordered = sorted(
            groups.values(),
            key=lambda group: [_key_rank(*one) for one in zip(group[0], texts, strict=True)],
        )
        self.displayed = None
        self.added = [item.column for item in (*command.keys, *command.aggregates)]
        return [self._group(command, values, members) for values, members in ordered]

    def _group(self, command: tree.Stats, values: tuple[Value, ...], members: list[Row]) -> Row:
        columns = {key.column: value for key, value in zip(command.keys, values, strict=True)}
        for item in command.aggregates:
            columns[item.column] = evaluate(item.value, Group(members, self.places))
        fields = {}
        if members:
            fields = {key.column: members[0].field(key.value) for key in command.keys}
            fields |= {
                one.column: _chosen_from(one.value, members[0]) for one in command.aggregates
            }
        return Row(None, columns, fields)


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
            timed = [
                (moment, value)
                for row, value in sorted(
                    pairs, key=lambda pair: self.places.get(id(pair[0].event), 0)
                )
                if isinstance(moment := row.of("@timestamp"), Time)
            ]
            return of_moment(timed, last=call.function == "latest")
        values = [value for _, value in pairs]
        if call.function != "count":
            values = [one for value in values for one in _elements(value)]
        if call.function in SORTED:
            texts = bool(self.rows) and self.rows[0].is_text(of)
            return SORTED[call.function](values, texts)
        further = [evaluate(one, self.rows[0]) for one in call.arguments[1:] if self.rows]
        return AGGREGATES[call.function](values, *further)


def _chosen_from(value: tree.Expression, row: Row) -> str:
    """The field whose value an aggregate picks."""
    if not isinstance(value, tree.Call) or value.function not in _PICKING:
        return ""
    return row.field(value.arguments[0])


def _elements(value: Value) -> tuple[Value, ...]:
    """The distinct elements of a list; a plain value alone."""
    return tuple(dict.fromkeys(value)) if isinstance(value, tuple) else (value,)


def _key_rank(value: Value, texts: bool) -> tuple[Any, ...]:
    return ((9, 0),) if value is None else total_rank(value, texts)


def _dedup(values: Sequence[tree.Name], rows: list[Row]) -> list[Row]:
    seen: set[tuple[Any, ...]] = set()
    kept = []
    for row in rows:
        key = tuple(same(evaluate(one, row)) for one in values)
        if ("missing", None) in key:
            kept.append(row)
        elif key not in seen:
            seen.add(key)
            kept.append(row)
    return kept


def _parsed(command: tree.Parse, row: Row) -> dict[str, Value]:
    of = tree.Name("@message") if command.value is None else command.value
    said = text(evaluate(of, row))
    nothing: dict[str, Value] = dict.fromkeys(command.names)
    if said is None:
        return nothing
    found = re2.search(_expression(command.pattern), said)
    return dict(zip(command.names, found.groups(), strict=True)) if found else nothing


def _expression(pattern: tree.Literal | tree.Pattern) -> str:
    if isinstance(pattern, tree.Pattern):
        return pattern.regex.replace("(?<", "(?P<")
    parts = [re2.escape(part) for part in str(pattern.value).split("*")]
    if len(parts) > 1 and not parts[-1]:
        return "(?s)" + "(.*?)".join(parts[:-1]) + "(.*)"
    return "(?s)" + "(.*?)".join(parts)


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
            moment, period = evaluate(call.arguments[0], row), call.arguments[1]
            assert isinstance(period, tree.Period)
            return ceiling(moment, period) if isinstance(moment, Time) else None
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


def _floored(moment: Value, period: tree.Expression) -> Value:
    assert isinstance(period, tree.Period)
    return floor(moment, period) if isinstance(moment, Time) else None


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
    bare = evaluate(expression, row)
    assert bare is None or isinstance(bare, int | float), "a text is no condition"
    return None if bare is None else bare != 0


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
