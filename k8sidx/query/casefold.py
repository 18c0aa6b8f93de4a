"""Case folding of ASCII letters."""

from __future__ import annotations

UPPER, LOWER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"
"""The letters whose case can be ignored."""


_FOLD = str.maketrans(UPPER, LOWER)


def folded_text(value: object, ignore_case: bool) -> str:
    """The value as text, its ASCII letters small where their case makes no difference."""
    return str(value).translate(_FOLD) if ignore_case else str(value)


def has_letters(text: str) -> bool:
    """Whether the text has ASCII letters, the only ones whose case is ignored: without
    them it makes no difference, and folding every value costs time."""
    return any(one.isascii() and one.isalpha() for one in text)
