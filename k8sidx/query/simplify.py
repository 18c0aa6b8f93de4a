"""Conditions in a shape that is easily written: nothing nested that need not be, *not* only
before comparisons, equalities of one field as one list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from k8sidx.query.algebra import (
    NEVER,
    Always,
    And,
    Compare,
    Condition,
    Not,
    OneOf,
    Or,
    Present,
    Scalar,
    Wildcard,
)
from k8sidx.query.wildcard import plain_text


def simplified(condition: Condition) -> Condition:
    """The same condition, nothing nested that need not be, *not* only before comparisons."""
    return _pushed(condition, negated=False)


def _pushed(condition: Condition, *, negated: bool) -> Condition:
    match condition:
        case Always():
            return NEVER if negated else condition
        case Not(inner):
            return _pushed(inner, negated=not negated)
        case And(parts) | Or(parts):
            pushed = [_pushed(part, negated=negated) for part in parts]
            return _all(pushed) if isinstance(condition, And) is not negated else _any(pushed)
        case OneOf(values=()):
            return Always() if negated else NEVER
        case Wildcard() if (text := plain_text(condition.pattern)) is not None:
            equal = Compare(condition.field, "=", text, condition.ignore_case)
            return Not(equal) if negated else equal
        case Wildcard() if not condition.pattern.strip("*"):
            return _pushed(Present(condition.field), negated=negated)
    return Not(condition) if negated else condition


def _all(parts: Sequence[Condition]) -> Condition:
    found: dict[Condition, None] = {}
    for part in parts:
        if part == NEVER:
            return NEVER
        if isinstance(part, And):
            found.update(dict.fromkeys(part.conditions))
        elif not isinstance(part, Always):
            found[part] = None
    if not found:
        return Always()
    return next(iter(found)) if len(found) == 1 else And(_gathered(found, negated=True))


def _any(parts: Sequence[Condition]) -> Condition:
    found: dict[Condition, None] = {}
    for part in parts:
        if isinstance(part, Always):
            return part
        if isinstance(part, Or):
            found.update(dict.fromkeys(part.conditions))
        else:
            found[part] = None
    if not found:
        return NEVER
    return next(iter(found)) if len(found) == 1 else Or(_gathered(found, negated=False))


def _gathered(parts: dict[Condition, None], *, negated: bool) -> tuple[Condition, ...]:
    """Equalities of one field as one list: alternatives, or what all is excluded."""
    lists: dict[tuple[str, bool], dict[Scalar, None]] = {}
    kept: list[Condition | tuple[str, bool]] = []
    for part in parts:
        inner = part.condition if negated and isinstance(part, Not) else part
        values = _values(inner) if negated is isinstance(part, Not) else None
        if values is None or isinstance(inner, Always | And | Or | Not | Present):
            kept.append(part)
            continue
        key = (inner.field, getattr(inner, "ignore_case", False))
        if key not in lists:
            kept.append(key)
        lists.setdefault(key, {}).update(dict.fromkeys(values))
    made: list[Condition] = []
    for one in kept:
        if isinstance(one, tuple):
            whole = OneOf(one[0], tuple(lists[one]), one[1])
            made.append(Not(whole) if negated else whole)
        else:
            made.append(one)
    return tuple(made)


def _values(part: Condition) -> tuple[Scalar, ...] | None:
    match part:
        case Compare(op="=", value=value):
            return (value,)
        case OneOf(values=values):
            return values
    return None


def flat(condition: Condition) -> Condition:
    """The condition without *and* in *and*, and *or* in *or*; each part once."""
    match condition:
        case Not(inner):
            return Not(flat(inner))
        case And() | Or():
            parts = dict.fromkeys(_inner(condition))
            return next(iter(parts)) if len(parts) == 1 else type(condition)(tuple(parts))
    return condition


def _inner(condition: And | Or) -> Iterable[Condition]:
    for one in condition.conditions:
        part = flat(one)
        if isinstance(part, type(condition)):
            yield from part.conditions
        else:
            yield part
