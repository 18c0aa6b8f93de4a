"""Values of the reference: missing is ``None``, text ``str``, numbers, booleans, ``Time``, lists.

Written from the language's description alone, slow and exact: sums and quotients are
fractions until the end.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any, TypeAlias

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"-?[0-9]+")
_EXACT = 2**53
_START = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class Time:
    """A moment, as microseconds since 1970."""

    micros: int

    @property
    def moment(self) -> datetime:
        return _START + timedelta(microseconds=self.micros)


Value: TypeAlias = str | int | float | bool | Time | tuple["Value", ...] | None


def read_time(text: object) -> Time | None:
    """ISO-8601, UTC where it names no zone; nothing in the first year, which means none."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if moment.year <= 1:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return Time((moment - _START) // timedelta(microseconds=1))


def as_time(value: Value) -> Time | None:
    """What functions of moments take: a time, milliseconds, or ISO-8601."""
    if isinstance(value, Time):
        return value
    return from_milliseconds(value) if is_number(value) else read_time(value)  # type: ignore[arg-type]


def from_milliseconds(value: int | float) -> Time | None:
    """The moment; nothing outside the years that there are."""
    time = Time(round(Fraction(value) * 1000))
    try:
        return time if time.moment else None
    except OverflowError:
        return None


def is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def whole_number(text: str) -> int | None:
    return int(text) if _WHOLE.fullmatch(text) else None


def numeric_text(text: str) -> int | float | None:
    """The number that a text is."""
    if _WHOLE.fullmatch(text):
        return int(text)
    return plain(float(text)) if _NUMBER.fullmatch(text) else None


def plain(value: float | Fraction | None) -> int | float | None:
    """A result as it is shown: no infinities, whole numbers whole."""
    if isinstance(value, Fraction):
        if value.denominator == 1:
            return plain(value.numerator)
        try:
            value = value.numerator / value.denominator
        except OverflowError:
            return None
    if isinstance(value, int):
        try:
            float(value)
        except OverflowError:
            return None
        return value
    if value is None or not math.isfinite(value):
        return None
    return int(value) if value.is_integer() and abs(value) < _EXACT else value


def number(value: Value) -> int | float | None:
    """What arithmetic takes the value for."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    if isinstance(value, Time):
        return milliseconds(value.micros)
    return numeric_text(value) if isinstance(value, str) else None


def milliseconds(micros: int) -> int | float:
    return micros // 1000 if micros % 1000 == 0 else micros / 1000


def text(value: Value) -> str | None:
    """The value where a text is expected."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Time):
        return f"{value.moment.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
    assert not isinstance(value, tuple), "a list is no text"
    return repr(plain(value))


def canonical(value: Any) -> str:
    """JSON on one line, keys sorted."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def from_json(value: Any) -> Value:
    """A value of an event; objects and arrays are their text."""
    return canonical(value) if isinstance(value, dict | list) else value


def compared(operator: str, left: Value, right: Value) -> bool | None:
    """One of ``= == != < <= > >=``; missing where a side is, true of a list when true of any of
    its elements."""
    if operator == "!=":
        same = compared("=", left, right)
        return None if same is None else not same
    if isinstance(left, tuple):
        return any(compared(operator, one, right) for one in left) if right is not None else None
    if isinstance(right, tuple):
        return any(compared(operator, left, one) for one in right) if left is not None else None
    if left is None or right is None:
        return None
    sides = _comparable(left, right)
    if sides is None:
        return False
    first, second = sides
    if operator in ("=", "=="):
        return bool(first == second)
    return bool(
        {"<": first < second, "<=": first <= second, ">": first > second, ">=": first >= second}[
            operator
        ]
    )


def _comparable(left: Value, right: Value) -> tuple[Any, Any] | None:
    """Both sides as one kind; nothing where they are never equal, less or greater."""
    kinds = kind(left), kind(right)
    if kinds[0] == kinds[1]:
        return left, right
    if kinds[0] > kinds[1]:
        turned = _comparable(right, left)
        return None if turned is None else (turned[1], turned[0])
    match kinds:
        case ("boolean", "number"):
            return int(left), right  # type: ignore[arg-type]
        case ("boolean", "text"):
            said = {"true": True, "false": False}.get(str(right).lower())
            return None if said is None else (left, said)
        case ("number", "text"):
            found = numeric_text(str(right))
            return None if found is None else (left, found)
        case ("number", "time"):
            assert isinstance(right, Time)
            return Fraction(left) * 1000, Fraction(right.micros)  # type: ignore[arg-type]
        case ("text", "time"):
            moment = read_time(left)
            return None if moment is None else (moment, right)
    return None


def kind(value: Value) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "time" if isinstance(value, Time) else "text"


_RANKS = {"text": 0, "number": 1, "boolean": 2, "time": 3}


def rank(value: Value, texts: bool = False) -> tuple[int, Any]:
    """Where a value that is not missing sorts: a text that is a number among the numbers, unless
    all values are ``texts``."""
    assert value is not None
    if isinstance(value, str) and not texts:
        number = numeric_text(value)
        if number is not None:
            return _RANKS["number"], number
    return _RANKS[kind(value)], value


def total_rank(value: Value, texts: bool = False) -> tuple[tuple[int, Any], int, str]:
    """The same, with an order among equal numbers: the number, then texts by code point."""
    return rank(value, texts), _RANKS[kind(value)] == 0, text(value) or ""


def same(value: Value) -> tuple[str, Any]:
    """What two values share when they are one group: ``1`` and ``1.0``, but not ``"1"``."""
    return ("missing", None) if value is None else (kind(value), value)


def ascending(values: Iterable[Value], texts: bool = False) -> list[Value]:
    return sorted(values, key=lambda value: total_rank(value, texts))
