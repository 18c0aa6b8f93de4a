"""Regular expressions: what RE2 accepts, and the trees of Python's parser."""

from __future__ import annotations

import re

import pytest

from k8sidx.errors import InvalidQuery
from k8sidx.query.algebra import Query, Regex
from k8sidx.query.regex import InvalidRegex, compiled, escape, syntax_tree

ONLY_RE2 = (r"\pL+", r"\x{e9}", r"^\Qa.b\E$", r"a\z", r"(?U)a+", "(?P<n>a)(?P<n>b)")
"""Valid in RE2, not in Python."""
ONLY_PYTHON = (r"a(?=b)", r"(?<!a)b", r"(a)\1", "a++", "a{1001}", "\ud800")


@pytest.mark.parametrize("pattern", ONLY_RE2)
def test_a_query_takes_a_pattern_that_only_re2_reads(pattern: str) -> None:
    with pytest.raises(re.error):
        re.compile(pattern)
    assert Query(where=Regex("verb", pattern), select=("verb",))


@pytest.mark.parametrize("pattern", ONLY_PYTHON)
def test_a_query_refuses_a_pattern_that_re2_does_not_accept(pattern: str) -> None:
    re.compile(pattern)
    with pytest.raises(InvalidQuery, match=r"verb: not a regular expression \(RE2 syntax\): "):
        Query(where=Regex("verb", pattern), select=("verb",))


def test_compiled_names_the_reason_of_re2() -> None:
    with pytest.raises(InvalidRegex, match=r"missing \): \("):
        compiled("(")


def test_compiled_folds_case_when_it_is_ignored() -> None:
    assert compiled("É", ignore_case=True).search("é")
    assert not compiled("É").search("é")


def test_an_escaped_text_matches_itself_alone() -> None:
    text = "a.b\0\n[é]\\"
    assert compiled(escape(text)).fullmatch(text)


@pytest.mark.parametrize(
    ("pattern", "tree"),
    [
        (
            "^a|b$",
            "[(BRANCH, (None, [[(AT, AT_BEGINNING), (LITERAL, 97)],"
            " [(LITERAL, 98), (AT, AT_END)]]))]",
        ),
        (r"\Aa", "[(AT, AT_BEGINNING_STRING), (LITERAL, 97)]"),
        (r"[^a-z\d]", "[(IN, [(NEGATE, None), (RANGE, (97, 122)), (CATEGORY, CATEGORY_DIGIT)])]"),
        ("[^a]", "[(NOT_LITERAL, 97)]"),
        (r"\W\S\D", "".join(
            ("[(IN, [(CATEGORY, CATEGORY_NOT_WORD)]), (IN, [(CATEGORY, CATEGORY_NOT_SPACE)]), ",
             "(IN, [(CATEGORY, CATEGORY_NOT_DIGIT)])]"))),
        (r"\w\s", "[(IN, [(CATEGORY, CATEGORY_WORD)]), (IN, [(CATEGORY, CATEGORY_SPACE)])]"),
        ("(?i:x)??", "[(MIN_REPEAT, (0, 1, [(SUBPATTERN, (None, 2, 0, [(LITERAL, 120)]))]))]"),
        ("(?P<n>.)*", "[(MAX_REPEAT, (0, MAXREPEAT, [(SUBPATTERN, (1, 0, 0, [(ANY, None)]))]))]"),
        (r"a{2,3}\b", "[(MAX_REPEAT, (2, 3, [(LITERAL, 97)])), (AT, AT_BOUNDARY)]"),
    ],
)  # fmt: skip
def test_syntax_tree_has_the_form_that_the_translation_to_lucene_reads(
    pattern: str, tree: str
) -> None:
    """The parser is private to CPython: a version that changes its trees fails here."""
    assert repr(list(syntax_tree(pattern))) == tree


def test_syntax_tree_has_the_flags_of_the_pattern() -> None:
    assert syntax_tree("(?ms)^.", re.IGNORECASE).state.flags & (re.M | re.S | re.I) == (
        re.M | re.S | re.I
    )


def test_syntax_tree_refuses_what_is_nested_too_deeply() -> None:
    with pytest.raises(re.error, match="nested too deeply"):
        syntax_tree("(" * 5000 + ")" * 5000)
