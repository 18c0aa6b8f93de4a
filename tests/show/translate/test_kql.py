"""The Kibana Query Language: Kibana itself reads it, and no server, so its texts are read here by
the rules of its grammar and then mean what the hunt's condition does."""

from __future__ import annotations

import pytest

from k8sidx.backends.embedded.engine.engine import DuckDBEngine
from k8sidx.query.algebra import (
    Always,
    And,
    Compare,
    Condition,
    InNetwork,
    Not,
    OneOf,
    Or,
    Present,
    Regex,
    Wildcard,
)
from k8sidx.show.translate.kql import kql_text, to_kql
from k8sidx.show.translate.translatable import NotTranslatable, question_of, whole_condition
from tests.show.translate.conftest import HOSTILE
from tests.show.translate.kuery import read_kuery
from tests.show.translate.run_translated import conditions, count_of, hunt_of, sayable


@pytest.mark.parametrize("name", sayable())
def test_a_hunt_s_text_means_what_the_hunt_does(name: str, embedded: DuckDBEngine) -> None:
    hunt = hunt_of(name)
    try:
        text = to_kql(hunt).text
    except NotTranslatable as error:
        assert "KQL" in error.message
        return
    wanted = count_of(whole_condition(question_of(hunt)), embedded)
    assert count_of(read_kuery(text), embedded) == wanted


@pytest.mark.parametrize("text", HOSTILE)
def test_values_are_text_and_never_operators(text: str, embedded: DuckDBEngine) -> None:
    said = 0
    for condition in conditions(text):
        try:
            written = kql_text(condition)
        except NotTranslatable:
            continue
        said += 1
        assert count_of(read_kuery(written), embedded) == count_of(condition, embedded), written
    assert said >= 3


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (Always(), "*"),
        (Or(()), "(not *)"),
        (Not(And((Present("verb"), Present("stage")))), "(not (verb: * and stage: *))"),
        (Compare("userAgent", "=", 'say "no" \\ and'), r'userAgent: "say \"no\" \\ and"'),
        (Compare("userAgent", "=", "a\nb\tc"), r'userAgent: "a\nb\tc"'),
        (OneOf("verb", ("GET", "list"), ignore_case=True), 'verb: ("get" or "list")'),
        (
            Compare("stage", "=", "requestreceived", ignore_case=True),
            'stage: "RequestReceived"',
        ),
        (Wildcard("userAgent", "a(b):*"), r"userAgent: a\(b\)\:*"),
        (Wildcard("userAgent", r"a\*b*"), r"userAgent: a\*b*"),
        (Wildcard("userAgent", r"a\*b"), 'userAgent: "a*b"'),
        (Compare("responseStatus.code", ">=", "400"), "responseStatus.code >= 400"),
        (Compare("pod.privileged", "=", True), "pod.privileged: true"),
        (InNetwork("source.ip", ("10.0.0.0/8",)), 'source.ip: "10.0.0.0/8"'),
        (Compare("sourceIPs", "=", "10.0.0.1"), 'sourceIPs.keyword: "10.0.0.1"'),
        (Compare("sourceIPs.0", "=", "10.0.0.1"), 'position.0.sourceIPs: "10.0.0.1"'),
    ],
    ids=str,
)
def test_what_is_written(condition: Condition, text: str) -> None:
    assert kql_text(condition) == text


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        (Regex("userAgent", "a|b"), "no regular expressions, and userAgent is compared with one"),
        (Compare("userAgent", "=", "curl", ignore_case=True), "case-sensitive, and userAg"),
        (Wildcard("stage", "request*", ignore_case=True), "stage has upper and lower"),
        (Wildcard("userAgent", "a?c"), "single unknown character"),
        (Wildcard("userAgent", "a b*"), "a blank, and userAgent is compared with one"),
        (InNetwork("source.ip", ("::/0",)), "no networks of IPv6 without IPv4"),
        (Compare("event.id", "=", "0" * 32), "event.id cannot be searched"),
        (Wildcard("responseStatus.code", "4*"), "responseStatus.code is not text"),
        (Compare("@timestamp", ">", "2026-11-23T20:27:30Z"), "@timestamp is compared with"),
    ],
    ids=str,
)
def test_what_it_has_no_words_for_is_refused_by_name(condition: Condition, why: str) -> None:
    with pytest.raises(NotTranslatable, match=why):
        kql_text(condition)


def test_names_that_kubernetes_has_in_lower_case_are_looked_for_so_and_that_is_said() -> None:
    made = to_kql(hunt_of("secret_list"))
    assert 'objectRef.resource: "secrets"' in made.text
    assert any("objectRef.resource" in note and "case-sensitive" in note for note in made.notes)
