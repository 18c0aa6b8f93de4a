"""Completion at the prompt, over a real store."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from k8sidx.backends.result import Result
from k8sidx.cli.prompt.complete import QueryCompleter
from k8sidx.cli.prompt.field_values import FieldValues, quoted
from k8sidx.errors import StoreError
from k8sidx.insights.language.ast import Filter, Literal, Operation
from k8sidx.insights.language.parser import ESCAPES, parse
from k8sidx.query.algebra import Query
from tests.building import event
from tests.stores import stored

DECISION = "annotations.authorization.k8s.io/decision"
AGENT = "kubectl/v1.37.2"
EVIL = "evil\x1b[2J\u202e"
QUOTE = 'say "hi" \\ to\tyou'


class Store:
    """Answers the values' queries, and counts them."""

    def __init__(self, folder: Path) -> None:
        agents = [*["kubectl"] * 3, "curl", QUOTE, EVIL, "x" * 200]
        events = [event(agent=one, seconds=at) for at, one in enumerate(agents)]
        events += [event(verb=f"verb{at}", agent=AGENT, seconds=100 + at) for at in range(60)]
        self._store = stored(folder, events)
        self.asked = 0

    def ask(self, query: Query) -> Result:
        self.asked += 1
        with self._store.engine() as engine:
            return engine.run(query)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    yield Store(tmp_path / "store")


@pytest.fixture
def completer(store: Store) -> QueryCompleter:
    return QueryCompleter(
        FieldValues(store.ask), lambda: ["status-codes", "mine"], {".help": "tells more"}
    )


def offered(completer: QueryCompleter, before: str, *, asked_for: bool = True) -> list[str]:
    """What would be written, the likeliest first."""
    event_ = CompleteEvent(completion_requested=asked_for)
    return [one.text for one in completer.get_completions(Document(before), event_)]


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("sta", "stats"),
        ("fields verb | so", "sort"),
        ("@sta", "@status-codes"),
        (".he", ".help"),
        ("fields user.usern", "user.username"),
        ("fields username", "user.username"),
        ("filter http.resp", "http.response.status_code"),
        ("filter sourceIPs.", "sourceIPs.0"),
        ("stats count_d", "count_distinct("),
        ("filter ispr", "ispresent("),
        ("stats count(*) as events | sort ev", "events"),
        ("fields user.extra.authentication.kubernetes.io/pod",
         "user.extra.authentication.kubernetes.io/pod-name"),
        ("fields `annotations.authorization.k8s.io/dec", f"{DECISION}`"),
        ("fields annotations.authorization.k8s.io/dec", DECISION),
    ],
)  # fmt: skip
def test_completion_offers_all_candidates(
    completer: QueryCompleter, before: str, expected: str
) -> None:
    assert expected in offered(completer, before)


@pytest.mark.parametrize(
    "before", ["fields verb # sta", "filter userAgent like /kub", 'filter concat("', "fields "]
)
def test_completion_offers_nothing_without_candidates(
    completer: QueryCompleter, before: str
) -> None:
    assert offered(completer, before, asked_for=False) == []


def test_aggregates_are_offered_in_stats_alone(completer: QueryCompleter) -> None:
    assert "count_distinct(" not in offered(completer, "fields count_d")


def test_completion_offers_values_of_the_store_by_frequency(completer: QueryCompleter) -> None:
    assert offered(completer, 'filter userAgent = "ku') == [f'{AGENT}"', 'kubectl"']
    assert 'curl"' in offered(completer, 'filter userAgent in ["kubectl", "cu')
    assert len(offered(completer, 'filter verb = "')) == 50
    assert offered(completer, 'filter verb = "verb59') == ['verb59"']
    assert offered(completer, "filter responseStatus.code = '") == ["200'"]


def test_values_of_a_field_are_queried_once(completer: QueryCompleter, store: Store) -> None:
    for begun in ("", "k", "ku"):
        offered(completer, f'filter userAgent = "{begun}')
    assert store.asked == 1


def test_values_are_not_queried_for_other_names(completer: QueryCompleter, store: Store) -> None:
    for before in ('filter nonsense = "', 'filter @timestamp = "', 'filter requestObject = "'):
        assert offered(completer, before) == []
    assert offered(completer, 'stats count(*) by userAgent as verb | filter verb = "') == []
    assert store.asked == 0


def test_completion_offers_nothing_when_the_store_does_not_respond() -> None:
    def fail(query: Query) -> Result:
        raise StoreError("away")

    assert offered(QueryCompleter(FieldValues(fail), list, {}), 'filter verb = "') == []


def test_values_are_queried_again_after_an_error(store: Store) -> None:
    errors = [StoreError("away"), StoreError("too slow")]

    def recovering(query: Query) -> Result:
        if errors:
            raise errors.pop()
        return store.ask(query)

    completer = QueryCompleter(FieldValues(recovering), list, {})
    found = [offered(completer, 'filter userAgent = "cu') for _ in range(4)]
    assert found == [[], [], ['curl"'], ['curl"']]
    assert store.asked == 1


def test_late_values_serve_the_next_completion(store: Store) -> None:
    answered = threading.Event()

    def slowly(query: Query) -> Result:
        answered.wait()
        return store.ask(query)

    values = FieldValues(slowly, timeout=0.01)
    assert values.of("userAgent") == ()
    answered.set()
    given_up = time.monotonic() + 30
    while not (found := values.of("userAgent")) and time.monotonic() < given_up:
        pass
    assert found[:1] == (AGENT,)
    assert store.asked == 1


def test_a_hostile_value_is_shown_and_inserted_escaped(completer: QueryCompleter) -> None:
    before = 'filter userAgent = "'
    found = list(completer.get_completions(Document(before), CompleteEvent()))
    written = {one.text for one in found}
    assert 'say \\"hi\\" \\\\ to\\tyou"' in written
    assert not any("evil" in one for one in written)
    assert all(one.display_text.isprintable() for one in found)
    assert max(len(one.display_text) for one in found) <= 61
    assert f'{"x" * 200}"' in written


@pytest.mark.parametrize(
    ("value", "quote", "written"),
    [
        ("plain", '"', 'plain"'),
        ("it's", "'", "it\\'s'"),
        ("it's", '"', "it's\""),
        ("two\nlines", '"', 'two\\nlines"'),
        ("a\tb\\n", '"', 'a\\tb\\\\n"'),
        ("\u202e", '"', None),
        ("\x9b", '"', None),
    ],
)
def test_quoted_escapes_values_for_their_quote(value: str, quote: str, written: str | None) -> None:
    assert quoted(value, quote) == written


@pytest.mark.parametrize("quote", ["'", '"'])
def test_a_quoted_value_parses_to_itself(quote: str) -> None:
    value = "".join(ESCAPES.values()) + "\\n"
    (item,) = parse(f"filter verb = {quote}{quoted(value, quote)}").commands
    assert isinstance(item, Filter)
    assert isinstance(item.condition, Operation)
    assert item.condition.operands[1] == Literal(value)


def test_prefix_matches_precede_substring_matches(completer: QueryCompleter) -> None:
    found = offered(completer, "stats cou")
    assert found[0] == "count("
    assert "pod.service_account" in found
