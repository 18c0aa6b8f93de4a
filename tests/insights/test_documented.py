"""``docs/query.md``: every line of its tables holds, on an embedded store and on a cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from docs.generate.query_language import document
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.backends.protocol import StoreEngine
from k8sidx.events.normalize.event import Normalized
from k8sidx.insights.execute.explain import explain_query
from k8sidx.insights.execute.run import run_program
from k8sidx.insights.language.aggregates import AGGREGATES
from k8sidx.insights.language.ast import COMMANDS
from k8sidx.insights.language.functions import FUNCTIONS
from k8sidx.insights.language.parser import parse
from k8sidx.insights.language.periods import UNITS
from k8sidx.insights.language.values import as_text, parsed_moment
from tests.building import normalized
from tests.conformance.index_events import fill
from tests.demo import demo_lines
from tests.servers.cleaning import remove_all
from tests.servers.fixtures import unique_prefix
from tests.stores import put_normalized

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "query.md"
EVENTS = 4_000
EXAMPLES = sorted(
    {entry.example for table in (COMMANDS, FUNCTIONS, AGGREGATES) for entry in table.values()}
)
FIND_NOTHING = {
    "filter toMillis(@timestamp) / 1000 > now() - 3600 | limit 5",
    'filter isIpv6InSubnet(sourceIPs.0, "fd00::/8") | limit 5',
}
"""Of the end of the demo's log."""


@pytest.fixture(scope="module")
def events() -> list[Normalized]:
    """The end of the demo's log, where the attacks are."""
    return [normalized(json.loads(line)) for line in demo_lines()[-EVENTS:]]


@pytest.fixture(scope="module")
def embedded(
    events: Sequence[Normalized], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StoreEngine]:
    store = EmbeddedStore(tmp_path_factory.mktemp("documented") / "store")
    put_normalized(store, events)
    with store.engine() as engine:
        yield engine


@pytest.fixture(scope="module")
def distributed(events: Sequence[Normalized], opensearch: Cluster) -> Iterator[StoreEngine]:
    prefix = unique_prefix()
    yield fill(opensearch, prefix, events)
    remove_all(opensearch, prefix)


def test_the_tables_are_those_of_the_language() -> None:
    page = PAGE.read_text("utf-8")
    assert page == document(page), "run: python -m docs.generate.query_language docs/query.md"


@pytest.mark.parametrize("text", EXAMPLES)
def test_an_example_gives_the_same_rows_everywhere(
    text: str, embedded: StoreEngine, distributed: StoreEngine
) -> None:
    program = parse(text)
    here = run_program(program, embedded, on_warning=lambda _: None)
    there = run_program(program, distributed, on_warning=lambda _: None)
    assert here.columns == there.columns
    assert here.rows == there.rows
    assert bool(here.rows) == (text not in FIND_NOTHING)


@pytest.mark.parametrize("name", [name for name, one in FUNCTIONS.items() if one.gives])
def test_a_function_gives_what_is_documented(name: str, embedded: StoreEngine) -> None:
    call, _, value = FUNCTIONS[name].gives.rpartition(" = ")
    program = parse(f"fields {call} as x | limit 1")
    ((found,),) = run_program(program, embedded, on_warning=lambda _: None).rows
    moment = parsed_moment(value) if len(value) > 4 else None
    assert (found == moment) if moment else (as_text(found) == value)


def test_only_what_depends_on_the_day_is_documented_without_a_value() -> None:
    assert {name for name, one in FUNCTIONS.items() if not one.gives} == {"bin", "now"}


@pytest.mark.parametrize("unit", [name for written in UNITS.values() for name in written])
def test_a_unit_may_be_written_so(unit: str, embedded: StoreEngine) -> None:
    more = f", bin(2 {unit}s)" if len(unit) > 1 and unit != "ms" else ""
    program = parse(f"stats count(*) by bin(1{unit}){more}")
    found = run_program(program, embedded, on_warning=lambda _: None)
    assert sum(int(str(row[-1])) for row in found.rows) == EVENTS


@pytest.mark.parametrize("text", ["stats count(*) by verb | limit 3", "filter @message like 'x'"])
def test_explaining_asks_for_no_events(
    text: str, embedded: StoreEngine, distributed: StoreEngine
) -> None:
    assert "SELECT" in explain_query(parse(text), embedded)
    told = explain_query(parse(text), distributed)
    assert "_search" in told
    assert told.startswith("The engine runs:\n  events ")
