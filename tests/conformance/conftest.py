"""The engines, each over the same events, and the report of what they answered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from k8sidx.backends.cluster.engine.engine import SearchEngine
from k8sidx.backends.embedded.engine.engine import DuckDBEngine
from tests.building import normalized
from tests.conformance.events import EVENTS
from tests.conformance.index_events import fill
from tests.conformance.operations import OPERATIONS, sample
from tests.conformance.report import Report
from tests.servers.cleaning import remove_all
from tests.servers.find import Servers
from tests.servers.fixtures import CURRENT, in_ci, unique_prefix
from tests.servers.start import VERSIONS
from tests.stores import stored

_REPORT = pytest.StashKey[Report]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--conformance-report", metavar="FILE", help="write the table of operations and engines"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_REPORT] = Report()


def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["conformance"] = session.config.stash[_REPORT].told()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    told = getattr(node, "workeroutput", {}).get("conformance")
    if told:
        node.config.stash[_REPORT].take(told)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    report = config.stash[_REPORT]
    for line in report.summary():
        terminalreporter.write_line(line)
    path = config.getoption("--conformance-report", default=None)
    if path:
        Path(path).write_text(report.document(), "utf-8")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Which servers a test runs on.

    Hunts: each product's current version; for the report every version. Operations: the current
    versions all of them, the older ones a sample; for the report and under ``CI`` all of them.
    """
    reported = bool(metafunc.config.getoption("--conformance-report", default=None))
    for fixture in ("cases_in_cluster", "demo_in_cluster"):
        if fixture in metafunc.fixturenames:
            names = list(VERSIONS) if reported else CURRENT
            metafunc.parametrize(fixture, names, indirect=True, scope="module")
    if {"operation", "search_engine"} <= set(metafunc.fixturenames):
        pairs = [
            (server, operation)
            for server in VERSIONS
            for operation in (
                OPERATIONS if reported or in_ci() or server in CURRENT else sample(OPERATIONS)
            )
        ]
        metafunc.parametrize(
            ("search_engine", "operation"),
            pairs,
            indirect=["search_engine"],
            ids=[f"{server}-{operation.name}" for server, operation in pairs],
            scope="session",
        )
    elif "search_engine" in metafunc.fixturenames:
        metafunc.parametrize("search_engine", list(VERSIONS), indirect=True, scope="session")


@pytest.fixture(scope="session")
def report(pytestconfig: pytest.Config) -> Report:
    """Where each test says what an engine did."""
    return pytestconfig.stash[_REPORT]


@pytest.fixture(scope="session")
def duckdb_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBEngine]:
    """The embedded engine over the events."""
    store = stored(tmp_path_factory.mktemp("conformance") / "store", EVENTS)
    with store.engine() as engine:
        yield engine


@pytest.fixture(scope="session")
def search_engine(
    request: pytest.FixtureRequest, servers: Servers, report: Report
) -> Iterator[SearchEngine]:
    """Each product at each version over the same events, in turn."""
    cluster = report.cluster(servers, request.param)
    prefix = unique_prefix()
    try:
        yield fill(cluster, prefix, [normalized(body) for body in EVENTS])
    finally:
        remove_all(cluster, prefix)
