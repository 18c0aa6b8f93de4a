"""Case folding of ASCII letters."""

from __future__ import annotations

UPPER, LOWER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"
"""The letters whose case can be ignored."""

_FOLD = str.maketrans(UPPER, LOWER)


def folded_text(value: object, ignore_case: bool) -> str:
    """Return the value as text, its ASCII letters in lower case where case is ignored."""
    return str(value).translate(_FOLD) if ignore_case else str(value)


def has_letters(text: str) -> bool:
    """Whether the text has ASCII letters, the only ones whose case is ignored: without
    them it makes no difference, and folding every value costs time."""
    return any(character.isascii() and character.isalpha() for character in text)


def folds(value: object, *, ignore_case: bool) -> bool:
    """Whether ignoring the case of ASCII letters makes a difference for this value."""
    return ignore_case and has_letters(str(value))
