"""Syntactic context of the cursor in an incomplete query."""

from __future__ import annotations

import pytest

from k8sidx.cli.prompt.context import aliases_in, context_of
from k8sidx.cli.prompt.session import is_whole


@pytest.mark.parametrize(
    ("before", "command", "begun"),
    [
        ("", "", ""),
        ("sta", "", "sta"),
        ("fields verb | ", "", ""),
        ("fields verb |\n  fil", "", "fil"),
        ("fields ver", "fields", "ver"),
        ("stats count(*) by user.na", "stats", "user.na"),
        ('filter verb = "a|b" and ', "filter", ""),
        ("filter userAgent like /a|b/ and ", "filter", ""),
        ("fields a / b", "fields", "b"),
        ("filter annotations.example.com/a-b", "filter", "annotations.example.com/a-b"),
        ("@sta", "", "@sta"),
    ],
)
def test_context_has_the_word_and_its_command(before: str, command: str, begun: str) -> None:
    place = context_of(before)
    assert (place.quote, place.command, place.begun) == ("", command, begun)


@pytest.mark.parametrize(
    ("before", "quote", "begun", "compared"),
    [
        ('filter verb = "ge', '"', "ge", "verb"),
        ("filter verb != '", "'", "", "verb"),
        ('filter `user.extra.x/y` = "', '"', "", "user.extra.x/y"),
        ('filter userAgent not like "kube', '"', "kube", "userAgent"),
        ('filter verb in ["get", "', '"', "", "verb"),
        ('filter user.username = "a" and verb = "', '"', "", "verb"),
        ('filter concat(verb, "', '"', "", ""),
        ("filter `annotations.auth", "`", "annotations.auth", ""),
        ("filter userAgent like /it's", "/", "it's", "userAgent"),
        ('filter verb = "a\\"b', '"', 'a\\"b', "verb"),
    ],
)
def test_context_has_the_open_quote_and_the_compared_field(
    before: str, quote: str, begun: str, compared: str
) -> None:
    place = context_of(before)
    assert (place.quote, place.begun, place.compared) == (quote, begun, compared)


def test_context_is_a_comment_after_a_hash() -> None:
    assert context_of("fields verb # all of the").comment
    assert not context_of("fields verb # all\n| ").comment
    assert not context_of('filter verb = "#').comment


def test_aliases_are_the_names_defined_with_as() -> None:
    text = 'parse verb "*-*" as first, second | stats count(*) AS n by bin(1h) as `the hour`'
    assert aliases_in(text) == ["first", "second", "n", "the hour"]


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("stats count(*)", True),
        ("fields verb |", False),
        ("fields verb,", False),
        ('filter verb = "get', False),
        ("filter userAgent like /it's/", True),
        ('filter verb = "get\n', True),
    ],
)
def test_a_query_is_complete_when_nothing_is_open_or_after_an_empty_line(
    text: str, whole: bool
) -> None:
    assert is_whole(text) is whole
