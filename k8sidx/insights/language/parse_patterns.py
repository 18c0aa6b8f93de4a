"""Regular expressions (RE2) and the patterns with ``*`` of ``parse``."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import re2  # type: ignore[import-untyped]

from k8sidx.insights.language.ast import Literal, Parse, Pattern
from k8sidx.insights.language.diagnostics import QueryError

_NAMED = re.compile(r"(\\.|\[\^?\]?(?:\\.|[^\]\\])*\])|\(\?<(?=[A-Za-z_])", re.DOTALL)
"""Groups with a name in the short form; not within a set, nor after a backslash."""


def checked(pattern: Pattern) -> str:
    """The regular expression as RE2 and Python both write it.

    :raises QueryError: when RE2 does not take it.
    """
    text = _NAMED.sub(lambda found: found[1] or "(?P<", pattern.text)
    try:
        expression(text)
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else error.args[0]
        raise QueryError(
            f"/{pattern.text}/ is no regular expression: {reason}",
            pattern.place,
            remedy="RE2 syntax is meant, without looking ahead or back.",
        ) from None
    return text


@lru_cache(maxsize=256)
def expression(text: str) -> Any:
    """A regular expression, compiled.

    :raises re2.error: when it is none.
    """
    options = re2.Options()
    options.log_errors = False
    return re2.compile(text, options)


def groups_of(command: Parse) -> tuple[str, list[tuple[int, str]]]:
    """The regular expression of a ``parse``, and the columns that its groups make.

    :raises QueryError: when there are more names than places for them, or fewer.
    """
    if isinstance(command.pattern, Literal):
        return _of_stars(command, str(command.pattern.value))
    text = checked(command.pattern)
    found = expression(text)
    named = {group: name for name, group in found.groupindex.items()}
    unnamed = [group for group in range(1, found.groups + 1) if group not in named]
    if len(unnamed) != len(command.names):
        raise QueryError(
            f"groups without a name: {len(unnamed)}, names after as: {len(command.names)}",
            command.pattern.place,
            remedy="Write groups as (?<name>…), or (?:…) where nothing is to be kept.",
        )
    if not found.groups:
        raise QueryError(
            "the expression has no group to keep", command.pattern.place, remedy="Write (?<name>…)."
        )
    named.update(zip(unnamed, command.names, strict=True))
    return text, sorted(named.items())


def _of_stars(command: Parse, text: str) -> tuple[str, list[tuple[int, str]]]:
    pieces = text.split("*")
    if len(pieces) - 1 != len(command.names):
        raise QueryError(
            f"* in the pattern: {len(pieces) - 1}, names after as: {len(command.names)}",
            command.pattern.place,
        )
    found = re2.escape(pieces[0])
    for place, piece in enumerate(pieces[1:], 1):
        is_rest = place == len(pieces) - 1 and not piece
        found += ("(.*)" if is_rest else "(.*?)") + re2.escape(piece)
    return f"(?s){found}", list(enumerate(command.names, 1))
