"""Bounds of a condition over some fields alone: over- and under-approximation."""

from __future__ import annotations

from collections.abc import Callable

from k8sidx.events.fields.lookup import resolve
from k8sidx.query.algebra import NEVER, Always, And, Condition, Leaf, Not, Or


def projected(condition: Condition, evaluable: Callable[[Leaf], bool]) -> Condition:
    """Return a condition over the known comparisons alone that holds wherever the condition does.

    :param evaluable: whether a comparison can be evaluated; others may hold or not.
    """
    return _bounded(condition, evaluable, over=True)


def over_fields(names: frozenset[str]) -> Callable[[Leaf], bool]:
    """Return, for :func:`projected`, whether a comparison is of these stored fields."""
    return lambda leaf: resolve(leaf.field).field.name in names


def _bounded(condition: Condition, evaluable: Callable[[Leaf], bool], *, over: bool) -> Condition:
    """Return a condition that holds wherever the condition does (over), or only where it does
    (under)."""
    match condition:
        case Always():
            return condition
        case And(parts):
            bounds = [_bounded(part, evaluable, over=over) for part in parts]
            if NEVER in bounds:
                return NEVER
            kept = tuple(bound for bound in bounds if not isinstance(bound, Always))
            return And(kept) if kept else Always()
        case Or(parts):
            bounds = [_bounded(part, evaluable, over=over) for part in parts]
            if any(isinstance(bound, Always) for bound in bounds):
                return Always()
            return Or(tuple(bound for bound in bounds if bound != NEVER))
        case Not(part):
            bound = _bounded(part, evaluable, over=not over)
            if isinstance(bound, Always):
                return NEVER
            return Always() if bound == NEVER else Not(bound)
    if evaluable(condition):
        return condition
    return Always() if over else NEVER


def implies(where: Condition, condition: Condition) -> bool:
    """Whether a query's condition is another one, or one of its alternatives, or that and more."""
    if where == condition:
        return True
    if isinstance(condition, Or) and any(implies(where, part) for part in condition.conditions):
        return True
    return isinstance(where, And) and any(implies(part, condition) for part in where.conditions)
