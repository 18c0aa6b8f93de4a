"""Every hunt of the library: clusters find what DuckDB finds, to the last word."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from k8sidx.backends.protocol import Engine
from k8sidx.events.fields.lookup import resolve
from k8sidx.events.fields.table import Kind
from k8sidx.events.normalize.event import Normalized
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.library.load import load_hunts, load_library
from k8sidx.hunt.lists import Lists
from k8sidx.hunt.result import HuntResult
from k8sidx.hunt.run import Window, run_hunt
from k8sidx.query.algebra import leaves
from tests.building import START, normalized
from tests.conformance.index_events import fill
from tests.conformance.report import SAME, Report
from tests.demo import demo_lines
from tests.hunt.library.cases import HISTORY
from tests.hunt.library.test_pairs import pairs
from tests.judge.engines import embedded
from tests.places import example_places
from tests.servers.cleaning import remove_all
from tests.servers.find import Servers
from tests.servers.fixtures import unique_prefix

LIBRARY = load_library()
SILENT_TOGETHER = {"cluster_silent", "configmap_private_credentials", "source_silent"}
"""What all cases together do not set off: two events that differ in a secret's value alone have
one id and are one event, and among all cases nobody falls silent."""
ATTACK = Window(since=datetime(2026, 11, 23, 21, tzinfo=UTC), baseline=timedelta(minutes=30))


@pytest.fixture(scope="module")
def cases() -> list[Normalized]:
    """The events that set off each hunt of the library, and those that nearly do, each once."""
    events = (event for one in pairs().values() for event in (*one.before, *one.fires, *one.silent))
    made = [normalized(event, places=example_places()) for event in events]
    return list({event.values.id: event for event in made}.values())


@pytest.fixture(scope="module")
def demo() -> list[Normalized]:
    """The recorded log of the demo, 30,000 events."""
    return [normalized(json.loads(line)) for line in demo_lines()]


@pytest.fixture(scope="module")
def cases_embedded(
    cases: Sequence[Normalized], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    with embedded(tmp_path_factory.mktemp("cases"), cases) as engine:
        yield engine


@pytest.fixture(scope="module")
def demo_embedded(
    demo: Sequence[Normalized], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    with embedded(tmp_path_factory.mktemp("demo"), demo) as engine:
        yield engine


@pytest.fixture(scope="module")
def cases_in_cluster(
    request: pytest.FixtureRequest, servers: Servers, cases: Sequence[Normalized], report: Report
) -> Iterator[Engine]:
    with _filled(request.param, servers, cases, report) as engine:
        yield engine


@pytest.fixture(scope="module")
def demo_in_cluster(
    request: pytest.FixtureRequest, servers: Servers, demo: Sequence[Normalized], report: Report
) -> Iterator[Engine]:
    with _filled(request.param, servers, demo, report) as engine:
        yield engine


@contextmanager
def _filled(
    name: str, servers: Servers, events: Sequence[Normalized], report: Report
) -> Iterator[Engine]:
    cluster = report.cluster(servers, name)
    prefix = unique_prefix()
    try:
        yield fill(cluster, prefix, events)
    finally:
        remove_all(cluster, prefix)


@pytest.mark.parametrize("name", pairs())
def test_a_hunt_finds_the_same_in_what_hunts_are_about(
    name: str, cases_embedded: Engine, cases_in_cluster: Engine
) -> None:
    one = pairs()[name]
    hunt = load_hunts([name], Lists(one.lists))[0]
    window = Window(since=START, baseline=HISTORY) if one.before else Window()
    wanted = run_hunt(hunt, cases_embedded, window)
    found = run_hunt(hunt, cases_in_cluster, window)
    assert _without_engine(found) == _without_engine(wanted)
    assert wanted.rows or wanted.findings or name in SILENT_TOGETHER


@pytest.mark.parametrize("hunt", LIBRARY, ids=lambda one: one.id)
def test_a_hunt_finds_the_same_in_a_recorded_log(
    hunt: Hunt,
    demo_embedded: Engine,
    demo_in_cluster: Engine,
    report: Report,
    request: pytest.FixtureRequest,
) -> None:
    wanted = run_hunt(hunt, demo_embedded, ATTACK)
    found = run_hunt(hunt, demo_in_cluster, ATTACK)
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
