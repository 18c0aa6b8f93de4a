"""No text breaks the parser, and no value in a text becomes part of what an engine runs."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from k8sidx.backends.cluster.engine.engine import SearchEngine
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.embedded.engine.engine import DuckDBEngine
from k8sidx.backends.result import Result
from k8sidx.errors import K8sidxError
from k8sidx.insights.execute.run import run_program
from k8sidx.insights.language.parser import QueryError, parse
from tests.building import event, normalized
from tests.conformance.index_events import fill
from tests.insights.event_strategies import HOSTILE, Pool
from tests.insights.mutate import mutated
from tests.insights.query_strategies import query
from tests.insights.recorder import keys, requests, statements
from tests.insights.reference_ast import Literal, Name
from tests.insights.unparse import Writer
from tests.servers.cleaning import remove_all
from tests.servers.fixtures import unique_prefix
from tests.stores import stored

MUTATIONS = 1_500
RUNS = 400
NAMED_BY_ENGINES = ("script", "query_string", "simple_query_string", "runtime_mappings")
"""Where a cluster would take a text for more than a value."""

DEEP = {
    "parentheses": "filter " + "(" * 100_000,
    "pairs of parentheses": "filter " + "(" * 50_000 + "1" + ")" * 50_000,
    "nots": "filter " + "not " * 50_000 + "true",
    "signs": "filter " + "-" * 100_000 + "1 > 0",
    "calls": "fields " + "abs(" * 30_000 + "1" + ")" * 30_000,
    "powers": "fields 2" + " ^ 2" * 50_000 + " as n",
    "sums": "fields 1" + " + 1" * 50_000 + " as n",
    "ors": "filter verb = 'a'" + " or verb = 'b'" * 30_000,
    "brackets": "filter verb in " + "[" * 100_000,
    "pipes": "|" * 100_000,
    "commands": "limit 1 | " * 20_000 + "limit 1",
    "a text that does not end": "filter verb = '" + "x" * 1_000_000,
    "a pattern that does not end": "filter verb like /" + "x" * 1_000_000,
    "a comment": "#" * 1_000_000,
    "blanks": " " * 1_000_000 + "|",
    "backslashes": "filter verb = '" + "\\" * 999_999,
    "a number": "limit " + "9" * 100_000,
    "a power of ten": "filter 1e" + "9" * 10_000 + " > 1",
    "a name": "fields " + "a." * 100_000,
    "backquotes": "fields " + "`" * 100_001,
    "a pattern of repetitions": "filter verb like /" + "(a*)*" * 20_000 + "/",
    "a nested repetition": "filter verb like /((((a{100}){100}){100}){100})/",
    "nothing": "",
}


def refused_in_its_place(text: str) -> bool:
    """Whether the text is refused; fails when it is refused otherwise than by naming a place."""
    try:
        parse(text)
    except QueryError as error:
        lines = text.split("\n")
        assert 1 <= error.line <= len(lines), (error.line, text[:200])
        assert 1 <= error.column <= len(lines[error.line - 1]) + 1, (error.column, text[:200])
        assert str(error)
        return True
    return False


@pytest.mark.parametrize("name", DEEP)
def test_what_is_deep_or_long_is_refused_or_read(name: str) -> None:
    refused_in_its_place(DEEP[name])


@given(st.text(max_size=200))
@example("filter verb = '\ud800'")
@example("fields \x00")
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_or_refused_in_its_place(text: str) -> None:
    refused_in_its_place(text)


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_read_or_refused_in_their_place(content: bytes) -> None:
    refused_in_its_place(content.decode("utf-8", "surrogateescape"))


def test_queries_with_mistakes_are_refused_in_their_place() -> None:
    refused = 0
    for seed in range(MUTATIONS):
        text = mutated(query(seed)[1], Random(seed))  # noqa: S311 - repeatable, not secret
        try:
            refused += refused_in_its_place(text)
        except Exception as error:
            raise AssertionError(f"seed {seed}: {text}") from error
    assert refused > MUTATIONS / 3


def test_what_is_read_of_queries_with_mistakes_runs_or_is_refused(embedded: DuckDBEngine) -> None:
    ran = 0
    for seed in range(RUNS):
        text = mutated(query(seed)[1], Random(seed), 1)  # noqa: S311 - repeatable, not secret
        try:
            run_program(parse(text), embedded, on_warning=lambda _: None)
            ran += 1
        except K8sidxError:
            continue
        except Exception as error:
            raise AssertionError(f"seed {seed}: {text}") from error
    assert ran > RUNS / 20


# Hostile values

EVENTS = [
    *(event(user=user, name=f"n{place}", seconds=place) for place, user in enumerate(HOSTILE)),
    *Pool(3).events(40)[len(HOSTILE) :],
]


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBEngine]:
    with stored(tmp_path_factory.mktemp("hostile") / "store", EVENTS).engine() as engine:
        yield engine


@pytest.fixture(scope="module")
def searching(opensearch: Cluster) -> Iterator[SearchEngine]:
    prefix = unique_prefix()
    try:
        yield fill(opensearch, prefix, [normalized(one) for one in EVENTS])
    finally:
        remove_all(opensearch, prefix)


def forms(value: str) -> list[str]:
    """Queries that find the user of that name, the value in all the places where one can stand."""
    said = Writer().expression(Literal(value))
    other = Writer().expression(Literal("x" + value))
    regex = "".join(f"\\x{{{ord(one):x}}}" for one in value)
    shown = "fields user.username"
    alias = Writer().expression(Name(value.replace("`", "")))
    return [
        f"filter user.username = {said} | {shown}",
        f"filter {said} = user.username | {shown}",
        f"filter user.username in [{said}, {other}] | {shown}",
        f"filter not user.username not in [{said}] | {shown}",
        f"filter user.username like {said} and user.username != {other} | {shown}",
        f"filter user.username >= {said} and user.username <= {said} | {shown}",
        f"filter user.username =~ /^{regex}$/ | {shown}",
        f"filter concat(user.username, {other}) = concat({said}, {other}) | {shown}",
        f"filter strcontains(user.username, {said})"
        f" and strlen(replace(user.username, {said}, '')) = 0 | {shown}",
        f"fields user.username as {alias} | filter {alias} = {said} | display {alias}",
        f"filter user.username = {said} | stats count(*) as n by user.username"
        " | display user.username",
        f"filter coalesce(user.username, {other}) = {said} | {shown}",
        f"stats count(*) as {alias} by user.username | filter user.username = {said}"
        f" | sort {alias} | display user.username",
        f"stats sum(coalesce(strlen(user.username), {said})) as n by user.username"
        f" | filter user.username = {said} | display user.username",
    ]


def found(result: Result, value: str) -> None:
    assert result.rows, "the event with the hostile name is not found"
    assert set(result.rows) == {(value,)}


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_is_no_part_of_a_statement(value: str, embedded: DuckDBEngine) -> None:
    for text in forms(value):
        with statements(embedded) as seen:
            result = run_program(parse(text), embedded, on_warning=lambda _: None)
        found(result, value)
        assert seen, "nothing was asked"
        for statement in seen:
            assert value not in statement, text
            assert value.replace("'", "''") not in statement, text
            assert value.replace('"', '""') not in statement, text


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_is_a_value_in_a_request(
    value: str, searching: SearchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text in forms(value):
        with requests(monkeypatch) as seen:
            result = run_program(parse(text), searching, on_warning=lambda _: None)
        found(result, value)
        assert seen, "nothing was asked"
        for path, body in seen:
            assert value not in path, text
            named = set(keys(body))
            assert not named & set(NAMED_BY_ENGINES), text
            assert not [key for key in named if value in key], text


@pytest.mark.parametrize("literal", ["'\ud800'", "/\udfff/"])
def test_half_a_character_is_refused_in_its_place(literal: str) -> None:
    """No event has one, since JSON has none; and no engine could be asked for it."""
    with pytest.raises(QueryError, match="line 2, column 26: here is half a surrogate pair"):
        parse(f"fields verb\n| filter userAgent like {literal}")
