"""Canonical text of a question, from which the names of stored summaries are made.

Stores of every earlier version name their summaries by this text: a change of a single character
orphans them, and they would be rebuilt, without an error. Names and order of what is written
here are therefore part of the stored format and must not follow those in the code. Texts and
numbers are written as Python's ``repr`` writes them, which is what the first versions did.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any

from k8sidx.query.algebra import (
    Always,
    And,
    Compare,
    DateHistogram,
    Having,
    InNetwork,
    Metric,
    Not,
    OneOf,
    Or,
    Order,
    Present,
    Query,
    Regex,
    Terms,
    Wildcard,
)

VERSION = 1
"""Raise it when the same question gets another answer from the same events."""


@lru_cache(maxsize=256)
def digest_of(question: Query) -> str:
    """Return the name of a question: 32 hexadecimal digits, different for every other question."""
    text = f"{VERSION} {canonical_text(question)}"
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def canonical_text(value: Any) -> str:
    """Return the text that stands for a query or a part of one.

    :raises TypeError: for anything that has no place in a query.
    """
    match value:
        case None | str() | bool() | int() | float() | datetime() | timedelta():
            return repr(value)
        case tuple():
            members = ", ".join(map(canonical_text, value))
            return f"({members},)" if len(value) == 1 else f"({members})"
        case Query():
            return _query(value)
        case Terms(field, name, keep_missing):
            return _record("Terms", field=field, name=name, keep_missing=keep_missing)
        case DateHistogram(interval, name, offset, keep_missing):
            return _record(
                "DateHistogram",
                interval=interval, name=name, offset=offset, keep_missing=keep_missing,
            )  # fmt: skip
        case Metric(name, kind, field, argument):
            return _record("Metric", name=name, kind=kind, field=field, argument=argument)
        case Having(metric, op, compared):
            return _record("Having", metric=metric, op=op, value=compared)
        case Order(column, descending):
            return _record("Order", column=column, descending=descending)
    return _condition(value)


def _query(query: Query) -> str:
    return _record(
        "Query",
        where=query.where,
        since=query.since,
        until=query.until,
        select=query.select,
        group_by=query.group_by,
        metrics=query.metrics,
        having=query.having,
        order=query.order,
        limit=query.limit,
    )


def _condition(condition: Any) -> str:
    match condition:
        case Always():
            return _record("Always")
        case And(conditions):
            return _record("And", conditions=conditions)
        case Or(conditions):
            return _record("Or", conditions=conditions)
        case Not(negated):
            return _record("Not", condition=negated)
        case Compare(field, op, value, ignore_case):
            return _record("Compare", field=field, op=op, value=value, ignore_case=ignore_case)
        case OneOf(field, values, ignore_case):
            return _record("OneOf", field=field, values=values, ignore_case=ignore_case)
        case Wildcard(field, pattern, ignore_case):
            return _record("Wildcard", field=field, pattern=pattern, ignore_case=ignore_case)
        case Regex(field, pattern, ignore_case):
            return _record("Regex", field=field, pattern=pattern, ignore_case=ignore_case)
        case InNetwork(field, networks):
            return _record("InNetwork", field=field, networks=networks)
        case Present(field):
            return _record("Present", field=field)
    raise TypeError(f"{type(condition).__name__} is not a part of a query")


def _record(kind: str, /, **members: Any) -> str:
    written = ", ".join(f"{name}={canonical_text(value)}" for name, value in members.items())
    return f"{kind}({written})"
