"""Arithmetic: whole numbers stay whole and exact; a result that does not exist is missing."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from k8sidx.insights.language.values import as_number, canonical_number

Number = int | float
_MAX_BITS = 1024
"""A whole number of more bits is too large for a result, and need not be computed."""


def _divided(left: Number, right: Number) -> Number:
    if isinstance(left, int) and isinstance(right, int) and left % right == 0:
        return left // right
    return left / right


def _rest(left: Number, right: Number) -> Number:
    """Return the remainder of a division truncated towards zero: it has the sign of the
    dividend."""
    if isinstance(left, int) and isinstance(right, int):
        rest = abs(left) % abs(right)
        return -rest if left < 0 else rest
    return math.fmod(left, right)


def _power(base: Number, exponent: Number) -> Number:
    if isinstance(base, int) and isinstance(exponent, int) and exponent >= 0:
        if abs(base) > 1 and exponent * (abs(base).bit_length() - 1) > _MAX_BITS:
            raise OverflowError
        return int(base**exponent)
    return math.pow(base, exponent)


def _whole(number: Number | None) -> Number | None:
    """Return whole numbers as such, however they were written: 1e3 is 1000."""
    return None if number is None else canonical_number(number)


def numeric(run: Callable[..., Number]) -> Callable[..., Any]:
    """Make a function of numbers one of values; it returns a missing value where an argument is not
    a number, or the result is none."""

    def of_values(*operands: Any) -> Any:
        numbers = [_whole(as_number(operand)) for operand in operands]
        if any(number is None for number in numbers):
            return None
        try:
            return canonical_number(run(*numbers))
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
"""The functions of the operators."""
