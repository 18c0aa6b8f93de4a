"""What is wrong with a query text, and where: the place, what could stand there, what was
meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from lark import Token, UnexpectedInput
from lark.exceptions import UnexpectedToken

from k8sidx.errors import UsageError
from k8sidx.insights.language.ast import COMMANDS, UNSUPPORTED, Item, Place

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
"""How terminals of the grammar are told; arithmetic, which can follow anywhere, is not."""
_MOST_TOLD = 8


class QueryError(UsageError):
    """A query text that cannot be understood, with the place.

    :param expected: what could stand there, in words.
    :param nearest: names that may have been meant.
    :ivar place: where it is wrong.
    """

    def __init__(
        self,
        message: str,
        place: Place,
        *,
        expected: tuple[str, ...] = (),
        nearest: tuple[str, ...] = (),
        remedy: str = "",
    ) -> None:
        meant = f"Did you mean {' or '.join(nearest)}?" if nearest else ""
        could = f"Expected {listed(expected)}." if expected and not nearest else ""
        told = " ".join(one for one in (meant, could, remedy) if one)
        super().__init__(f"line {place.line}, column {place.column}: {message}.", remedy=told)
        self.place = place

    @property
    def line(self) -> int:
        """Line of the text, from 1 on."""
        return self.place.line

    @property
    def column(self) -> int:
        """Column of the line, from 1 on."""
        return self.place.column


def place_at(text: str, offset: int) -> Place:
    """The place of a character of a text, or behind its last."""
    lines = text[:offset].split("\n")
    return Place(len(lines), len(lines[-1]) + 1)


def refuse_list(place: Place, what: str = "this") -> QueryError:
    """The error for a list where one value is meant."""
    return QueryError(
        f"{what} is a list", place, remedy="Name one of its elements, such as sourceIPs.0."
    )


def same_name(item: Item) -> QueryError:
    """The error for two columns of one name."""
    return QueryError(
        f"two columns have the name {item.name!r}", item.place, remedy="Name one with as."
    )


def nearest(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Up to three names that are written much the same."""
    folded = {one.lower(): one for one in known}
    found = difflib.get_close_matches(name.lower(), folded, n=3, cutoff=0.6)
    return tuple(folded[one] for one in found)


def listed(words: Iterable[str]) -> str:
    """``a, b or c``."""
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def misread(text: str, error: UnexpectedInput) -> QueryError:
    """The error for a text that the grammar has no place for."""
    token = error.token if isinstance(error, UnexpectedToken) else None
    accepted = set(getattr(error, "accepts", None) or getattr(error, "expected", None) or ())
    accepted |= set(getattr(error, "allowed", None) or ())
    if token is not None and token.type == "$END":
        return QueryError(
            "the query ends too early", place_at(text, len(text)), expected=_told(accepted)
        )
    place = Place(max(1, error.line), max(1, error.column))
    if token is None:
        return _unreadable(text, error, place, accepted)
    written = _short(token)
    if "_FILTER" in accepted and token.type == "NAME":
        return _no_command(str(token), place)
    return QueryError(f"{written} cannot stand here", place, expected=_told(accepted))


def _no_command(word: str, place: Place) -> QueryError:
    unsupported = {name.lower(): instead for name, instead in UNSUPPORTED.items()}
    if instead := unsupported.get(word.lower()):
        return QueryError(f"{word} is a command that k8sidx does not have", place, remedy=instead)
    return QueryError(
        f"there is no command {word!r}",
        place,
        nearest=nearest(word, COMMANDS),
        expected=tuple(COMMANDS),
    )


def _unreadable(text: str, error: UnexpectedInput, place: Place, accepted: set[str]) -> QueryError:
    at = error.pos_in_stream or 0
    sign = text[at : at + 1]
    if sign in ('"', "'", "`"):
        return QueryError("a quotation that begins here does not end", place)
    if sign == "/":
        return QueryError("a regular expression that begins here does not end", place)
    return QueryError(f"{sign!r} cannot stand here", place, expected=_told(accepted))


def _told(accepted: set[str]) -> tuple[str, ...]:
    words = tuple(word for name, word in _WORDS.items() if name in accepted)
    if "_FILTER" in accepted:
        words += ("a command",)
    return words[:_MOST_TOLD]


def _short(token: Token) -> str:
    text = str(token)
    return repr(text if len(text) <= 40 else f"{text[:40]}…")
