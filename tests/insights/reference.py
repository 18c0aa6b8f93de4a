"""What a query means: a slow evaluator over events as the log has them, one by one.

The judge of both engines. It shares nothing with ``k8sidx.insights``, and of the rest of
k8sidx takes only the redacted event and its id (:mod:`k8sidx.events.normalize`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Any

import re2  # type: ignore[import-untyped]

from k8sidx.events.normalize.reconstruct import whole_event
from tests.building import normalized
from tests.insights import reference_ast as tree
from tests.insights.reference_expressions import Group, Row, elements, evaluate, truth
from tests.insights.reference_fields import field_value
from tests.insights.reference_values import Time, Value, rank, same, text, total_rank

_PICKING = ("min", "max", "sortsFirst", "sortsLast", "earliest", "latest")
SHOWN = ("@timestamp", "@message")
"""The columns of a query that names none."""


@dataclass(frozen=True, slots=True)
class Answer:
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


class Reference:
    """The events, newest first; ties by their ids."""

    def __init__(self, bodies: Sequence[dict[str, Any]]) -> None:
        made = [normalized(body) for body in bodies]
        whole = {one.values.id: whole_event(one.row) for one in made}
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
        for command in _with_limits_of_results(commands):
            rows = run.command(command, rows)
        columns = run.shown()
        return Answer(columns, [tuple(shown(row.of(name)) for name in columns) for row in rows])


def _with_limits_of_results(commands: tree.Tree) -> Iterator[tree.Command]:
    """The commands with limits where CloudWatch applies them: to the result of a query, or to that
    of the ``stats`` before them where another one follows."""
    of_events: tree.Limit | None = None
    limits: list[tree.Limit] = []
    first = True
    for command in commands:
        if isinstance(command, tree.Limit):
            limits.append(command)
            continue
        if isinstance(command, tree.Stats):
            least = min(limits, key=lambda one: one.count, default=None)
            if first:
                of_events = least
            elif least:
                yield least
            first, limits = False, []
        yield command
    least = min(limits, key=lambda one: one.count, default=of_events)
    if least:
        yield least


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
        self.parsed: list[str] = []

    def shown(self) -> tuple[str, ...]:
        if self.displayed is not None:
            return self.displayed
        return tuple(dict.fromkeys((*(self.added or SHOWN), *self.parsed)))

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
                self.parsed += command.names
                return [row.plus(_parsed(command, row)) for row in rows]
            case tree.Stats():
                return self._stats(command, rows)
            case tree.Sort(orders):
                return _sort(orders, rows)
            case tree.Limit(count):
                return rows[:count]
            case tree.Dedup(values):
                return _dedup(values, rows)

    def _with(self, row: Row, items: Iterable[tree.Item]) -> Row:
        """The row with the items under their names; a field by its own name stays a field."""
        for item in items:
            if item.alias or not isinstance(item.value, tree.Name):
                value, field = evaluate(item.value, row), row.field(item.value)
                row = row.plus({item.column: value}, {item.column: field})
        return row

    def _stats(self, command: tree.Stats, rows: list[Row]) -> list[Row]:
        groups: dict[tuple[Any, ...], tuple[tuple[Value, ...], list[Row]]] = {}
        if not command.keys:
            groups[()] = ((), [])
        for row in rows:
            choices = [elements(evaluate(key.value, row)) for key in command.keys]
            for values in product(*choices):
                key = tuple(map(same, values))
                groups.setdefault(key, (values, []))[1].append(row)
        texts = [bool(rows) and rows[0].is_text(key.value) for key in command.keys]
        ordered = sorted(
            groups.values(),
            key=lambda group: [_key_rank(*one) for one in zip(group[0], texts, strict=True)],
        )
        self.displayed, self.parsed = None, []
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


def _chosen_from(value: tree.Expression, row: Row) -> str:
    """The field whose value an aggregate picks."""
    if not isinstance(value, tree.Call) or value.function not in _PICKING:
        return ""
    return row.field(value.arguments[0])


def _sort(orders: Sequence[tree.Order], rows: list[Row]) -> list[Row]:
    for order in reversed(orders):
        valued = [(evaluate(order.value, row), row) for row in rows]
        there = [pair for pair in valued if pair[0] is not None]
        texts = bool(rows) and rows[0].is_text(order.value)
        ranked = [(rank(value, texts), row) for value, row in there]
        ranked.sort(key=lambda pair: pair[0], reverse=order.descending)
        rows = [row for _, row in ranked] + [row for value, row in valued if value is None]
    return rows


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
