"""Diagnostics of query texts: the position of an error, what the grammar expects there, and names
that may be meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from lark import Token, UnexpectedInput
from lark.exceptions import UnexpectedToken

from k8sidx.errors import UsageError
from k8sidx.insights.language.ast import COMMANDS, UNSUPPORTED, Item, Position

_WORDS: dict[str, str] = {
    "NAME": "a field",
    "STRING": "a text in quotes",
    "NUMBER": "a number",
    "REGEX": "a regular expression between slashes",
    "PERIOD": "a period such as 5m",
    "OPERATOR": "a comparison",
    "VBAR": "|",
    "COMMA": ",",
    "LPAR": "(",
    "RPAR": ")",
    "LSQB": "[",
    "RSQB": "]",
    "$END": "the end of the query",
    "_IN": "in",
    "_NOT": "not",
    "_LIKE": "like",
    "_AND": "and",
    "_OR": "or",
    "_AS": "as",
    "_BY": "by",
    "ASC": "asc",
    "DESC": "desc",
}
"""Terminals of the grammar in words, except arithmetic, which can follow anywhere."""
_MAX_EXPECTED = 8


class QueryError(UsageError):
    """A query text that has an error, with its position.

    :param expected: what the grammar accepts there, in words.
    :param nearest: names that may have been meant.
    :ivar position: where the error is.
    """

    def __init__(
        self,
        message: str,
        position: Position,
        *,
        expected: tuple[str, ...] = (),
        nearest: tuple[str, ...] = (),
        remedy: str = "",
    ) -> None:
        meant = f"Did you mean {' or '.join(nearest)}?" if nearest else ""
        could = f"Expected {any_of_words(expected)}." if expected and not nearest else ""
        remedies = " ".join(item for item in (meant, could, remedy) if item)
        super().__init__(
            f"line {position.line}, column {position.column}: {message}.", remedy=remedies
        )
        self.position = position

    @property
    def line(self) -> int:
        """The line of the text, from 1 on."""
        return self.position.line

    @property
    def column(self) -> int:
        """The column of the line, from 1 on."""
        return self.position.column


def position_at(text: str, offset: int) -> Position:
    """Return the position of a character of a text, or behind its last."""
    lines = text[:offset].split("\n")
    return Position(len(lines), len(lines[-1]) + 1)


def list_error(position: Position, what: str = "this") -> QueryError:
    """Return the error for a list where a single value is required."""
    return QueryError(
        f"{what} is a list", position, remedy="Name one of its elements, for example sourceIPs.0."
    )


def duplicate_column(item: Item) -> QueryError:
    """Return the error for two columns of one name."""
    return QueryError(
        f"two columns have the name {item.name!r}", item.position, remedy="Name one with as."
    )


def nearest(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return up to three other names that are spelled similarly."""
    folded = {item.lower(): item for item in known if item != name}
    matches = difflib.get_close_matches(name.lower(), folded, n=3, cutoff=0.6)
    return tuple(folded[item] for item in matches)


def any_of_words(words: Iterable[str]) -> str:
    """Return ``a, b or c``."""
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def syntax_error(text: str, error: UnexpectedInput) -> QueryError:
    """Return the error for a text that the grammar does not accept."""
    token = error.token if isinstance(error, UnexpectedToken) else None
    accepted = set(getattr(error, "accepts", None) or getattr(error, "expected", None) or ())
    accepted |= set(getattr(error, "allowed", None) or ())
    if token is not None and token.type == "$END":
        return QueryError(
            "the query ends too early", position_at(text, len(text)), expected=_expected(accepted)
        )
    position = Position(max(1, error.line), max(1, error.column))
    if token is None:
        return _unexpected_text(text, error, position, accepted)
    written = _shortened(token)
    if "_FILTER" in accepted and token.type == "NAME":
        return _unknown_command(str(token), position)
    return QueryError(f"{written} cannot stand here", position, expected=_expected(accepted))


def _unknown_command(word: str, position: Position) -> QueryError:
    unsupported = {name.lower(): alternative for name, alternative in UNSUPPORTED.items()}
    if alternative := unsupported.get(word.lower()):
        return QueryError(
            f"{word} is a command that k8sidx does not have", position, remedy=alternative
        )
    return QueryError(
        f"there is no command {word!r}",
        position,
        nearest=nearest(word, COMMANDS),
        expected=tuple(COMMANDS),
    )


def _unexpected_text(
    text: str, error: UnexpectedInput, position: Position, accepted: set[str]
) -> QueryError:
    at = error.pos_in_stream or 0
    character = text[at : at + 1]
    if character in ('"', "'", "`"):
        return QueryError("a quotation that begins here does not end", position)
    if character == "/":
        return QueryError("a regular expression that begins here does not end", position)
    return QueryError(f"{character!r} cannot stand here", position, expected=_expected(accepted))


def _expected(accepted: set[str]) -> tuple[str, ...]:
    words = tuple(word for name, word in _WORDS.items() if name in accepted)
    if "_FILTER" in accepted:
        words += ("a command",)
    return words[:_MAX_EXPECTED]


def _shortened(token: Token) -> str:
    text = str(token)
    return repr(text if len(text) <= 40 else f"{text[:40]}…")
