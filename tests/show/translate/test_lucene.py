"""Lucene's query strings: as query_string they match the events that the hunt's query does."""

from __future__ import annotations

import pytest

from k8sidx.backends.embedded.engine.engine import DuckDBEngine
from k8sidx.errors import UnsupportedQuery
from k8sidx.query.algebra import (
    Always,
    And,
    Compare,
    Condition,
    InNetwork,
    Not,
    Or,
    Present,
    Regex,
    Wildcard,
)
from k8sidx.show.translate.lucene import lucene_text, to_lucene
from k8sidx.show.translate.translatable import question_of, whole_condition
from tests.hunt.run_hunt import sigma
from tests.show.translate.conftest import HOSTILE, Filled, on_servers
from tests.show.translate.run_translated import conditions, count_of, hunt_of, sayable


def matched(filled: Filled, text: str) -> int:
    """Events that a query string matches, as a search box asks for them."""
    query = {"query_string": {"query": text, "default_field": "message"}}
    found = filled.search({"size": 0, "track_total_hits": True, "query": query})
    return int(found["hits"]["total"]["value"])


@pytest.mark.parametrize(("filled", "name"), on_servers(sayable()), indirect=["filled"])
def test_a_hunt_s_text_matches_what_the_hunt_does(
    name: str, filled: Filled, embedded: DuckDBEngine
) -> None:
    hunt = hunt_of(name)
    wanted = count_of(whole_condition(question_of(hunt)), embedded)
    assert matched(filled, to_lucene(hunt).text) == wanted


@pytest.mark.parametrize(("filled", "text"), on_servers(HOSTILE), indirect=["filled"])
def test_values_are_text_and_never_operators(
    text: str, filled: Filled, embedded: DuckDBEngine
) -> None:
    for condition in conditions(text):
        said = lucene_text(condition)
        assert matched(filled, said) == count_of(condition, embedded), said


CONDITIONS = (
    Always(),
    And(()),
    Or(()),
    Not(Always()),
    Not(Not(Present("objectRef.name"))),
    Or((Not(Compare("verb", "=", "get")), Compare("verb", "=", "get"))),
    Not(And((Compare("verb", "=", "get"), Not(Compare("verb", "=", "list"))))),
    Compare("responseStatus.code", ">", 200),
    Compare("responseStatus.code", "<=", 201),
    Compare("responseStatus.code", ">=", -5),
    Compare("responseStatus.code", "=", "no number"),
    Compare("source.forwarded", "=", True),
    Compare("verb", ">=", "get"),
    InNetwork("sourceIPs", ("10.0.0.0/8", "2001:db8::/32")),
    InNetwork("source.ip", ("::/0",)),
    Regex("userAgent", r"^back\\slash\\$"),
    Or((Regex("userAgent", r"slash\\$"), Regex("userAgent", "/re"))),
    Regex("userAgent", "(?s)line.break"),
    Regex("userAgent", "line.break"),
    Wildcard("userAgent", "LINE*BREAK", ignore_case=True),
    Wildcard("userAgent", "a?c", ignore_case=True),
    Present("annotations.authorization.k8s.io/decision"),
)


@pytest.mark.parametrize(
    ("filled", "condition"), on_servers(CONDITIONS), indirect=["filled"], ids=str
)
def test_every_kind_of_condition(
    condition: Condition, filled: Filled, embedded: DuckDBEngine
) -> None:
    assert matched(filled, lucene_text(condition)) == count_of(condition, embedded)


def test_counting_is_left_to_others_and_said() -> None:
    made = to_lucene(hunt_of("topn_user_by_ip"))
    assert made.text == (
        "(_exists_:position.0.sourceIPs AND (*:* AND NOT user.username:*system*) "
        "AND _exists_:user.username)\n"
    )
    assert "no aggregation" in made.notes[0]
    assert "10 most frequent" in made.notes[0]


def test_expressions_that_an_index_does_not_take_are_refused() -> None:
    long = "x" * 1001
    hunt = sigma(f"{{s: {{userAgent: '{long}'}}, condition: s}}")
    with pytest.raises(UnsupportedQuery, match="more than 1000 characters"):
        to_lucene(hunt)
