"""Predicate materialization: a predicate is replaced by the stored values for which it holds.

An indicator list has a hundred thousand addresses, an audit log a few hundred. So the distinct
values of the field are queried first, and only those that match become part of the statement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from k8sidx.errors import UnsupportedQuery
from k8sidx.events.fields.lookup import FieldPath, resolve
from k8sidx.query.algebra import (
    Condition,
    InNetwork,
    Leaf,
    OneOf,
    Present,
    leaves,
    rewritten,
)
from k8sidx.query.casefold import folded_text
from k8sidx.query.networks import NetworkSet

LONG = 500
"""Values that a statement may contain for one comparison."""

Selects = Callable[[Leaf], bool]
Test = Callable[[Any], bool]


def is_large(leaf: Leaf) -> bool:
    """Whether a comparison is too large for a statement, with any engine: networks and long
    lists of texts."""
    if isinstance(leaf, InNetwork):
        return True
    if not isinstance(leaf, OneOf) or len(leaf.values) <= LONG:
        return False
    return resolve(leaf.field).is_text


def membership(leaf: Leaf) -> Test:
    """Return a test of one value for a list or a list of networks.

    :raises TypeError: for other comparisons.
    """
    if isinstance(leaf, InNetwork):
        networks = NetworkSet(leaf.networks)
        return lambda value: value in networks
    if isinstance(leaf, OneOf):
        wanted = {folded_text(value, leaf.ignore_case) for value in leaf.values}
        return lambda value: folded_text(value, leaf.ignore_case) in wanted
    raise TypeError(type(leaf).__name__)


def selected_leaves(condition: Condition, selects: Selects) -> list[Leaf]:
    """Return the comparisons to be materialized, each once."""
    return [leaf for leaf in dict.fromkeys(leaves(condition)) if selects(leaf)]


def with_placeholders(condition: Condition, selects: Selects) -> Condition:
    """Return the condition with the field's presence in place of comparisons that would be
    materialized: to compile or explain it without a query."""
    return rewritten(condition, lambda leaf: Present(leaf.field) if selects(leaf) else leaf)


def materialize(
    condition: Condition,
    selects: Selects,
    distinct: Callable[[str], Iterable[Any]],
    *,
    test_of: Callable[[Leaf], Test] = membership,
    most: int | None = None,
) -> Condition:
    """Return the condition with comparisons replaced by the stored values that they hold for.

    :param selects: whether a comparison is replaced.
    :param distinct: returns the distinct values of a field; is called once for each field, and
        only read once, so that it may stream them.
    :param test_of: returns a comparison as a test of one value.
    :param most: values that may remain of one comparison.
    :raises UnsupportedQuery: when more remain.
    """
    by_field: dict[FieldPath, list[Leaf]] = {}
    for leaf in selected_leaves(condition, selects):
        by_field.setdefault(resolve(leaf.field), []).append(leaf)
    replaced: dict[Leaf, Condition] = {}
    for same_field in by_field.values():
        matching: dict[Leaf, list[Any]] = {leaf: [] for leaf in same_field}
        tests = [(test_of(leaf), matching[leaf]) for leaf in same_field]
        for value in distinct(same_field[0].field):
            for test, values in tests:
                if test(value):
                    values.append(value)
        for leaf, values in matching.items():
            if most is not None and len(values) > most:
                raise UnsupportedQuery(
                    f"{leaf.field}: the condition holds for more than {most:,} values, too many "
                    "for a cluster.",
                    remedy="Query less time, or test for equality.",
                )
            replaced[leaf] = OneOf(leaf.field, tuple(values))
    return rewritten(condition, lambda leaf: replaced.get(leaf, leaf))
