"""Texts and patterns of conditions, told apart for languages that say them differently."""

from __future__ import annotations

from collections.abc import Iterator

from k8sidx.engine.narrow import has_letters
from k8sidx.query.algebra import Scalar


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
