"""Binding of ``stats``: keys, aggregates, and the columns after it."""

from __future__ import annotations

from k8sidx.insights.language import aggregates
from k8sidx.insights.language import ast as syntax
from k8sidx.insights.language.ast import Call, Expression, Item, Literal, Name, Star
from k8sidx.insights.language.diagnostics import QueryError, duplicate_column, list_error
from k8sidx.insights.language.values import is_number
from k8sidx.insights.plan.expressions import Expressions
from k8sidx.insights.plan.logical import (
    BoundExpression,
    Column,
    FieldRef,
    Grouping,
    Measure,
    Source,
    is_list,
    is_textual,
    sources_of,
)


def bind_stats(
    command: syntax.Stats, expressions: Expressions
) -> tuple[Grouping, dict[str, BoundExpression]]:
    """Return the grouping, and its columns by name: keys first, then aggregates.

    :raises QueryError: where an aggregate is missing, and for two columns of one name.
    """
    keys: list[BoundExpression] = []
    columns: dict[str, BoundExpression] = {}
    for item in command.keys:
        key = expressions.bind(item.expression)
        column = FieldRef(Column(len(keys), is_textual(key)))
        _add(columns, item, column)
        keys.append(key)
    named = {item.name: columns[item.name] for item in command.keys}
    aggregates_binder = _AggregateBinder(expressions, named, len(keys))
    for item in command.aggregates:
        _add(columns, item, aggregates_binder.bind(item))
    return Grouping(tuple(keys), tuple(aggregates_binder.measures)), columns


def _add(columns: dict[str, BoundExpression], item: Item, bound: BoundExpression) -> None:
    if item.name in columns:
        raise duplicate_column(item)
    columns[item.name] = bound


class _AggregateBinder:
    """Extracts the aggregates of expressions."""

    def __init__(
        self, expressions: Expressions, keys: dict[str, BoundExpression], first: int
    ) -> None:
        self._expressions = expressions.rewriting(self._rewrite)
        self._arguments = expressions
        self._keys = keys
        self._first = first
        self.measures: list[Measure] = []

    def bind(self, item: Item) -> BoundExpression:
        """Bind an item in terms of keys and aggregates."""
        bound = self._expressions.bind(item.expression)
        if not any(self._is_measure(source) for source in sources_of(bound)):
            raise QueryError(
                "stats takes aggregates", item.position, expected=tuple(aggregates.AGGREGATES)
            )
        return bound

    def _is_measure(self, source: Source) -> bool:
        return isinstance(source, Column) and source.index >= self._first

    def _rewrite(self, expression: Expression) -> BoundExpression | None:
        """Return the column of an aggregate or a key, or ``None`` for what is composed of them."""
        if isinstance(expression, Name):
            if (key := self._keys.get(expression.text)) is not None:
                return key
            raise QueryError(
                f"{expression.text} is neither in an aggregate nor after by",
                expression.position,
                remedy="Write it in an aggregate, for example latest(…), or after by.",
            )
        if isinstance(expression, Call) and expression.name.lower() in aggregates.BY_NAME:
            return self._column(self._measure(expression))
        return None

    def _column(self, measure: Measure) -> BoundExpression:
        if measure not in self.measures:
            self.measures.append(measure)
        kept = measure.aggregate.keeps_values and measure.operand is not None
        textual = kept and measure.operand is not None and is_textual(measure.operand)
        index = self._first + self.measures.index(measure)
        return FieldRef(Column(index, textual, measure.aggregate.gives_list))

    def _measure(self, call: Call) -> Measure:
        aggregate = aggregates.BY_NAME[call.name.lower()]
        arguments, argument = call.arguments, 0.0
        if aggregate.name == "count" and (not arguments or isinstance(arguments[0], Star)):
            if len(arguments) > 1:
                raise QueryError("count takes one argument", call.position)
            return Measure(aggregate, None)
        if aggregate.name == "pct" and len(arguments) == 2:
            argument = _percent(arguments[1])
            arguments = arguments[:1]
        if len(arguments) != 1 or (aggregate.name == "pct") != (len(call.arguments) == 2):
            raise QueryError(f"write {aggregate.entry.form}", call.position)
        operand = self._arguments.bind(arguments[0])
        if is_list(operand) and not aggregate.takes_lists:
            raise list_error(arguments[0].position)
        by = self._arguments.moment(call.position) if aggregate.by_time else ()
        return Measure(aggregate, operand, argument, by)


def _percent(expression: Expression) -> float:
    value = expression.value if isinstance(expression, Literal) else None
    if is_number(value) and 0 <= value <= 100:
        return float(value)
    raise QueryError("a percentile lies between 0 and 100", expression.position)
