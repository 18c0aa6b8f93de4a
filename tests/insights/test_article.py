"""The seven queries of Square's article, word for word, on both engines and in plain Python.

The article lies beside the checkout on some machines only. The same questions in our own words
run everywhere, over the demo's log.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.protocol import StoreEngine
from k8sidx.backends.result import Result
from k8sidx.insights.execute.run import run_program
from k8sidx.insights.language.parser import parse
from tests.building import SHARED, normalized
from tests.conformance.index_events import fill
from tests.demo import demo_lines
from tests.servers.cleaning import remove_all
from tests.servers.fixtures import unique_prefix
from tests.stores import stored

ARTICLE = SHARED / "article.txt"
RECORDED = SHARED / "data" / "apiserver" / "mixed.ndjson.gz"
DEMO_EVENTS = 6_000
QUERIES = 7

beside = pytest.mark.skipif(
    not (ARTICLE.exists() and RECORDED.exists()),
    reason="the article and the recorded logs are not beside the checkout (../shared)",
)

Event = dict[str, Any]
Row = tuple[Any, ...]


def queries() -> list[str]:
    """The queries of the article: a line that begins with fields, and those that begin with |."""
    found: list[list[str]] = []
    inside = False
    for line in ARTICLE.read_text("utf-8").splitlines():
        if line.startswith("fields "):
            found.append([line])
            inside = True
        elif inside and line.startswith("|"):
            found[-1].append(line)
        else:
            inside = False
    return ["\n".join(lines) for lines in found]


@cache
def recorded() -> list[Event]:
    with gzip.open(RECORDED) as file:
        return [json.loads(line) for line in file]


@cache
def demo() -> list[Event]:
    return [json.loads(line) for line in demo_lines()[:DEMO_EVENTS]]


class Engines:
    """Both engines over the same events."""

    def __init__(self, both: Sequence[StoreEngine]) -> None:
        self.both = both

    def answers(self, text: str) -> tuple[Result, list[str]]:
        """The answer, the same on both; and what was said about it."""
        program = parse(text)
        told: list[list[str]] = [[] for _ in self.both]
        found = [
            run_program(program, engine, on_warning=said.append)
            for engine, said in zip(self.both, told, strict=True)
        ]
        assert found[0].columns == found[1].columns
        assert found[0].rows == found[1].rows
        return found[0], [line for said in told for line in said]


def over(folder: Path, cluster: Cluster, events: list[Event]) -> Iterator[Engines]:
    prefix = unique_prefix()
    try:
        search = fill(cluster, prefix, [normalized(one) for one in events])
        with stored(folder / "store", events).engine() as embedded:
            yield Engines((embedded, search))
    finally:
        remove_all(cluster, prefix)


@pytest.fixture(scope="module")
def on_recorded(tmp_path_factory: pytest.TempPathFactory, opensearch: Cluster) -> Iterator[Engines]:
    yield from over(tmp_path_factory.mktemp("recorded"), opensearch, recorded())


@pytest.fixture(scope="module")
def on_demo(tmp_path_factory: pytest.TempPathFactory, opensearch: Cluster) -> Iterator[Engines]:
    yield from over(tmp_path_factory.mktemp("demo"), opensearch, demo())


# The questions in plain Python: an event's row in the table, or nothing.


def _user(one: Event) -> str | None:
    return one["user"].get("username") or None


def _person(one: Event) -> bool:
    """Unknown is not true: no name is not "not like system"."""
    return _user(one) is not None and "system" not in one["user"]["username"]


def _code(one: Event) -> int | None:
    return one.get("responseStatus", {}).get("code")  # type: ignore[no-any-return]


def _decision(one: Event) -> str | None:
    return one.get("annotations", {}).get("authorization.k8s.io/decision")  # type: ignore[no-any-return]


def _first(one: Event) -> str | None:
    return next(iter(one.get("sourceIPs") or ()), None)


def _resource(one: Event) -> str | None:
    return one.get("objectRef", {}).get("resource")  # type: ignore[no-any-return]


def by_agent(one: Event) -> Row | None:
    return (one["userAgent"],) if one.get("userAgent") else None


def by_address(one: Event) -> Row | None:
    address = _first(one)
    return (address,) if address is not None and "::1" not in address else None


def by_agent_and_user(one: Event) -> Row | None:
    return (one["userAgent"], _user(one)) if one.get("userAgent") and _person(one) else None


def by_address_and_user(one: Event) -> Row | None:
    return (_first(one), _user(one)) if _first(one) is not None and _person(one) else None


def by_code(one: Event) -> Row | None:
    return None if _code(one) is None else (_code(one),)


def forbidden(one: Event) -> Row | None:
    decision = _decision(one)
    return (decision, _user(one)) if "forbid" in (decision or "") and _person(one) else None


def forbidden_lists(one: Event) -> Row | None:
    if _code(one) != 403 or one["verb"] != "list" or not _person(one):
        return None
    return 403, _decision(one), "list", _user(one), _resource(one)


TABLES: tuple[Callable[[Event], Row | None], ...] = (
    by_agent,
    by_address,
    by_agent_and_user,
    by_address_and_user,
    by_code,
    forbidden,
    forbidden_lists,
)
"""In the order of the article."""
COLUMNS = (
    ("userAgent", "UA"),
    ("sourceIPs.0", "SRC_IP_Count"),
    ("userAgent", "user.username", "UA"),
    ("sourceIPs.0", "user.username", "SRC_IP"),
    ("responseStatus.code", "status_code_count"),
    ("annotations.authorization.k8s.io/decision", "user.username", "decision"),
    ("responseStatus.code", "decision", "verb", "user.username", "resource", "status_code_count"),
)
OWN = (
    "stats count(*) as requests by userAgent | filter ispresent(userAgent)"
    " | sort requests desc | limit 10",
    "filter sourceIPs.0 not like '::1' | stats count() as requests by sourceIPs.0"
    " | sort requests desc | limit 10",
    "filter ispresent(userAgent) | filter not (user.username =~ 'system')"
    " | stats count(verb) as requests by userAgent, user.username | sort requests desc | limit 10",
    "# who comes from where\nwhere user.username !~ /system/ and ispresent(sourceIPs.0)\n"
    "| stats count(*) as requests by sourceIPs.0, user.username | sort requests desc | limit 10",
    "stats count(responseStatus.code) as n by responseStatus.code | filter n > 0"
    " | sort n desc | limit 10",
    "fields strcontains(user.username, 'system') as system | filter system = 0"
    " | filter annotations.authorization.k8s.io/decision in ['forbid']"
    " | stats count(*) as n by annotations.authorization.k8s.io/decision, user.username"
    " | sort n desc | limit 10",
    "filter verb = 'list' and responseStatus.code >= 403 and responseStatus.code < 404"
    " and user.username not like /system/ | stats count(*) as n by responseStatus.code,"
    " annotations.authorization.k8s.io/decision, verb, user.username, objectRef.resource"
    " | sort n desc | limit 10",
)
"""The article's questions in other words."""


def table(events: Sequence[Event], row: Callable[[Event], Row | None]) -> list[Row]:
    """The ten most frequent rows, equal ones in ascending order with missing values last."""
    counts = Counter(found for one in events if (found := row(one)) is not None)
    ordered = sorted(
        counts.items(), key=lambda item: (-item[1], [(one is None, one) for one in item[0]])
    )
    return [(*key, count) for key, count in ordered[:10]]


@beside
def test_the_article_has_seven_queries() -> None:
    assert len(queries()) == QUERIES


@beside
@pytest.mark.parametrize("number", range(QUERIES))
def test_a_query_of_the_article_word_for_word(number: int, on_recorded: Engines) -> None:
    found, _ = on_recorded.answers(queries()[number])
    wanted = table(recorded(), TABLES[number])
    assert wanted, "the logs have nothing to show"
    assert found.columns == COLUMNS[number]
    assert found.rows == wanted


@beside
def test_the_articles_slip_is_told_and_mended(on_recorded: Engines) -> None:
    """It sorts by SRC_IP what it has named SRC_IP_Count."""
    _, told = on_recorded.answers(queries()[1])
    warnings = [line for line in told if "SRC_IP" in line]
    assert len(warnings) == len(on_recorded.both)
    assert all("there is no SRC_IP; sorted by SRC_IP_Count" in line for line in warnings)


@pytest.mark.parametrize("number", range(QUERIES))
def test_the_articles_questions_in_other_words(number: int, on_demo: Engines) -> None:
    found, told = on_demo.answers(OWN[number])
    wanted = table(demo(), TABLES[number])
    assert wanted, "the log has nothing to show"
    assert found.rows == wanted
    assert not [line for line in told if "there is no" in line]
