"""Regular expressions (RE2), and the patterns with ``*`` of ``parse``."""

from __future__ import annotations

import re

from k8sidx.insights.language.ast import Literal, Parse, Pattern
from k8sidx.insights.language.diagnostics import QueryError
from k8sidx.query.regex import InvalidRegex, compiled, escape

_NAMED = re.compile(r"(\\.|\[\^?\]?(?:\\.|[^\]\\])*\])|\(\?<(?=[A-Za-z_])", re.DOTALL)
"""Named groups in the short form; not within a set, nor after a backslash."""


def checked_regex(pattern: Pattern) -> str:
    """Return the regular expression with its named groups as RE2 and Python both write them.

    :raises QueryError: when RE2 does not accept it.
    """
    text = _NAMED.sub(lambda match: match[1] or "(?P<", pattern.text)
    try:
        compiled(text)
    except InvalidRegex as error:
        raise QueryError(
            f"/{pattern.text}/ is not a valid regular expression: {error.message}",
            pattern.position,
            remedy="Write it in RE2 syntax, without looking ahead or back.",
        ) from None
    return text


def groups_of(command: Parse) -> tuple[str, list[tuple[int, str]]]:
    """Return the regular expression of a ``parse``, and its groups with their column names.

    :raises QueryError: when the numbers of names and of places for them differ.
    """
    if isinstance(command.pattern, Literal):
        return _of_stars(command, str(command.pattern.value))
    text = checked_regex(command.pattern)
    expression = compiled(text)
    named = {group: name for name, group in expression.groupindex.items()}
    unnamed = [group for group in range(1, expression.groups + 1) if group not in named]
    if len(unnamed) != len(command.names):
        raise QueryError(
            f"groups without a name: {len(unnamed)}, names after as: {len(command.names)}",
            command.pattern.position,
            remedy="Write groups as (?<name>…), or (?:…) where nothing is to be kept.",
        )
    if not expression.groups:
        raise QueryError(
            "the expression has no group to keep",
            command.pattern.position,
            remedy="Write (?<name>…).",
        )
    named.update(zip(unnamed, command.names, strict=True))
    return text, sorted(named.items())


def _of_stars(command: Parse, text: str) -> tuple[str, list[tuple[int, str]]]:
    first, *others = text.split("*")
    if len(others) != len(command.names):
        raise QueryError(
            f"* in the pattern: {len(others)}, names after as: {len(command.names)}",
            command.pattern.position,
        )
    expression = escape(first)
    for number, part in enumerate(others, 1):
        is_rest = number == len(others) and not part
        expression += ("(.*)" if is_rest else "(.*?)") + escape(part)
    return f"(?s){expression}", list(enumerate(command.names, 1))
