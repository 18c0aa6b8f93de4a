"""Conditions that an index cannot look up, by the values that it has.

Patterns over numbers, networks over single elements of a list, long lists of networks or
texts: the field's distinct values are asked for and looked at here, and the
condition becomes the values that it holds for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from k8sidx.cluster.profile import Profile
from k8sidx.engine.narrow import membership, needs_narrowing
from k8sidx.engine.search_conditions import MOST_TERMS, ConditionCompiler, folds
from k8sidx.engine.search_groups import Composite, Source, grouped
from k8sidx.engine.search_regex import compiled
from k8sidx.engine.search_session import Session
from k8sidx.errors import UnsupportedQuery
from k8sidx.fields.lookup import resolve
from k8sidx.fields.table import Kind
from k8sidx.query.algebra import (
    Always,
    Compare,
    Condition,
    InNetwork,
    Leaf,
    OneOf,
    Query,
    Regex,
    Wildcard,
    leaves,
    rewritten,
)

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
        folded = sum(folds(Compare(leaf.field, "=", one, leaf.ignore_case)) for one in leaf.values)
        return needs_narrowing(leaf) or folded > MOST_FOLDED
    return False


def without_enumerated(query: Query, profile: Profile) -> Query:
    """The query without such conditions, to be compiled before anything is asked; the same
    one when it has none.

    :raises UnsupportedQuery: when a field's values cannot be asked for.
    """
    found = [leaf for leaf in leaves(query.where) if is_enumerated(leaf, profile)]
    if not found:
        return query
    for leaf in found:
        grouped(leaf.field, profile)
        _test(leaf)
    return replace(query, where=rewritten(query.where, lambda leaf: _nothing(leaf, profile)))


def enumerated(
    query: Query, profile: Profile, session: Session, compiler: ConditionCompiler
) -> Query:
    """The query with the values that such conditions hold for."""
    found = {leaf for leaf in leaves(query.where) if is_enumerated(leaf, profile)}
    if not found:
        return query
    session.hold()
    events = compiler.events(replace(query, where=Always()))
    kept: dict[Leaf, OneOf] = {}
    for leaf in found:
        paths = grouped(leaf.field, profile)
        composite = Composite(session, events, [Source({"terms": {"field": paths.group}})])
        test = _test(leaf)
        values = [key[0] for key, _ in composite.buckets() if test(key[0])]
        if len(values) > MOST_TERMS:
            raise UnsupportedQuery(
                f"{leaf.field}: the condition holds for more than {MOST_TERMS:,} values, too many "
                "for a cluster.",
                remedy="Ask for less time, or for equality.",
            )
        kept[leaf] = OneOf(leaf.field, tuple(values))
    return replace(query, where=rewritten(query.where, lambda leaf: kept.get(leaf, leaf)))


def _nothing(leaf: Leaf, profile: Profile) -> Condition:
    return Always() if is_enumerated(leaf, profile) else leaf


def _test(leaf: Leaf) -> Callable[[Any], bool]:
    """The condition as a test of one value."""
    if isinstance(leaf, InNetwork | OneOf):
        return membership(leaf)
    if isinstance(leaf, Regex):
        found = compiled(leaf.pattern, ignore_case=leaf.ignore_case)
        return lambda value: found.search(_text(value)) is not None
    if isinstance(leaf, Wildcard):
        flags = re.DOTALL | (re.IGNORECASE | re.ASCII if leaf.ignore_case else 0)
        pattern = re.compile("".join(_wildcard(leaf.pattern)), flags)
        return lambda value: pattern.fullmatch(_text(value)) is not None
    raise TypeError(type(leaf).__name__)


def _wildcard(pattern: str) -> Iterator[str]:
    characters = iter(pattern)
    for one in characters:
        if one == "\\":
            yield re.escape(next(characters, "\\"))
        else:
            yield {"*": ".*", "?": "."}.get(one, re.escape(one))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
