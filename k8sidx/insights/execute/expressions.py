"""Evaluation of expressions: each becomes a function of a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from k8sidx.insights.language import values
from k8sidx.insights.language.periods import floor
from k8sidx.insights.language.values import Truth, as_moment, as_text, truth
from k8sidx.insights.plan.logical import (
    AllOf,
    AnyOf,
    Apply,
    BoundExpression,
    Compared,
    Constant,
    Contains,
    DateFloor,
    FieldRef,
    InList,
    Negated,
    RegexGroup,
    RegexMatch,
    Source,
)
from k8sidx.query.regex import compiled

Row = Sequence[Any]
Evaluate = Callable[[Row], Any]
Layout = Mapping[Source | DateFloor, int]
"""The columns of rows; a period of time may be one of its own."""

_COMPARISONS = {
    "=": values.equals,
    "<": values.less,
    "<=": values.at_most,
    ">": values.more,
    ">=": values.at_least,
}


def evaluator(expression: BoundExpression, layout: Layout) -> Evaluate:
    """Return the function that computes an expression of a row."""
    match expression:
        case Constant():
            value = expression.value
            return lambda row: value
        case FieldRef():
            index = layout[expression.source]
            return lambda row: row[index]
        case DateFloor():
            return _floor(expression, layout)
        case Apply():
            return _apply(expression, layout)
        case Compared():
            compare = _COMPARISONS[expression.operator]
            left, right = evaluator(expression.left, layout), evaluator(expression.right, layout)
            return lambda row: compare(left(row), right(row))
        case InList():
            return _in_list(expression, layout)
        case Contains():
            text_part = expression.part
            return _text_test(expression.item, layout, lambda text: text_part in text)
        case RegexMatch():
            search = compiled(expression.pattern).search
            return _text_test(expression.item, layout, lambda text: search(text) is not None)
        case RegexGroup():
            return _extracted(expression, layout)
        case AllOf() | AnyOf():
            parts = [evaluator(part, layout) for part in expression.parts]
            by = int(isinstance(expression, AnyOf))
            return lambda row: _all_or_any(parts, row, by)
        case Negated():
            part = evaluator(expression.part, layout)
            return lambda row: _not(part(row))


def _floor(expression: DateFloor, layout: Layout) -> Evaluate:
    if (index := layout.get(expression)) is not None:
        return lambda row: row[index]
    moment, period = evaluator(expression.moment, layout), expression.period

    def start(row: Row) -> Any:
        value = as_moment(moment(row))
        return None if value is None else floor(value, period)

    return start


def _apply(expression: Apply, layout: Layout) -> Evaluate:
    run = expression.run
    arguments = [evaluator(argument, layout) for argument in expression.arguments]
    if expression.takes_missing:
        return lambda row: run(*[argument(row) for argument in arguments])

    def apply(row: Row) -> Any:
        values_of_row = [argument(row) for argument in arguments]
        return None if any(item is None for item in values_of_row) else run(*values_of_row)

    return apply


def _in_list(expression: InList, layout: Layout) -> Evaluate:
    item = evaluator(expression.item, layout)
    options = [evaluator(option, layout) for option in expression.options]

    def among(row: Row) -> Truth:
        value = item(row)
        if value is None or value == []:
            return None
        return int(any(values.equals(value, option(row)) for option in options))

    return among


def _text_test(item: BoundExpression, layout: Layout, test: Callable[[str], bool]) -> Evaluate:
    """Return a test of a text; for a list, whether it holds for any element."""
    value_of = evaluator(item, layout)

    def tested(row: Row) -> Truth:
        value = value_of(row)
        elements = value if isinstance(value, list) else [value]
        texts = [text for item in elements if (text := as_text(item)) is not None]
        return int(any(test(text) for text in texts)) if texts else None

    return tested


def _extracted(expression: RegexGroup, layout: Layout) -> Evaluate:
    search, group = compiled(expression.pattern).search, expression.group
    item = evaluator(expression.item, layout)

    def extract(row: Row) -> str | None:
        text = as_text(item(row))
        match = None if text is None else search(text)
        part: str | None = match.group(group) if match else None
        return part

    return extract


def _all_or_any(parts: Sequence[Evaluate], row: Row, by: int) -> Truth:
    """Combine truths by *and* or *or*, some of which may be missing.

    :param by: the truth that decides when one part has it: 0 for *and*, 1 for *or*.
    """
    unknown = False
    for part in parts:
        known = truth(part(row))
        if known == by:
            return by
        unknown = unknown or known is None
    return None if unknown else 1 - by


def _not(value: Any) -> Truth:
    known = truth(value)
    return None if known is None else 1 - known
