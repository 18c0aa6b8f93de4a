"""Texts and patterns of conditions, told apart for languages that say them differently."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from k8sidx.query.algebra import Scalar
from k8sidx.query.casefold import has_letters

_SPECIAL = frozenset("\\.+*?()|[]{}^$/")


def pattern_parts(pattern: str) -> Iterator[tuple[str, bool]]:
    """Signs of a wildcard pattern, each with whether it is a wildcard (``*`` or ``?``)."""
    signs = iter(pattern)
    for sign in signs:
        if sign == "\\":
            yield next(signs, sign), False
        else:
            yield sign, sign in "*?"


def plain_text(pattern: str) -> str | None:
    """The one text that a pattern without wildcards matches."""
    parts = list(pattern_parts(pattern))
    return None if any(wild for _, wild in parts) else "".join(sign for sign, _ in parts)


def folds(value: Scalar, *, ignore_case: bool) -> bool:
    """Whether the case of ASCII letters makes a difference that is to be ignored."""
    return ignore_case and has_letters(str(value))


def joined(word: str, clauses: Sequence[str], empty: str) -> str:
    """Different clauses with a word between them, which stand beside others as one clause.

    :param empty: what no clauses are.
    """
    distinct = list(dict.fromkeys(clauses))
    if len(distinct) < 2:
        return distinct[0] if distinct else empty
    return f"({word.join(distinct)})"


def either_case(text: str, escape: Callable[[str], str]) -> str:
    """A regular expression for text of which ASCII letters may have either case.

    :param escape: of the other signs, as the language has it.
    """
    return "".join(
        f"[{sign.lower()}{sign.upper()}]" if sign.isascii() and sign.isalpha() else escape(sign)
        for sign in text
    )


def escaped(text: str) -> str:
    """Text as a regular expression that may stand between slashes."""
    return "".join(
        f"\\{sign}" if sign in _SPECIAL else {"\n": r"\n", "\t": r"\t"}.get(sign, sign)
        for sign in text
    )


def one_of_texts(texts: Sequence[str]) -> str:
    """A regular expression for some texts: what they begin with, up to a colon, is said once."""
    groups: dict[str, list[str]] = {}
    for text in texts:
        head, colon, last = text.rpartition(":")
        groups.setdefault(head + colon, []).append(escaped(last))
    alternatives = [
        f"{escaped(head)}({'|'.join(lasts)})" if len(lasts) > 1 else escaped(head) + lasts[0]
        for head, lasts in groups.items()
    ]
    return f"^({'|'.join(alternatives)})$"
