"""Wildcard patterns on their own, and as LIKE and regular expressions."""

from __future__ import annotations

import re

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8sidx.query.wildcard import Token, escape, literal, to_like, to_regex, tokens

TEXTS = st.text("ab*?\\%_.[\n", max_size=6)


def matches(pattern: str, text: str) -> bool:
    """Whether the pattern matches, by the definition: one token after the other."""
    parsed = list(tokens(pattern))
    if not parsed:
        return not text
    first, rest = parsed[0], "".join(written(token) for token in parsed[1:])
    if first == Token("*", True):
        return any(matches(rest, text[start:]) for start in range(len(text) + 1))
    is_equal = text[:1] == first.text or (first.is_wildcard and bool(text))
    return is_equal and matches(rest, text[1:])


def written(token: Token) -> str:
    return token.text if token.is_wildcard else escape(token.text)


@given(TEXTS, TEXTS)
@settings(deadline=None)
def test_like_and_regex_match_what_the_pattern_matches(pattern: str, text: str) -> None:
    expected = matches(pattern, text)
    assert bool(re.fullmatch(to_regex(tokens(pattern)), text, re.DOTALL)) == expected
    like = duckdb.execute("SELECT ? LIKE ? ESCAPE '\\'", [text, to_like(pattern)]).fetchall()
    assert like == [(expected,)]


@given(TEXTS)
def test_an_escaped_text_matches_itself_alone(text: str) -> None:
    assert literal(escape(text)) == text


@pytest.mark.parametrize(
    ("pattern", "text"),
    [("", ""), ("a", "a"), (r"\*", "*"), (r"a\\", "a\\"), ("a\\", "a\\"), (r"\a", "a")],
)
def test_literal_returns_the_text_of_a_pattern_without_wildcards(pattern: str, text: str) -> None:
    assert literal(pattern) == text


@pytest.mark.parametrize("pattern", ["*", "?", "a*", r"\\*"])
def test_literal_is_missing_when_there_is_a_wildcard(pattern: str) -> None:
    assert literal(pattern) is None
