"""An evaluator of the algebra over one event: short, slow, and by its written semantics."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from k8sidx.query.algebra import (
    COMPARED,
    Always,
    And,
    Compare,
    Condition,
    InNetwork,
    Leaf,
    Not,
    OneOf,
    Or,
    Present,
    Regex,
    Wildcard,
)
from k8sidx.query.casefold import folded_text
from k8sidx.query.networks import NetworkSet
from k8sidx.query.regex import compiled
from k8sidx.query.wildcard import to_regex, tokens

Values = Callable[[str], Sequence[Any]]
"""The values of a field of the event; none where it is missing."""


def holds(condition: Condition, values: Values) -> bool:
    """Whether a condition holds for the event that has these values."""
    match condition:
        case Always():
            return True
        case And(parts):
            return all(holds(part, values) for part in parts)
        case Or(parts):
            return any(holds(part, values) for part in parts)
        case Not(part):
            return not holds(part, values)
        case Present():
            return bool(values(condition.field))
    return any(_passes(condition, value) for value in values(condition.field))


def _passes(leaf: Leaf, value: Any) -> bool:
    fold = not isinstance(leaf, Present | InNetwork) and leaf.ignore_case
    text = folded_text(value, fold)
    match leaf:
        case Compare(op=op, value=wanted):
            if isinstance(value, bool):
                return COMPARED[op](value, {"true": True, "false": False}.get(str(wanted).lower()))
            if isinstance(value, int):
                return COMPARED[op](value, wanted)
            return COMPARED[op](text, folded_text(wanted, fold))
        case OneOf(field=field, values=wanted):
            return any(_passes(Compare(field, "=", one, fold), value) for one in wanted)
        case Wildcard(pattern=pattern):
            expression = to_regex(tokens(folded_text(pattern, fold)))
            return re.fullmatch(expression, text, re.DOTALL) is not None
        case Regex(pattern=pattern):
            return compiled(pattern, ignore_case=fold).search(str(value)) is not None
        case InNetwork(networks=networks):
            return str(value) in NetworkSet(networks)
    raise TypeError(type(leaf).__name__)
