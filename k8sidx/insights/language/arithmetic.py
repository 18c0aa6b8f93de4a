"""Arithmetic: whole numbers stay whole and exact, what has no result is missing."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from k8sidx.insights.language.values import as_number, settled

Number = int | float
_MOST_BITS = 1024
"""A whole number of more bits is too large for a result, and need not be made."""


def _divided(left: Number, right: Number) -> Number:
    if isinstance(left, int) and isinstance(right, int) and left % right == 0:
        return left // right
    return left / right


def _rest(left: Number, right: Number) -> Number:
    """The rest of a division that is cut towards zero: it has the sign of the dividend."""
    if isinstance(left, int) and isinstance(right, int):
        rest = abs(left) % abs(right)
        return -rest if left < 0 else rest
    return math.fmod(left, right)


def _power(base: Number, exponent: Number) -> Number:
    if isinstance(base, int) and isinstance(exponent, int) and exponent >= 0:
        if abs(base) > 1 and exponent * (abs(base).bit_length() - 1) > _MOST_BITS:
            raise OverflowError
        return int(base**exponent)
    return math.pow(base, exponent)


def _whole(number: Number | None) -> Number | None:
    """Whole numbers as such, however they were written: 1e3 is 1000."""
    return None if number is None else settled(number)


def numeric(run: Callable[..., Number]) -> Callable[..., Any]:
    """A function of numbers as one of values; what is no number, or gives none, is missing."""

    def of_values(*operands: Any) -> Any:
        numbers = [_whole(as_number(one)) for one in operands]
        if any(one is None for one in numbers):
            return None
        try:
            return settled(run(*numbers))
        except (ArithmeticError, ValueError):
            return None

    return of_values


OPERATIONS: dict[str, Callable[..., Any]] = {
    "+": numeric(lambda a, b: a + b),
    "-": numeric(lambda a, b: a - b),
    "*": numeric(lambda a, b: a * b),
    "/": numeric(_divided),
    "%": numeric(_rest),
    "^": numeric(_power),
    "negative": numeric(lambda a: -a),
}
"""What each operator makes of values."""
