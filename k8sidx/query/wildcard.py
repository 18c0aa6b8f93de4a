"""Wildcard patterns: parser, and translation to SQL's LIKE and to regular expressions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

_SPECIAL = re.compile(r"[\\*?]")


class Token(NamedTuple):
    """One character of a pattern: a wildcard (``*`` or ``?``), or itself."""

    text: str
    is_wildcard: bool


ANY_TEXT = Token("*", is_wildcard=True)


def tokens(pattern: str) -> Iterator[Token]:
    """Parse a pattern; a backslash at its end stands for itself."""
    characters = iter(pattern)
    for character in characters:
        if character == "\\":
            yield Token(next(characters, character), is_wildcard=False)
        else:
            yield Token(character, is_wildcard=character in "*?")


def literal(pattern: str) -> str | None:
    """Return the only text that a pattern without wildcards matches, else ``None``."""
    parsed = list(tokens(pattern))
    if any(token.is_wildcard for token in parsed):
        return None
    return "".join(token.text for token in parsed)


def escape(text: str) -> str:
    """Return the pattern that matches this text alone."""
    return _SPECIAL.sub(r"\\\g<0>", text)


def to_like(pattern: str) -> str:
    r"""Return the pattern for SQL's ``LIKE ... ESCAPE '\'``."""
    written = []
    for text, is_wildcard in tokens(pattern):
        if is_wildcard:
            written.append({"*": "%", "?": "_"}[text])
        else:
            written.append(f"\\{text}" if text in "%_\\" else text)
    return "".join(written)


def to_regex(
    pattern: Iterable[Token],
    escape_literal: Callable[[str], str] = re.escape,
    *,
    any_character: str = ".",
) -> str:
    """Return a regular expression for the whole value, without anchors.

    :param pattern: the tokens of a pattern.
    :param escape_literal: escapes a character in the dialect of the expression.
    :param any_character: matches any character there, line breaks too.
    """
    wildcards = {"*": f"{any_character}*", "?": any_character}
    return "".join(
        wildcards[text] if is_wildcard else escape_literal(text) for text, is_wildcard in pattern
    )
