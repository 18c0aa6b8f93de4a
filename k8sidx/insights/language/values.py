"""Values: conversion to numbers, texts and moments, comparison, order and identity.

A value is a text, a number, a truth value, a moment (UTC), a list, or missing (``None``).
Every store returns these, so that all computations over them are the same for all.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeGuard

from k8sidx.events.fields.moment import text_of, to_micros, to_moment

Truth = int | None
"""1, 0, or missing where it is unknown."""

MAX_EXACT = 2**53
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_MILLISECOND = 1000
_MAX_NUMBER_LENGTH = 300
_MAX_WHOLE_BITS = 1023
"""Bits of a whole number at most; it then fits a float."""


def parsed_number(text: str) -> int | float | None:
    """Return the number of a text, or ``None`` for other texts and numbers too large for a
    float."""
    if len(text) > _MAX_NUMBER_LENGTH or not _NUMBER.fullmatch(text):
        return None
    if text.lstrip("-").isdecimal():
        return int(text)
    number = float(text)
    return None if math.isinf(number) else number


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a value is a number, which a truth value is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def as_number(value: Any) -> int | float | None:
    """Return the number of a value in arithmetic: moments are milliseconds since 1970."""
    if is_number(value):
        return value
    if isinstance(value, str):
        return parsed_number(value)
    return milliseconds(value) if isinstance(value, datetime) else None


def as_text(value: Any) -> str | None:
    """Return the text of a value."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return text_of(to_micros(value))
    if isinstance(value, list):
        return None
    number = canonical_number(value)
    return None if number is None else repr(number)


def as_moment(value: Any) -> datetime | None:
    """Return the moment of a value: numbers are milliseconds since 1970, texts ISO 8601."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, str):
        return parsed_moment(value)
    number = as_number(value)
    return None if number is None else from_milliseconds(number)


def parsed_moment(text: str) -> datetime | None:
    """Return the moment of an ISO 8601 text, UTC without an offset, or ``None``."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def milliseconds(moment: datetime) -> int | float:
    """Return milliseconds since 1970; whole where there are no microseconds."""
    whole, rest = divmod(to_micros(moment), _MILLISECOND)
    return whole + rest / _MILLISECOND if rest else whole


def canonical_number(number: int | float) -> int | float | None:
    """Return the result of arithmetic: whole numbers as such, ``None`` for infinite ones and
    NaN."""
    if isinstance(number, int):
        return number if number.bit_length() <= _MAX_WHOLE_BITS else None
    if math.isnan(number) or math.isinf(number):
        return None
    return int(number) if number.is_integer() and abs(number) < MAX_EXACT else number


def truth(value: Any) -> Truth:
    """Return whether a value holds as a condition; missing for texts and moments."""
    if isinstance(value, int | float):
        return int(value != 0)
    return None


def equals(left: Any, right: Any) -> Truth:
    """Return ``left = right``; for a list, whether any element does."""
    return _any(left, right, lambda a, b: a == b)


def less(left: Any, right: Any) -> Truth:
    """Return ``left < right``."""
    return _any(left, right, lambda a, b: a < b)


def at_most(left: Any, right: Any) -> Truth:
    """Return ``left <= right``."""
    return _any(left, right, lambda a, b: a <= b)


def more(left: Any, right: Any) -> Truth:
    """Return ``left > right``."""
    return _any(left, right, lambda a, b: a > b)


def at_least(left: Any, right: Any) -> Truth:
    """Return ``left >= right``."""
    return _any(left, right, lambda a, b: a >= b)


Test = Callable[[Any, Any], bool]


def _any(left: Any, right: Any, test: Test) -> Truth:
    if isinstance(left, list):
        return _of_list([_any(item, right, test) for item in left])
    if isinstance(right, list):
        return _of_list([_any(left, item, test) for item in right])
    if left is None or right is None:
        return None
    pair = _comparable(left, right)
    return int(pair is not None and test(*pair))


def _of_list(truths: list[Truth]) -> Truth:
    known = [item for item in truths if item is not None]
    return max(known) if known else None


def _comparable(left: Any, right: Any) -> tuple[Any, Any] | None:
    """Return the two as values of one kind, or ``None`` when they have none in common."""
    if isinstance(left, str) and isinstance(right, str):
        return left, right
    if isinstance(left, datetime) or isinstance(right, datetime):
        pair: tuple[Any, Any] = (None, None)
        if not isinstance(left, bool) and not isinstance(right, bool):
            pair = (as_moment(left), as_moment(right))
    elif isinstance(left, bool) and isinstance(right, str):
        pair = (left, _flag(right))
    elif isinstance(right, bool) and isinstance(left, str):
        pair = (_flag(left), right)
    else:
        pair = (_plain(left), _plain(right))
    return None if pair[0] is None or pair[1] is None else pair


def _plain(value: Any) -> int | float | None:
    return int(value) if isinstance(value, bool) else as_number(value)


def _flag(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text.lower())


def identity(value: Any) -> Any:
    """Return what separates a value from others in groups: 1 is 1.0, but neither ``true`` nor
    ``"1"``."""
    if isinstance(value, bool):
        return (bool, value)
    return tuple(identity(item) for item in value) if isinstance(value, list) else value


MISSING_RANK = 9
OrderKey = tuple[int, Any]


def order_key(value: Any, *, textual: bool) -> OrderKey:
    """Return the key for ascending order: texts, numbers, truth values, moments, lists.

    :param textual: texts are compared as such, also those that are numbers.
    """
    if value is None:
        return MISSING_RANK, 0
    if isinstance(value, str):
        number = None if textual else parsed_number(value)
        return (0, value) if number is None else (1, number)
    if isinstance(value, bool):
        return 2, value
    if isinstance(value, int | float):
        return 1, value
    if isinstance(value, datetime):
        return 3, value
    return 4, tuple(order_key(item, textual=textual) for item in value)


def group_key(value: Any, *, textual: bool) -> tuple[OrderKey, str]:
    """Return the key for the order of groups: of a number and texts that are that number the number
    comes first."""
    return order_key(value, textual=textual), value if isinstance(value, str) else ""


def from_milliseconds(number: int | float) -> datetime | None:
    """Return the moment so many milliseconds after 1970; ``None`` beyond the years 1 to 9999."""
    try:
        return to_moment(round(number * _MILLISECOND))
    except (OverflowError, ValueError):
        return None
