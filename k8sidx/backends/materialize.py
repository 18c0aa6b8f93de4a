"""Networks and long lists of values → those values of them that the data have.

An indicator list has a hundred thousand addresses, an audit log a few hundred. So the
distinct values of the field are asked for first, and only those that are meant become part
of the statement.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from k8sidx.backends.result import Value
from k8sidx.events.fields.lookup import resolve
from k8sidx.events.fields.table import Kind
from k8sidx.query.algebra import Condition, InNetwork, Leaf, OneOf, rewritten
from k8sidx.query.casefold import folded_text
from k8sidx.query.networks import NetworkSet

LONG = 500
"""Values that a statement may hold for one comparison."""


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

    def change(leaf: Leaf) -> Condition:
        if not isinstance(leaf, InNetwork | OneOf) or not needs_narrowing(leaf):
            return leaf
        holds = membership(leaf)
        return OneOf(leaf.field, tuple(str(one) for one in values_of(leaf.field) if holds(one)))

    return rewritten(condition, change)


def membership(leaf: InNetwork | OneOf) -> Callable[[Any], bool]:
    """The comparison as a test of one value."""
    if isinstance(leaf, InNetwork):
        networks = NetworkSet(leaf.networks)
        return lambda value: value in networks
    wanted = {folded_text(one, leaf.ignore_case) for one in leaf.values}
    return lambda value: folded_text(value, leaf.ignore_case) in wanted
