"""Networks and long lists of values → those values of them that the data have.

An indicator list has a hundred thousand addresses, an audit log a few hundred. So the
distinct values of the field are asked for first, and only those that are meant become part
of the statement.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from k8sidx.engine.result import Value
from k8sidx.fields.lookup import resolve
from k8sidx.fields.table import Kind
from k8sidx.query.algebra import And, Condition, InNetwork, Leaf, Not, OneOf, Or
from k8sidx.query.networks import NetworkSet

LONG = 500
"""Values that a statement may hold for one comparison."""

_UPPER, _LOWER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"
_FOLD = str.maketrans(_UPPER, _LOWER)


def needs_narrowing(leaf: Leaf) -> bool:
    """Whether a comparison is put into a statement only with the values that the data have."""
    if isinstance(leaf, InNetwork):
        return True
    if not isinstance(leaf, OneOf) or len(leaf.values) <= LONG:
        return False
    return resolve(leaf.field).field.kind in (Kind.KEYWORD, Kind.ADDRESS)


def narrowed(condition: Condition, values_of: Callable[[str], Sequence[Value]]) -> Condition:
    """The condition with networks and long lists replaced by the values that there are.

    :param values_of: the distinct values of a field.
    """
    match condition:
        case And(parts):
            return And(tuple(narrowed(one, values_of) for one in parts))
        case Or(parts):
            return Or(tuple(narrowed(one, values_of) for one in parts))
        case Not(part):
            return Not(narrowed(part, values_of))
        case InNetwork(field, networks):
            inside = NetworkSet(networks)
            return OneOf(field, tuple(str(v) for v in values_of(field) if v in inside))
        case OneOf(field, values, ignore_case) if needs_narrowing(condition):
            wanted = {folded_text(value, ignore_case) for value in values}
            met = [str(v) for v in values_of(field) if folded_text(v, ignore_case) in wanted]
            return OneOf(field, tuple(met))
    return condition


def folded_text(value: object, ignore_case: bool) -> str:
    """The value as text, its ASCII letters small where their case makes no difference."""
    return str(value).translate(_FOLD) if ignore_case else str(value)
