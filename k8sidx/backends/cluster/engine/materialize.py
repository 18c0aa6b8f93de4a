"""Conditions that an index cannot look up, by the values that it has.

Patterns over numbers, networks over single elements of a list, long lists of networks or
texts: the field's distinct values are asked for and looked at here, and the
condition becomes the values that it holds for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from k8sidx.backends.cluster.engine.composite import Composite, Source, grouped
from k8sidx.backends.cluster.engine.filters import MOST_TERMS, ConditionCompiler
from k8sidx.backends.cluster.engine.session import Session
from k8sidx.backends.cluster.schema.profile import Profile
from k8sidx.backends.materialize import membership, needs_narrowing
from k8sidx.errors import UnsupportedQuery
from k8sidx.events.fields.lookup import resolve
from k8sidx.events.fields.table import Kind
from k8sidx.query.algebra import (
    Always,
    Condition,
    InNetwork,
    Leaf,
    OneOf,
    Present,
    Query,
    Regex,
    Wildcard,
    leaves,
    rewritten,
)
from k8sidx.query.casefold import has_letters
from k8sidx.query.regex import compiled
from k8sidx.query.wildcard import to_regex, tokens

MOST_FOLDED = 200
"""Texts without regard to case in one condition: each is a clause, and queries have a limit."""

MOST_NETWORKS = 200
"""Networks in one condition, likewise."""


def is_enumerated(leaf: Leaf, profile: Profile) -> bool:
    """Whether the condition is answered by looking at the field's values."""
    if isinstance(leaf, Wildcard | Regex):
        return resolve(leaf.field).field.kind in (Kind.INTEGER, Kind.BOOLEAN)
    if isinstance(leaf, InNetwork):
        network = profile.paths(resolve(leaf.field)).network
        return not network or len(leaf.networks) > MOST_NETWORKS
    if isinstance(leaf, OneOf):
        if needs_narrowing(leaf):
            return True
        return leaf.ignore_case and sum(has_letters(str(one)) for one in leaf.values) > MOST_FOLDED
    return False


def without_enumerated(query: Query, profile: Profile) -> Query:
    """The query with the field's presence in the place of such conditions, to be compiled
    before anything is asked; the same one when it has none.

    :raises UnsupportedQuery: when a field's values cannot be asked for.
    """
    found = looked_up(query, profile)
    if not found:
        return query
    for leaf in found:
        grouped(leaf.field, profile)
        _test(leaf)

    def stand_in(leaf: Leaf) -> Condition:
        return Present(leaf.field) if leaf in found else leaf

    return replace(query, where=rewritten(query.where, stand_in))


def enumerated(
    query: Query, profile: Profile, session: Session, compiler: ConditionCompiler
) -> Query:
    """The query with the values that such conditions hold for."""
    found = looked_up(query, profile)
    if not found:
        return query
    session.hold()
    events = compiler.events(replace(query, where=Always()))
    of_fields: dict[str, list[Leaf]] = {}
    for leaf in found:
        of_fields.setdefault(grouped(leaf.field, profile).group, []).append(leaf)
    kept: dict[Leaf, OneOf] = {}
    for group, asked in of_fields.items():
        composite = Composite(session, events, [Source({"terms": {"field": group}})])
        for leaf, values in zip(asked, _held(composite, asked), strict=True):
            if len(values) > MOST_TERMS:
                raise UnsupportedQuery(
                    f"{leaf.field}: the condition holds for more than {MOST_TERMS:,} values, too "
                    "many for a cluster.",
                    remedy="Ask for less time, or for equality.",
                )
            kept[leaf] = OneOf(leaf.field, tuple(values))
    return replace(query, where=rewritten(query.where, lambda leaf: kept.get(leaf, leaf)))


def looked_up(query: Query, profile: Profile) -> list[Leaf]:
    """Such conditions of a query, each once."""
    every = dict.fromkeys(leaves(query.where))
    return [leaf for leaf in every if is_enumerated(leaf, profile)]


def _held(composite: Composite, asked: Sequence[Leaf]) -> list[list[Any]]:
    """The values that each of some conditions of one field holds for, in one pass over them."""
    tests = [_test(leaf) for leaf in asked]
    held: list[list[Any]] = [[] for _ in asked]
    for (value,), _ in composite.buckets():
        for test, values in zip(tests, held, strict=True):
            if test(value):
                values.append(value)
    return held


def _test(leaf: Leaf) -> Callable[[Any], bool]:
    """The condition as a test of one value."""
    if isinstance(leaf, InNetwork | OneOf):
        return membership(leaf)
    if isinstance(leaf, Regex):
        found = compiled(leaf.pattern, ignore_case=leaf.ignore_case)
        return lambda value: found.search(_text(value)) is not None
    if isinstance(leaf, Wildcard):
        flags = re.DOTALL | (re.IGNORECASE | re.ASCII if leaf.ignore_case else 0)
        pattern = re.compile(to_regex(tokens(leaf.pattern)), flags)
        return lambda value: pattern.fullmatch(_text(value)) is not None
    raise TypeError(type(leaf).__name__)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
