"""What a condition says of some fields alone."""

from __future__ import annotations

from collections.abc import Callable

from k8sidx.events.fields.lookup import resolve
from k8sidx.query.algebra import NEVER, Always, And, Condition, Leaf, Not, Or


def projected(condition: Condition, knows: Callable[[Leaf], bool]) -> Condition:
    """A condition over the known comparisons alone that holds wherever the condition does.

    :param knows: whether a comparison can be looked at; others may hold or not.
    """
    return _bounded(condition, knows, over=True)


def over_fields(names: frozenset[str]) -> Callable[[Leaf], bool]:
    """For :func:`projected`: comparisons of these stored fields are known."""
    return lambda leaf: resolve(leaf.field).field.name in names


def _bounded(condition: Condition, knows: Callable[[Leaf], bool], *, over: bool) -> Condition:
    """Over: holds wherever the condition does. Under: holds only where the condition does."""
    match condition:
        case Always():
            return condition
        case And(parts):
            bounds = [_bounded(one, knows, over=over) for one in parts]
            if NEVER in bounds:
                return NEVER
            kept = tuple(one for one in bounds if not isinstance(one, Always))
            return And(kept) if kept else Always()
        case Or(parts):
            bounds = [_bounded(one, knows, over=over) for one in parts]
            if any(isinstance(one, Always) for one in bounds):
                return Always()
            return Or(tuple(one for one in bounds if one != NEVER))
        case Not(part):
            bound = _bounded(part, knows, over=not over)
            if isinstance(bound, Always):
                return NEVER
            return Always() if bound == NEVER else Not(bound)
    if knows(condition):
        return condition
    return Always() if over else NEVER


def implies(where: Condition, condition: Condition) -> bool:
    """Whether a query's condition is another one, or one of its alternatives, or that and more."""
    if where == condition:
        return True
    if isinstance(condition, Or) and any(implies(where, one) for one in condition.conditions):
        return True
    return isinstance(where, And) and any(implies(one, condition) for one in where.conditions)
