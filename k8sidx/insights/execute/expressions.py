"""Expressions → functions of a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from k8sidx.insights.language import values
from k8sidx.insights.language.parse_patterns import expression
from k8sidx.insights.language.periods import floor
from k8sidx.insights.language.values import Truth, as_moment, as_text, truth
from k8sidx.insights.plan.logical import (
    AllOf,
    Among,
    AnyOf,
    Apply,
    Compared,
    Constant,
    Contains,
    Extracted,
    Floor,
    Found,
    Meaning,
    Negated,
    Of,
    Source,
)

Row = Sequence[Any]
Evaluate = Callable[[Row], Any]
Places = Mapping[Source | Floor, int]
"""Where a row has what; a period of time may be a column of its own."""

_COMPARISONS = {
    "=": values.equals,
    "<": values.less,
    "<=": values.at_most,
    ">": values.more,
    ">=": values.at_least,
}


def evaluation(meaning: Meaning, places: Places) -> Evaluate:
    """The value of an expression as a function of a row."""
    match meaning:
        case Constant():
            value = meaning.value
            return lambda row: value
        case Of():
            place = places[meaning.source]
            return lambda row: row[place]
        case Floor():
            return _floor(meaning, places)
        case Apply():
            return _apply(meaning, places)
        case Compared():
            compare = _COMPARISONS[meaning.operator]
            left, right = evaluation(meaning.left, places), evaluation(meaning.right, places)
            return lambda row: compare(left(row), right(row))
        case Among():
            return _among(meaning, places)
        case Contains():
            text_part = meaning.part
            return _text_test(meaning.item, places, lambda text: text_part in text)
        case Found():
            search = expression(meaning.pattern).search
            return _text_test(meaning.item, places, lambda text: search(text) is not None)
        case Extracted():
            return _extracted(meaning, places)
        case AllOf() | AnyOf():
            parts = [evaluation(one, places) for one in meaning.parts]
            by = int(isinstance(meaning, AnyOf))
            return lambda row: _decided(parts, row, by)
        case Negated():
            part = evaluation(meaning.part, places)
            return lambda row: _not(part(row))


def _floor(meaning: Floor, places: Places) -> Evaluate:
    if (place := places.get(meaning)) is not None:
        return lambda row: row[place]
    moment, period = evaluation(meaning.moment, places), meaning.period

    def start(row: Row) -> Any:
        found = as_moment(moment(row))
        return None if found is None else floor(found, period)

    return start


def _apply(meaning: Apply, places: Places) -> Evaluate:
    run = meaning.run
    arguments = [evaluation(one, places) for one in meaning.arguments]
    if meaning.takes_missing:
        return lambda row: run(*[one(row) for one in arguments])

    def apply(row: Row) -> Any:
        found = [one(row) for one in arguments]
        return None if any(one is None for one in found) else run(*found)

    return apply


def _among(meaning: Among, places: Places) -> Evaluate:
    item = evaluation(meaning.item, places)
    options = [evaluation(one, places) for one in meaning.options]

    def among(row: Row) -> Truth:
        found = item(row)
        if found is None or found == []:
            return None
        return int(any(values.equals(found, one(row)) for one in options))

    return among


def _text_test(item: Meaning, places: Places, test: Callable[[str], bool]) -> Evaluate:
    """A test of a text; for a list, whether it holds for any element."""
    value_of = evaluation(item, places)

    def tested(row: Row) -> Truth:
        value = value_of(row)
        found = value if isinstance(value, list) else [value]
        texts = [text for one in found if (text := as_text(one)) is not None]
        return int(any(test(text) for text in texts)) if texts else None

    return tested


def _extracted(meaning: Extracted, places: Places) -> Evaluate:
    search, group = expression(meaning.pattern).search, meaning.group
    item = evaluation(meaning.item, places)

    def extract(row: Row) -> str | None:
        text = as_text(item(row))
        found = None if text is None else search(text)
        part: str | None = found.group(group) if found else None
        return part

    return extract


def _decided(parts: Sequence[Evaluate], row: Row, by: int) -> Truth:
    """*and* and *or* of truths of which some may be missing.

    :param by: the truth that decides when one part has it: 0 for *and*, 1 for *or*.
    """
    unknown = False
    for part in parts:
        found = truth(part(row))
        if found == by:
            return by
        unknown = unknown or found is None
    return None if unknown else 1 - by


def _not(value: Any) -> Truth:
    found = truth(value)
    return None if found is None else 1 - found
