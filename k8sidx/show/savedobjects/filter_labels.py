"""Labels of filters: conditions in the form of KQL."""

from __future__ import annotations

from k8sidx.query.algebra import (
    Always,
    And,
    Compare,
    Condition,
    InNetwork,
    Not,
    OneOf,
    Or,
    Present,
    Regex,
    Scalar,
    Wildcard,
)
from k8sidx.show.panels.conditions import ANSWERED


def condition_text(condition: Condition) -> str:
    """Return the text of a condition, for people only: it is not parsed again."""
    if condition == ANSWERED:
        return "each request once"
    match condition:
        case Always():
            return "*"
        case And(conditions) | Or(conditions):
            word = " and " if isinstance(condition, And) else " or "
            return word.join(_inner(inner) for inner in conditions) or "*"
        case Not(inner):
            return f"not {_inner(inner)}"
        case Compare(field, "=", value):
            return f"{field}: {_value(value)}"
        case Compare(field, op, value):
            return f"{field} {op} {_value(value)}"
        case OneOf(field, values):
            return f"{field}: ({' or '.join(_value(value) for value in values)})"
        case Wildcard(field, pattern):
            return f"{field}: {pattern}"
        case Regex(field, pattern):
            return f"{field} matches /{pattern}/"
        case InNetwork(field, networks):
            return f"{field}: ({' or '.join(networks)})"
        case Present(field):
            return f"{field}: *"
    raise TypeError(f"{type(condition).__name__} is not a condition")


def _inner(condition: Condition) -> str:
    text = condition_text(condition)
    return f"({text})" if isinstance(condition, And | Or) else text


def _value(value: Scalar) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
