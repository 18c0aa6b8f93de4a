"""Marks that stand for values that redaction replaced."""

from __future__ import annotations

import hashlib

MARK = "[redacted by k8sidx]"
MARK_START = MARK[:-1].encode()
"""In JSON, the beginning of every mark that stands for a value."""
URI_MARK = MARK.replace(" ", "+")
WORD_MARK = MARK.replace(" ", "-")
MARKS = tuple(mark[:-1] for mark in (MARK, URI_MARK, WORD_MARK))
"""Beginnings of all marks."""


def is_mark(value: object) -> bool:
    """Whether a value was replaced already."""
    return isinstance(value, str) and value.startswith(MARK[:-1]) and value.endswith("]")


def opaque(text: str) -> str:
    """Return what stands for a text that cannot be looked into."""
    length = len(text.encode("utf-8", "surrogatepass"))
    return f"{MARK[:-1]}: {length} bytes, sha256 {_digest(text)}]"


def pseudonym(text: str) -> str:
    """Return what stands for a credential in a name: one for each, so that events of one caller
    still belong together."""
    return f"{MARK[:-1]}: sha256 {_digest(text)}]"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
