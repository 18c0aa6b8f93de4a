"""Which names need backquotes: the prompt's answer is the grammar's."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from k8sidx.insights.language.parser import PLAIN_NAME


def test_a_plain_name_is_what_the_grammar_takes_as_one() -> None:
    grammar = files("k8sidx.insights.language").joinpath("grammar.lark").read_text("utf-8")
    terminals = dict(re.findall(r"^(PATH|NAME)(?:\.\d+)?: /(.+)/i$", grammar, re.MULTILINE))
    assert PLAIN_NAME.pattern == f"{terminals['PATH']}|{terminals['NAME']}".replace(r"\/", "/")
    assert PLAIN_NAME.flags & re.IGNORECASE


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("user.username", True),
        ("@timestamp", True),
        ("a..b", False),
        (".a", False),
        ("a-b", False),
        ("two words", False),
        ("labels.a/b", True),
        ("x.metadata.labels.a/b", True),
        ("labels.a-", False),
    ],
)
def test_which_names_need_no_backquotes(name: str, plain: bool) -> None:
    assert bool(PLAIN_NAME.fullmatch(name)) is plain
