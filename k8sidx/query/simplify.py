"""Simplification of conditions.

The simplified condition holds for the same events. It has no *and* in *and* and no *or* in *or*,
*not* only before comparisons, and equalities of one field as one list.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from k8sidx.query.algebra import (
    NEVER,
    Always,
    And,
    Compare,
    Condition,
    InNetwork,
    Not,
    OneOf,
    Or,
    Present,
    Scalar,
    Wildcard,
)
from k8sidx.query.wildcard import literal


def simplified(condition: Condition) -> Condition:
    """Return the same condition, simplified."""
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
        case Wildcard() if (text := literal(condition.pattern)) is not None:
            equal = Compare(condition.field, "=", text, condition.ignore_case)
            return Not(equal) if negated else equal
        case Wildcard() if not condition.pattern.strip("*"):
            return _pushed(Present(condition.field), negated=negated)
    return Not(condition) if negated else condition


def _all(parts: Sequence[Condition]) -> Condition:
    if NEVER in parts:
        return NEVER
    kept = dict.fromkeys(
        inner for part in parts for inner in (part.conditions if isinstance(part, And) else (part,))
    )
    kept.pop(Always(), None)
    if not kept:
        return Always()
    return next(iter(kept)) if len(kept) == 1 else And(gathered(kept, negated=True))


def _any(parts: Sequence[Condition]) -> Condition:
    if Always() in parts:
        return Always()
    kept = dict.fromkeys(
        inner for part in parts for inner in (part.conditions if isinstance(part, Or) else (part,))
    )
    if not kept:
        return NEVER
    return next(iter(kept)) if len(kept) == 1 else Or(gathered(kept))


def gathered(parts: Iterable[Condition], *, negated: bool = False) -> tuple[Condition, ...]:
    """Gather equalities of one field into one list, where the first of them stands.

    :param parts: alternatives.
    :param negated: they are conditions that all hold: what they exclude is gathered.
    """
    lists: dict[tuple[str, bool], dict[Scalar, None]] = {}
    kept: list[Condition | tuple[str, bool]] = []
    for part in parts:
        inner = part.condition if negated and isinstance(part, Not) else part
        if negated is not isinstance(part, Not) or not isinstance(inner, Compare | OneOf):
            kept.append(part)
            continue
        values = _equal_to(inner)
        if values is None:
            kept.append(part)
            continue
        key = (inner.field, inner.ignore_case)
        if key not in lists:
            kept.append(key)
        lists.setdefault(key, {}).update(dict.fromkeys(values))
    made: list[Condition] = []
    for part_or_key in kept:
        if isinstance(part_or_key, tuple):
            listed = OneOf(part_or_key[0], tuple(lists[part_or_key]), part_or_key[1])
            made.append(Not(listed) if negated else listed)
        else:
            made.append(part_or_key)
    return tuple(made)


def _equal_to(comparison: Compare | OneOf) -> tuple[Scalar, ...] | None:
    if isinstance(comparison, OneOf):
        return comparison.values
    return (comparison.value,) if comparison.op == "=" else None


def any_of(conditions: Sequence[Condition]) -> Condition:
    """Return that any condition holds: of one field, equalities as one list, networks as one.

    Stored summaries of hunts depend on the form: it changes nothing else.

    :param conditions: one at least.
    """
    if len(conditions) == 1:
        return conditions[0]
    equal = [part for part in conditions if isinstance(part, Compare) and part.op == "="]
    if len(equal) == len(conditions) and len({(e.field, e.ignore_case) for e in equal}) == 1:
        return OneOf(equal[0].field, tuple(e.value for e in equal), equal[0].ignore_case)
    networks = [part for part in conditions if isinstance(part, InNetwork)]
    if len(networks) == len(conditions) and len({part.field for part in networks}) == 1:
        listed = tuple(network for part in networks for network in part.networks)
        return InNetwork(networks[0].field, listed)
    return Or(tuple(conditions))


def flat(condition: Condition) -> Condition:
    """Return the condition without *and* in *and*, and *or* in *or*; each part once."""
    match condition:
        case Not(inner):
            return Not(flat(inner))
        case And() | Or():
            parts = dict.fromkeys(_flattened(condition))
            return next(iter(parts)) if len(parts) == 1 else type(condition)(tuple(parts))
    return condition


def _flattened(condition: And | Or) -> Iterable[Condition]:
    for part in condition.conditions:
        inner = flat(part)
        if isinstance(inner, type(condition)):
            yield from inner.conditions
        else:
            yield inner
