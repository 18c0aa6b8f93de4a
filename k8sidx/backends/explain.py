"""What an engine would ask its store, as text for people.

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


def statement_text(sql: str, parameters: Sequence[Any], looked_up: Iterable[Leaf]) -> str:
    """A statement and its parameters.

    :param looked_up: comparisons whose values are asked for before.
    """
    lines = [f"-- {one}" for one in _lookups(looked_up, "IS NOT NULL")]
    return "\n".join([*lines, laid_out(sql), "-- Parameters, in order:", _json(list(parameters))])


def request_text(
    path: str, body: Mapping[str, Any], looked_up: Iterable[Leaf], *, held: bool
) -> str:
    """A search as consoles of the products take it.

    :param looked_up: comparisons whose values are asked for before.
    :param held: several searches are made, of one state of the indices.
    """
    lines = [f"# {one}" for one in _lookups(looked_up, "exists")]
    if held:
        lines.append("# The first of several searches, all over one point in time.")
    return "\n".join([*lines, f"POST {path}", _json(body)])


def laid_out(sql: str) -> str:
    """A statement with each clause on a line of its own, subqueries indented."""
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


def _lookups(looked_up: Iterable[Leaf], stands: str) -> list[str]:
    return [
        f"The values of {name} are looked up first; below, {stands} is in the place of those "
        "that the condition holds for."
        for name in dict.fromkeys(leaf.field for leaf in looked_up)
    ]


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=True)
