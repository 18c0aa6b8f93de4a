"""Long conditions on one field, replaced by the stored values for which they hold.

The identities of a platform are a hundred patterns, the users of a log some hundred names: each
pattern is tested for each name, not for each event.
"""

from __future__ import annotations

from collections.abc import Callable

from k8sidx.backends.embedded.storage.columns import COMPUTED
from k8sidx.events.fields.lookup import resolve
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
    leaves,
)

FEW = 8
"""Patterns that are not worth a look at the values."""
MOST_VALUES = 20_000
"""Largest number of values that are looked at."""

Replace = Callable[[str, Condition], Condition]


def by_value(condition: Condition, replace: Replace) -> Condition:
    """Return an equivalent condition, with conditions on one field replaced.

    :param replace: called with the field and a condition on it that holds for values alone: it
        does not hold where the field is missing.
    """
    name = _only_field(condition)
    if name is not None:
        return replace(name, condition) if _is_long(condition) else condition
    match condition:
        case And(parts):
            return And(tuple(by_value(part, replace) for part in parts))
        case Or():
            return Or(tuple(by_value(part, replace) for part in _gathered(condition)))
        case Not(part):
            return Not(by_value(part, replace))
    return condition


def _gathered(condition: Or) -> list[Condition]:
    """Return the alternatives, those on the same field as one."""
    gathered: dict[str, list[Condition]] = {}
    others: list[Condition] = []
    for part in _flat(condition):
        name = _only_field(part)
        (others if name is None else gathered.setdefault(name, [])).append(part)
    return [*(Or(tuple(parts)) for parts in gathered.values()), *others]


def _flat(condition: Or) -> list[Condition]:
    flat: list[Condition] = []
    for part in condition.conditions:
        flat += _flat(part) if isinstance(part, Or) else [part]
    return flat


def _only_field(condition: Condition) -> str | None:
    """Return the field that a condition is about; ``None`` if there are several, or if it may hold
    where the field is missing."""
    match condition:
        case And(parts) | Or(parts):
            names = {_only_field(part) for part in parts}
            return names.pop() if len(names) == 1 else None
        case Always() | Not() | Present() | InNetwork():
            return None
    path = resolve(condition.field)
    return condition.field if path.is_one_text and path.field.name not in COMPUTED else None


def _is_long(condition: Condition) -> bool:
    slow = [
        leaf
        for leaf in leaves(condition)
        if not isinstance(leaf, Compare | OneOf) or leaf.ignore_case
    ]
    return len(slow) > FEW
