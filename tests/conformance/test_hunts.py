"""Every hunt of the library: clusters find what DuckDB finds, to the last word."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import zstandard

from k8sidx.engine.protocol import Engine
from k8sidx.fields.lookup import resolve
from k8sidx.fields.table import Kind
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.library import load_hunts, load_library
from k8sidx.hunt.lists import Lists
from k8sidx.hunt.result import HuntResult
from k8sidx.hunt.run import Window, run_hunt
from k8sidx.normalize.event import Normalized
from k8sidx.query.algebra import leaves
from tests.building import START, normalized
from tests.conformance.filled import fill
from tests.conformance.report import SAME, Report
from tests.hunt.library.pairs import HISTORY
from tests.hunt.library.test_pairs import pairs
from tests.judge.engines import CaseEngine, embedded, tagged
from tests.servers.cleaning import remove_all
from tests.servers.find import Servers
from tests.servers.fixtures import unique_prefix

DEMO = Path(__file__).parents[2] / "demo" / "audit.ndjson.zst"
LIBRARY = load_library()
ATTACK = Window(since=datetime(2026, 11, 23, 21, tzinfo=UTC), baseline=timedelta(minutes=30))

Rounds = Sequence[Sequence[Normalized]]


@pytest.fixture(scope="module")
def cases() -> Rounds:
    """The events that set off each hunt, and those that nearly do."""
    return tagged(
        {
            f"{name} {side}": [*one.before, *getattr(one, side)]
            for name, one in pairs().items()
            for side in ("fires", "silent")
        }
    )


@pytest.fixture(scope="module")
def demo() -> Rounds:
    """The recorded log of the demo, 30,000 events."""
    with DEMO.open("rb") as file:
        text = zstandard.ZstdDecompressor().stream_reader(file).read()
    return [[normalized(json.loads(line)) for line in text.splitlines()]]


@pytest.fixture(scope="module")
def cases_embedded(
    cases: Rounds, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Engine]]:
    with embedded(tmp_path_factory.mktemp("cases"), cases) as engines:
        yield engines


@pytest.fixture(scope="module")
def demo_embedded(demo: Rounds, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Engine]]:
    with embedded(tmp_path_factory.mktemp("demo"), demo) as engines:
        yield engines


@pytest.fixture(scope="module")
def cases_in_cluster(
    request: pytest.FixtureRequest, servers: Servers, cases: Rounds, report: Report
) -> Iterator[list[Engine]]:
    with _filled(request.param, servers, cases, report) as engines:
        yield engines


@pytest.fixture(scope="module")
def demo_in_cluster(
    request: pytest.FixtureRequest, servers: Servers, demo: Rounds, report: Report
) -> Iterator[list[Engine]]:
    with _filled(request.param, servers, demo, report) as engines:
        yield engines


@contextmanager
def _filled(name: str, servers: Servers, rounds: Rounds, report: Report) -> Iterator[list[Engine]]:
    cluster = report.cluster(servers, name)
    with ExitStack() as cleaning:
        engines: list[Engine] = []
        for events in rounds:
            prefix = unique_prefix()
            cleaning.callback(remove_all, cluster, prefix)
            engines.append(fill(cluster, prefix, events))
        yield engines


@pytest.mark.parametrize("side", ["fires", "silent"])
@pytest.mark.parametrize("name", pairs())
def test_a_hunt_finds_the_same_in_what_it_is_about(
    name: str, side: str, cases_embedded: list[Engine], cases_in_cluster: list[Engine]
) -> None:
    one = pairs()[name]
    hunt = load_hunts([name], Lists(one.lists))[0]
    window = Window(since=START, baseline=HISTORY) if one.before else Window()
    for embedded_engine, cluster_engine in zip(cases_embedded, cases_in_cluster, strict=True):
        wanted = run_hunt(hunt, CaseEngine(embedded_engine, f"{name} {side}"), window)
        found = run_hunt(hunt, CaseEngine(cluster_engine, f"{name} {side}"), window)
        assert _without_engine(found) == _without_engine(wanted)


@pytest.mark.parametrize("window", [Window(), ATTACK], ids=["all time", "compared"])
@pytest.mark.parametrize("hunt", LIBRARY, ids=lambda one: one.id)
def test_a_hunt_finds_the_same_in_a_recorded_log(
    hunt: Hunt,
    window: Window,
    demo_embedded: list[Engine],
    demo_in_cluster: list[Engine],
    report: Report,
    request: pytest.FixtureRequest,
) -> None:
    wanted = run_hunt(hunt, demo_embedded[0], window)
    found = run_hunt(hunt, demo_in_cluster[0], window)
    assert _without_engine(found) == _without_engine(wanted)
    report.add(f"hunt {hunt.id}", request.node.callspec.params["demo_in_cluster"], SAME)


def test_no_hunt_asks_for_what_a_cluster_only_keeps() -> None:
    """Bodies and other JSON are not searched in a cluster."""
    for hunt in LIBRARY:
        for base in (hunt, *getattr(hunt, "bases", ())):
            for leaf in leaves(base.condition):
                assert resolve(leaf.field).field.kind is not Kind.JSON, hunt.id


def _without_engine(result: HuntResult) -> Any:
    return replace(result, engine="")
