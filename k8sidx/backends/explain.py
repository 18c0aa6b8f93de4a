"""Statements and searches as text for people.

Values of a query are text that anybody may have written: as JSON in ASCII they cannot do
anything to a terminal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from k8sidx.query.algebra import Leaf

_INDENT = "  "
_TOKENS = re.compile(
    r"""
    (?P<quoted> '(?:[^']|'')*' | "(?:[^"]|"")*" )
    | (?P<open> \( (?P<inner> (?=SELECT\b) )? )
    | (?P<close> \) )
    | \ (?P<clause> (?:FROM|WHERE|AND|GROUP\ BY|ORDER\ BY|LIMIT|LEFT\ JOIN|INNER\ JOIN)\b )
    """,
    re.VERBOSE,
)


def statement_text(sql: str, parameters: Sequence[Any], lookups: Iterable[Leaf]) -> str:
    """Return a statement and its parameters as text.

    :param lookups: comparisons whose values are queried before.
    """
    lines = [f"-- {line}" for line in _lookups(lookups, "IS NOT NULL")]
    shown = [
        f"a list of {len(each):,} values" if isinstance(each, list) else each for each in parameters
    ]
    return "\n".join([*lines, pretty_sql(sql), "-- Parameters, in order:", _json(shown)])


def request_text(
    path: str, body: Mapping[str, Any], lookups: Iterable[Leaf], *, pinned: bool
) -> str:
    """Return a search in the form that the products' consoles accept.

    :param lookups: comparisons whose values are queried before.
    :param pinned: several searches are sent, over one point in time.
    """
    lines = [f"# {line}" for line in _lookups(lookups, "exists")]
    if pinned:
        lines.append("# The first of several searches, all over one point in time.")
    return "\n".join([*lines, f"POST {path}", _json(body)])


def pretty_sql(sql: str) -> str:
    """Return a statement with each clause on a line of its own, subqueries indented."""
    inner: list[bool] = []

    def change(token: re.Match[str]) -> str:
        if token["open"]:
            inner.append(token["inner"] is not None)
            return "(" + _line(inner) if inner[-1] else "("
        if token["close"]:
            return _line(inner) + ")" if inner.pop() else ")"
        if token["clause"] and (not inner or inner[-1]):
            return _line(inner) + token["clause"]
        return token[0]

    def _line(inner: Sequence[bool]) -> str:
        return "\n" + _INDENT * sum(inner)

    return _TOKENS.sub(change, sql)


def _lookups(lookups: Iterable[Leaf], placeholder: str) -> list[str]:
    return [
        f"The values of {name} are looked up first; below, {placeholder} is in the place of those "
        "that the condition holds for."
        for name in dict.fromkeys(leaf.field for leaf in lookups)
    ]


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=True)
