"""Conditions → queries of OpenSearch and Elasticsearch, for filter context.

Values only ever become values of a query's JSON, never a query text.
"""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import Any

from elasticsearch.dsl import query as dsl

from k8sidx.backends.cluster.engine.regex import lucene
from k8sidx.backends.cluster.index.document import document_id
from k8sidx.backends.cluster.schema.profile import ID, TIME, Paths, Profile
from k8sidx.errors import UnsupportedQuery
from k8sidx.events.fields.lookup import resolve
from k8sidx.events.fields.moment import to_micros
from k8sidx.events.fields.table import Kind
from k8sidx.query.algebra import (
    COMPARED,
    Always,
    And,
    Compare,
    Comparison,
    Condition,
    InNetwork,
    Leaf,
    Not,
    OneOf,
    Or,
    Present,
    Query,
    Regex,
    Scalar,
    Wildcard,
)
from k8sidx.query.casefold import has_letters
from k8sidx.query.coerce import coerce
from k8sidx.query.networks import address_text, ranges
from k8sidx.query.simplify import gathered
from k8sidx.query.wildcard import literal

MOST_TERMS = 50_000
"""Values in one terms query; indices take 65,536 by default (index.max_terms_count)."""
LOWEST, HIGHEST = -(2**63), 2**63 - 1

_BOUNDS: dict[Comparison, str] = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
_HEX_ID = re.compile(r"[0-9a-f]{32}")

NOTHING = dsl.MatchNone()
EVERYTHING = dsl.MatchAll()


class ConditionCompiler:
    """Compiles the conditions of queries over one kind of index."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile

    def events(self, query: Query) -> dsl.Query:
        """Return the query that selects the events.

        :raises UnsupportedQuery: when a cluster cannot select them.
        """
        bounds: list[Condition] = []
        if query.since is not None:
            bounds.append(Compare(TIME, ">=", query.since.isoformat()))
        if query.until is not None:
            bounds.append(Compare(TIME, "<", query.until.isoformat()))
        events = self.condition(And((*bounds, query.where)))
        return events if isinstance(events, dsl.MatchAll) else dsl.Bool(filter=[events])

    def condition(self, condition: Condition) -> dsl.Query:
        """Return the condition as a query."""
        if isinstance(condition, Always):
            return EVERYTHING
        if isinstance(condition, And):
            return self._all(condition)
        if isinstance(condition, Or):
            return self._any(condition)
        if isinstance(condition, Not):
            return _inverted(self.condition(condition.condition))
        return self._leaf(condition)

    def _all(self, condition: And) -> dsl.Query:
        parts: list[dsl.Query] = []
        without: list[dsl.Query] = []
        for part in condition.conditions:
            if isinstance(part, Not):
                without.append(self.condition(part.condition))
            else:
                parts.append(self.condition(part))
        parts = [part for part in parts if not isinstance(part, dsl.MatchAll)]
        without = [part for part in without if not isinstance(part, dsl.MatchNone)]
        if not without and len(parts) < 2:
            return parts[0] if parts else EVERYTHING
        return dsl.Bool(**_given(filter=parts, must_not=without))

    def _any(self, condition: Or) -> dsl.Query:
        # One list for equalities of one field: a query has a limited number of clauses.
        alternatives = gathered(_unnested(part) for part in condition.conditions)
        parts = [self.condition(part) for part in alternatives]
        parts = [part for part in parts if not isinstance(part, dsl.MatchNone)]
        if len(parts) < 2:
            return parts[0] if parts else NOTHING
        return dsl.Bool(should=parts, minimum_should_match=1)

    def _leaf(self, leaf: Leaf) -> dsl.Query:
        path = resolve(leaf.field)
        if (rewritten := self._profile.rewrite(leaf)) is not None:
            return self.condition(rewritten)
        paths = self._profile.paths(path)
        if path.field.name == ID and paths.query == "_id":
            return _of_id(leaf)
        if not paths.query:
            raise UnsupportedQuery(
                paths.lack or f"{leaf.field} is kept in the cluster, but cannot be searched there.",
                remedy="docs/fields.md lists the fields that are promoted from it.",
            )
        if isinstance(leaf, Present):
            return dsl.Exists(field=paths.query)
        if isinstance(leaf, Compare):
            return self._compare(leaf, paths)
        if isinstance(leaf, OneOf):
            return self._one_of(leaf, paths)
        if isinstance(leaf, InNetwork):
            return _in_network(leaf, paths)
        _need_text(leaf, paths)
        if isinstance(leaf, Wildcard):
            plain = literal(leaf.pattern)
            if plain is not None:  # Lucene's empty pattern does not match the empty text.
                return dsl.Term(paths.query, _cased(plain, leaf.ignore_case))
            return dsl.Wildcard(paths.query, _cased(leaf.pattern, leaf.ignore_case))
        expression = lucene(leaf.pattern, ignore_case=leaf.ignore_case)
        return dsl.Regexp(paths.query, {"value": expression, "flags": "NONE"})

    def _compare(self, leaf: Compare, paths: Paths) -> dsl.Query:
        wanted = coerce(resolve(leaf.field).field, leaf.value)
        if wanted is None:
            return NOTHING
        if isinstance(wanted, datetime):
            return _numbers(paths, leaf.op, to_micros(wanted))
        if paths.kind is Kind.BOOLEAN:
            holds = [value for value in (False, True) if COMPARED[leaf.op](value, wanted)]
            return dsl.Terms(paths.query, holds) if holds else NOTHING
        if paths.kind is Kind.INTEGER and isinstance(wanted, int | float):
            return _numbers(paths, leaf.op, wanted)
        text = str(wanted)
        if leaf.op == "=":
            return dsl.Term(paths.query, _cased(text, leaf.ignore_case))
        if leaf.ignore_case and has_letters(text):
            raise UnsupportedQuery(
                f"{leaf.field} {leaf.op} {text!r} without regard to case cannot be asked of a "
                "cluster."
            )
        return dsl.Range(paths.query, {_BOUNDS[leaf.op]: text})

    def _one_of(self, leaf: OneOf, paths: Paths) -> dsl.Query:
        """Match any of the values; exact ones, and those without letters, in one query."""
        exact: list[Any] = []
        rest: list[dsl.Query] = []
        for value in dict.fromkeys(leaf.values):
            equality = Compare(leaf.field, "=", value, leaf.ignore_case)
            if paths.kind in (Kind.KEYWORD, Kind.ADDRESS) and not folds(equality):
                exact.append(_text_of(equality))
            elif paths.kind is Kind.INTEGER and (number := _whole(equality)) is not None:
                exact.append(number)
            else:
                rest.append(self._compare(equality, paths))
        batches = [exact[at : at + MOST_TERMS] for at in range(0, len(exact), MOST_TERMS)]
        parts = [dsl.Terms(paths.query, batch) for batch in batches] + rest
        parts = [part for part in parts if not isinstance(part, dsl.MatchNone)]
        if len(parts) < 2:
            return parts[0] if parts else NOTHING
        return dsl.Bool(should=parts, minimum_should_match=1)


def folds(leaf: Compare) -> bool:
    """Whether the case makes a difference that is to be ignored."""
    return leaf.ignore_case and has_letters(str(leaf.value))


def _text_of(leaf: Compare) -> str:
    return str(coerce(resolve(leaf.field).field, leaf.value))


def _whole(leaf: Compare) -> int | None:
    """Return the number that is compared with, if it fits a field."""
    wanted = coerce(resolve(leaf.field).field, leaf.value)
    whole = isinstance(wanted, int) and LOWEST <= wanted <= HIGHEST
    return int(wanted) if whole and isinstance(wanted, int) else None


def _unnested(condition: Condition) -> Condition:
    """Return the condition without an And or Or that has no second one."""
    while isinstance(condition, And | Or) and len(condition.conditions) == 1:
        condition = condition.conditions[0]
    return condition


def _inverted(query: dsl.Query) -> dsl.Query:
    if isinstance(query, dsl.MatchAll):
        return NOTHING
    if isinstance(query, dsl.MatchNone):
        return EVERYTHING
    return dsl.Bool(must_not=[query])


def _given(**clauses: list[dsl.Query]) -> dict[str, Any]:
    return {name: queries for name, queries in clauses.items() if queries}


def _cased(value: str, ignore_case: bool) -> dict[str, Any]:
    """Both products fold ASCII letters only in these queries (not in regexp)."""
    if ignore_case and has_letters(value):
        return {"value": value, "case_insensitive": True}
    return {"value": value}


def _numbers(paths: Paths, op: Comparison, wanted: int | float) -> dsl.Query:
    """Return a comparison of whole numbers as an inclusive range of stored numbers."""
    if isinstance(wanted, float) and math.isnan(wanted):
        wanted = math.inf  # DuckDB holds it for greater than every number.
    low, high = LOWEST, HIGHEST
    if op in (">", ">=", "="):
        low = _least(wanted, paths.unit, above=op == ">")
    if op in ("<", "<=", "="):
        high = _most(wanted, paths.unit, below=op == "<")
    low, high = max(low, LOWEST), min(high, HIGHEST)
    if low > high:
        return NOTHING
    bounds: dict[str, Any] = {}
    if low > LOWEST:
        bounds["gte"] = low
    if high < HIGHEST:
        bounds["lte"] = high
    if not bounds:
        return dsl.Exists(field=paths.query)
    if low == high and paths.unit == 1:
        return dsl.Term(paths.query, {"value": low})
    if paths.unit != 1:
        bounds["format"] = "epoch_millis"
    return dsl.Range(paths.query, bounds)


def _least(wanted: int | float, unit: int, *, above: bool) -> int:
    """Return the smallest stored number that is at least (or above) the wanted one."""
    if isinstance(wanted, float):
        if math.isinf(wanted):
            return HIGHEST + 1 if wanted > 0 else LOWEST
        whole = math.ceil(wanted)
        above, wanted = above and whole == wanted, whole
    return wanted // unit + 1 if above else -(-wanted // unit)


def _most(wanted: int | float, unit: int, *, below: bool) -> int:
    """Return the largest stored number that is at most (or below) the wanted one."""
    if isinstance(wanted, float):
        if math.isinf(wanted):
            return HIGHEST if wanted > 0 else LOWEST - 1
        whole = math.floor(wanted)
        below, wanted = below and whole == wanted, whole
    return -(-wanted // unit) - 1 if below else wanted // unit


def _in_network(leaf: InNetwork, paths: Paths) -> dsl.Query:
    if not paths.network:
        raise UnsupportedQuery(f"{leaf.field} is no address in this index.")
    parts: list[dsl.Query] = []
    for network in (network for text in leaf.networks for network in ranges(text)):
        bounds = {"gte": address_text(network.first), "lte": address_text(network.last)}
        parts.append(dsl.Range(paths.network, bounds))
    if len(parts) < 2:
        return parts[0] if parts else NOTHING
    return dsl.Bool(should=parts, minimum_should_match=1)


def _need_text(leaf: Wildcard | Regex, paths: Paths) -> None:
    if paths.kind is Kind.TIME:
        raise UnsupportedQuery(f"{leaf.field} is a time and has no pattern")
    if paths.kind not in (Kind.KEYWORD, Kind.ADDRESS):
        raise UnsupportedQuery(f"{leaf.field} holds no text in a cluster.")


def _of_id(leaf: Leaf) -> dsl.Query:
    """Return the condition on the id of the document, which is the id of the event."""
    if isinstance(leaf, Present):
        return EVERYTHING
    if isinstance(leaf, Compare) and leaf.op == "=":
        values: tuple[Scalar, ...] = (leaf.value,)
    elif isinstance(leaf, OneOf):
        values = leaf.values
    else:
        raise UnsupportedQuery(f"{leaf.field} can only be compared for equality in a cluster.")
    texts = [str(value).lower() if leaf.ignore_case else str(value) for value in values]
    identifiers = [text for text in texts if _HEX_ID.fullmatch(text)]
    ids = [document_id(bytes.fromhex(text)).decode() for text in identifiers]
    return dsl.Ids(values=ids) if ids else NOTHING
