"""Conditions that an index cannot look up, by the values that it has.

Patterns over numbers, networks over single elements of a list, long lists of networks or
texts: the field's distinct values are asked for and looked at here, and the
condition becomes the values that it holds for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from k8sidx.backends.cluster.engine.composite import Composite, Source, grouped
from k8sidx.backends.cluster.engine.filters import MOST_TERMS, ConditionCompiler
from k8sidx.backends.cluster.engine.session import Session
from k8sidx.backends.cluster.schema.profile import Profile
from k8sidx.backends.materialize import (
    is_large,
    materialize,
    membership,
    selected_leaves,
    with_placeholders,
)
from k8sidx.events.fields.lookup import resolve
from k8sidx.events.fields.table import Kind
from k8sidx.query.algebra import (
    Always,
    InNetwork,
    Leaf,
    OneOf,
    Query,
    Regex,
    Wildcard,
)
from k8sidx.query.casefold import has_letters
from k8sidx.query.regex import compiled
from k8sidx.query.wildcard import to_regex, tokens

MOST_FOLDED = 200
"""Texts without regard to case in one condition: each is a clause, and queries have a limit."""

MOST_NETWORKS = 200
"""Networks in one condition, likewise."""


def needs_lookup(leaf: Leaf, profile: Profile) -> bool:
    """Whether evaluating the condition needs the distinct values of its field."""
    if isinstance(leaf, Wildcard | Regex):
        return resolve(leaf.field).field.kind in (Kind.INTEGER, Kind.BOOLEAN)
    if isinstance(leaf, InNetwork):
        network = profile.paths(resolve(leaf.field)).network
        return not network or len(leaf.networks) > MOST_NETWORKS
    if isinstance(leaf, OneOf):
        if is_large(leaf):
            return True
        return (
            leaf.ignore_case and sum(has_letters(str(value)) for value in leaf.values) > MOST_FOLDED
        )
    return False


def with_lookups_deferred(query: Query, profile: Profile) -> Query:
    """Return the query with placeholders for conditions that need a lookup, to be compiled
    before the first request; the same object when it has none.

    :raises UnsupportedQuery: when a field's values cannot be listed.
    """
    leaves = lookups(query, profile)
    if not leaves:
        return query
    for leaf in leaves:
        grouped(leaf.field, profile)
        _test(leaf)
    return query.replace(where=with_placeholders(query.where, leaves.__contains__))


def with_lookups_done(
    query: Query, profile: Profile, session: Session, compiler: ConditionCompiler
) -> Query:
    """Replace each condition that needs a lookup by the values that it holds for.

    :raises UnsupportedQuery: when a condition holds for too many.
    """
    leaves = lookups(query, profile)
    if not leaves:
        return query
    session.pin()
    events = compiler.events(query.replace(where=Always()))

    def distinct(field: str) -> Iterator[Any]:
        source = Source({"terms": {"field": grouped(field, profile).group}})
        return (value for (value,), _ in Composite(session, events, [source]).buckets())

    where = materialize(query.where, leaves.__contains__, distinct, test_of=_test, most=MOST_TERMS)
    return query.replace(where=where)


def lookups(query: Query, profile: Profile) -> list[Leaf]:
    """Return the conditions of a query that need a lookup, each once."""
    return selected_leaves(query.where, lambda leaf: needs_lookup(leaf, profile))


def _test(leaf: Leaf) -> Callable[[Any], bool]:
    """Return the condition as a test of a single value."""
    if isinstance(leaf, InNetwork | OneOf):
        return membership(leaf)
    if isinstance(leaf, Regex):
        expression = compiled(leaf.pattern, ignore_case=leaf.ignore_case)
        return lambda value: expression.search(_text(value)) is not None
    if isinstance(leaf, Wildcard):
        flags = re.DOTALL | (re.IGNORECASE | re.ASCII if leaf.ignore_case else 0)
        pattern = re.compile(to_regex(tokens(leaf.pattern)), flags)
        return lambda value: pattern.fullmatch(_text(value)) is not None
    raise TypeError(type(leaf).__name__)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
