"""Full-text search over all fields and bodies of events.

An engine searches what it can; fields that it stores without an index (the bodies in a
cluster) are read page by page, the newest events first, until there are enough results.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from k8sidx.backends.protocol import StoreEngine
from k8sidx.errors import UnsupportedQuery, UsageError
from k8sidx.events.fields.names import EVENT_ID
from k8sidx.events.fields.table import Kind
from k8sidx.events.normalize.reconstruct import MOVED, REST
from k8sidx.insights.execute.pages import Pages
from k8sidx.investigate.requests import COLUMNS, Request, count_events, read_rows, request_of
from k8sidx.investigate.scope import CLUSTER, Period
from k8sidx.query.algebra import (
    Always,
    And,
    Compare,
    Condition,
    InNetwork,
    OneOf,
    Or,
    Order,
    Query,
    Regex,
    Wildcard,
)
from k8sidx.query.regex import compiled, escape
from k8sidx.query.wildcard import escape as escape_wildcard

_TEXTS = tuple(
    field.name
    for field in MOVED
    if field.kind is Kind.KEYWORD and field.name not in ("stage", "level")
)
_OBJECTS = (*(field.name for field in MOVED if field.kind is Kind.JSON), REST)
_DERIVED = ("target.name", CLUSTER)
_REGEX = re.compile(r"/(.*)/(i?)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Term:
    """A word or a regular expression to search for.

    :param pattern: in RE2's syntax; ``word`` the literal text, empty for an expression.
    """

    word: str
    pattern: str
    ignore_case: bool


@dataclass(frozen=True, slots=True)
class Hits:
    """Results of a search, the latest first.

    :param events: number of events that match, where the engine counted them.
    :param scanned: events that were read one by one because the engine cannot search them.
    :param unread: events that were not, because there were enough results before.
    """

    rows: tuple[Request, ...]
    events: int | None
    scanned: int = 0
    unread: int = 0


def parse_term(text: str) -> Term:
    """Parse ``WORD``, ``/regex/`` or ``/regex/i``; words ignore case.

    :raises UsageError: when the term is empty, or not a valid expression.
    """
    match = _REGEX.fullmatch(text)
    if match and match[1]:
        compiled(match[1], ignore_case=bool(match[2]))
        return Term("", match[1], bool(match[2]))
    if not text.strip() or match:
        raise UsageError("there is nothing to search for.", remedy="Write a word or /regex/.")
    return Term(text, escape(text), ignore_case=True)


def search(
    engine: StoreEngine,
    terms: Sequence[Term],
    period: Period,
    *,
    limit: int,
    indexed: bool = False,
) -> Hits:
    """Return the latest events that contain all terms.

    :param limit: events to return at most.
    :param indexed: leave out bodies and other objects, which a cluster stores without an index.
    :raises UsageError: when an expression is not valid.
    :raises StoreError: when the store cannot be read.
    """
    where = And(tuple(_anywhere(term, () if indexed else _OBJECTS) for term in terms))
    try:
        rows = read_rows(engine, where, period, COLUMNS, limit=limit)
        events = len(rows) if len(rows) < limit else count_events(engine, where, period)
    except UnsupportedQuery:
        if indexed:
            raise
        return _scan(engine, terms, period, limit)
    return Hits(tuple(map(request_of, rows)), events)


def _anywhere(term: Term, objects: Sequence[str]) -> Condition:
    """Return the condition that a term is in any field."""
    # Quotes and backslashes are escaped in JSON, other characters are as they are.
    written = json.dumps(term.word, ensure_ascii=False)[1:-1]
    return Or(
        (
            *(_in_field(term, field, term.word) for field in (*_TEXTS, *_DERIVED)),
            *(_in_field(term, field, written) for field in objects),
            *_of_numbers(term),
        )
    )


def _in_field(term: Term, field: str, word: str) -> Condition:
    if not term.word:
        return Regex(field, term.pattern, ignore_case=term.ignore_case)
    return Wildcard(field, f"*{escape_wildcard(word)}*", ignore_case=True)


def _of_numbers(term: Term) -> list[Condition]:
    """Return the conditions for fields that are not texts: status codes and addresses."""
    conditions: list[Condition] = []
    if re.fullmatch("[0-9]{3}", term.word):
        conditions.append(Compare("responseStatus.code", "=", int(term.word)))
    try:
        network = str(ipaddress.ip_network(term.word, strict=False))
        conditions.append(InNetwork("sourceIPs", (network,)))
    except ValueError:
        if not term.word or re.fullmatch("[0-9a-fA-F.:]+", term.word):
            conditions.append(_in_field(term, "sourceIPs", term.word))
    return conditions


def _scan(engine: StoreEngine, terms: Sequence[Term], period: Period, limit: int) -> Hits:
    """Read the events and search them here."""
    names = (*_TEXTS, *_DERIVED, *_OBJECTS, "sourceIPs", "responseStatus.code")
    query = Query(
        where=Always(),
        since=period.since,
        until=period.until,
        select=(EVENT_ID, *names),
        order=(Order("@timestamp", descending=True),),
    )
    pages = Pages(query, engine)
    tests = [_test(term) for term in terms]
    ids: list[str] = []
    scanned = 0
    for page in pages:
        for identifier, *values in engine.run(page).rows:
            scanned += 1
            texts = [text for value in values for text in _texts(value)]
            if all(any(test(text) for text in texts) for test in tests):
                ids.append(str(identifier))
        if len(ids) >= limit:
            break
    unread = pages.count - scanned
    events = None if unread or len(ids) > limit else len(ids)
    if not ids:
        return Hits((), events, scanned, unread)
    where = OneOf(EVENT_ID, tuple(ids[:limit]))
    rows = read_rows(engine, where, period, COLUMNS, limit=limit)
    return Hits(tuple(map(request_of, rows)), events or len(ids), scanned, unread)


def _test(term: Term) -> Callable[[str], bool]:
    pattern = compiled(term.pattern, ignore_case=term.ignore_case)
    if not term.word:
        return lambda text: pattern.search(text) is not None
    written = compiled(escape(json.dumps(term.word, ensure_ascii=False)[1:-1]), ignore_case=True)
    return lambda text: pattern.search(text) is not None or written.search(text) is not None


def _texts(value: Any) -> list[str]:
    if value is None:
        return []
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    if isinstance(value, bytes):
        return [value.decode("utf-8", "replace")]
    return [str(value)]
