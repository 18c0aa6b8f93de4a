"""Clauses and regular expressions, in the form that several query languages share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

_SPECIAL = frozenset("\\.+*?()|[]{}^$/")


def joined(word: str, clauses: Sequence[str], empty: str) -> str:
    """Join different clauses by a word, in parentheses where there are several.

    :param empty: the text for no clauses.
    """
    distinct = list(dict.fromkeys(clauses))
    if len(distinct) < 2:
        return distinct[0] if distinct else empty
    return f"({word.join(distinct)})"


def either_case(text: str, escape: Callable[[str], str]) -> str:
    """Return a regular expression for text whose ASCII letters may have either case.

    :param escape: escapes the other characters, as the language requires.
    """
    return "".join(
        f"[{character.lower()}{character.upper()}]"
        if character.isascii() and character.isalpha()
        else escape(character)
        for character in text
    )


def escaped(text: str) -> str:
    """Return text as a regular expression that may stand between slashes."""
    return "".join(
        f"\\{character}"
        if character in _SPECIAL
        else {"\n": r"\n", "\t": r"\t"}.get(character, character)
        for character in text
    )


def one_of_texts(texts: Sequence[str]) -> str:
    """Return a regular expression for some texts, common beginnings up to a colon written once."""
    groups: dict[str, list[str]] = {}
    for text in texts:
        head, colon, last = text.rpartition(":")
        groups.setdefault(head + colon, []).append(escaped(last))
    alternatives = [
        f"{escaped(head)}({'|'.join(lasts)})" if len(lasts) > 1 else escaped(head) + lasts[0]
        for head, lasts in groups.items()
    ]
    return f"^({'|'.join(alternatives)})$"
