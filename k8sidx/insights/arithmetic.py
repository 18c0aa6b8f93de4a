"""Arithmetic: whole numbers stay whole and exact, what has no result is missing."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from k8sidx.insights.values import as_number, settled

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


def _operation(run: Callable[..., Number]) -> Callable[..., Any]:
    def operation(*operands: Any) -> Any:
        numbers = [as_number(one) for one in operands]
        if any(one is None for one in numbers):
            return None
        try:
            return settled(run(*numbers))
        except (ArithmeticError, ValueError):
            return None

    return operation


OPERATIONS: dict[str, Callable[..., Any]] = {
    "+": _operation(lambda a, b: a + b),
    "-": _operation(lambda a, b: a - b),
    "*": _operation(lambda a, b: a * b),
    "/": _operation(_divided),
    "%": _operation(_rest),
    "^": _operation(_power),
    "negative": _operation(lambda a: -a),
}
"""What each operator makes of values."""
