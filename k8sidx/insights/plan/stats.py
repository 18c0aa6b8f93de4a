"""``stats``: keys and aggregates, and what the columns after it mean."""

from __future__ import annotations

from k8sidx.insights.language import aggregates
from k8sidx.insights.language import ast as syntax
from k8sidx.insights.language.ast import Call, Expression, Item, Literal, Name, Star
from k8sidx.insights.language.diagnostics import QueryError, refuse_list, same_name
from k8sidx.insights.language.values import is_number
from k8sidx.insights.plan.expressions import Expressions
from k8sidx.insights.plan.logical import (
    Column,
    Grouping,
    Meaning,
    Measure,
    Of,
    Source,
    is_list,
    is_textual,
    sources_of,
)


def grouped(command: syntax.Stats, expressions: Expressions) -> tuple[Grouping, dict[str, Meaning]]:
    """The grouping, and its columns by name: keys first, then aggregates.

    :raises QueryError: for what is no aggregate, and for two columns of one name.
    """
    keys: list[Meaning] = []
    columns: dict[str, Meaning] = {}
    for item in command.keys:
        key = expressions.meaning(item.expression)
        column = Of(Column(len(keys), is_textual(key)))
        _add(columns, item, column)
        keys.append(key)
    named = {item.name: columns[item.name] for item in command.keys}
    measuring = _Measuring(expressions, named, len(keys))
    for item in command.aggregates:
        _add(columns, item, measuring.meaning(item))
    return Grouping(tuple(keys), tuple(measuring.measures)), columns


def _add(columns: dict[str, Meaning], item: Item, meaning: Meaning) -> None:
    if item.name in columns:
        raise same_name(item)
    columns[item.name] = meaning


class _Measuring:
    """Takes the aggregates out of expressions."""

    def __init__(self, expressions: Expressions, keys: dict[str, Meaning], first: int) -> None:
        self._expressions = expressions.replacing(self._instead)
        self._arguments = expressions
        self._keys = keys
        self._first = first
        self.measures: list[Measure] = []

    def meaning(self, item: Item) -> Meaning:
        """An item in terms of keys and aggregates."""
        meaning = self._expressions.meaning(item.expression)
        if not any(self._is_measure(source) for source in sources_of(meaning)):
            raise QueryError(
                "stats takes aggregates", item.place, expected=tuple(aggregates.AGGREGATES)
            )
        return meaning

    def _is_measure(self, source: Source) -> bool:
        return isinstance(source, Column) and source.place >= self._first

    def _instead(self, expression: Expression) -> Meaning | None:
        """What stands for an aggregate or a key; none for what is put together of them."""
        if isinstance(expression, Name):
            if (key := self._keys.get(expression.text)) is not None:
                return key
            raise QueryError(
                f"{expression.text} is in no aggregate",
                expression.place,
                remedy="Write it in one, such as latest(…), or after by.",
            )
        if isinstance(expression, Call) and expression.name.lower() in aggregates.BY_NAME:
            return self._column(self._measure(expression))
        return None

    def _column(self, measure: Measure) -> Meaning:
        if measure not in self.measures:
            self.measures.append(measure)
        kept = measure.aggregate.keeps_values and measure.of is not None
        textual = kept and measure.of is not None and is_textual(measure.of)
        place = self._first + self.measures.index(measure)
        return Of(Column(place, textual, measure.aggregate.gives_list))

    def _measure(self, call: Call) -> Measure:
        aggregate = aggregates.BY_NAME[call.name.lower()]
        arguments, argument = call.arguments, 0.0
        if aggregate.name == "count" and (not arguments or isinstance(arguments[0], Star)):
            if len(arguments) > 1:
                raise QueryError("count takes one argument", call.place)
            return Measure(aggregate, None)
        if aggregate.name == "pct" and len(arguments) == 2:
            argument = _percent(arguments[1])
            arguments = arguments[:1]
        if len(arguments) != 1 or (aggregate.name == "pct") != (len(call.arguments) == 2):
            raise QueryError(f"it is {aggregate.entry.form}", call.place)
        of = self._arguments.meaning(arguments[0])
        if is_list(of) and not aggregate.takes_lists:
            raise refuse_list(arguments[0].place)
        by = self._arguments.moment(call.place) if aggregate.by_time else ()
        return Measure(aggregate, of, argument, by)


def _percent(expression: Expression) -> float:
    value = expression.value if isinstance(expression, Literal) else None
    if is_number(value) and 0 <= value <= 100:
        return float(value)
    raise QueryError("a percentile lies between 0 and 100", expression.place)
