"""Fixtures with real servers: nothing is started before a test asks for it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import pytest

from k8sidx.backends.cluster.http.client import Cluster
from tests.servers.cleaning import remove_all
from tests.servers.find import Servers, plan
from tests.servers.node import Node
from tests.servers.secured import (
    Secured,
    start_secured_elasticsearch,
    start_secured_opensearch,
)
from tests.servers.start import VERSIONS, CannotStart, start_nodes, start_server

CURRENT = ["opensearch", "elasticsearch"]
"""What every test of a cluster runs on; the others are for what differs between versions."""

# Fixtures with a server have its name as their parameter: ``tests.scheduling`` reads it.

_SERVERS = pytest.StashKey[Servers]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_SERVERS] = Servers()


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Where each server would come from."""
    lines = []
    for name in VERSIONS:
        try:
            lines.append(f"{name}: {plan(name)}")
        except CannotStart as error:
            lines.append(f"{name}: NOT TO BE HAD, ITS TESTS ARE SKIPPED: {error}")
    return lines


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist tells the controller which servers it had and lacked."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        servers = session.config.stash[_SERVERS]
        output["servers"] = {"ran": servers.ran, "missing": servers.missing}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """The controller takes what a worker tells; one that crashed tells nothing."""
    told = getattr(node, "workeroutput", {}).get("servers", {})
    servers = node.config.stash[_SERVERS]
    servers.ran |= told.get("ran", {})
    servers.missing |= told.get("missing", {})


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Which servers the run had, by their own word, and which it lacked."""
    servers = config.stash[_SERVERS]
    for name in filter(servers.ran.__contains__, VERSIONS):
        terminalreporter.write_line(f"ran on {servers.ran[name]} ({name})")
    for name in filter(servers.missing.__contains__, VERSIONS):
        reason = servers.missing[name].splitlines()[0]
        line = f"NO {name.upper()}: its tests did not run: {reason}"
        terminalreporter.write_line(line, red=True, bold=True)


def in_ci() -> bool:
    """Whether ``CI`` says that everything must run."""
    return os.environ.get("CI", "").lower() in ("1", "true", "yes")


def or_skip(error: Exception) -> NoReturn:
    """End a test whose server cannot be had: a skip here, a failure under ``CI``."""
    if in_ci():
        pytest.fail(f"under CI every server must be there: {error}")
    pytest.skip(str(error))


@pytest.fixture(scope="session")
def servers(pytestconfig: pytest.Config) -> Iterator[Servers]:
    """Servers by name, started when asked for."""
    found = pytestconfig.stash[_SERVERS]
    yield found
    found.close()


def cluster_of(servers: Servers, name: str) -> Cluster:
    """The server of that name; a test whose server cannot be had ends here."""
    try:
        return servers.get(name)
    except CannotStart as error:
        or_skip(error)


@pytest.fixture(scope="session", params=["opensearch"])
def opensearch(request: pytest.FixtureRequest, servers: Servers) -> Cluster:
    """OpenSearch 3."""
    return cluster_of(servers, request.param)


@pytest.fixture(scope="session", params=["elasticsearch"])
def elasticsearch(request: pytest.FixtureRequest, servers: Servers) -> Cluster:
    """Elasticsearch 9."""
    return cluster_of(servers, request.param)


@pytest.fixture(scope="session", params=CURRENT)
def cluster(request: pytest.FixtureRequest, servers: Servers) -> Cluster:
    """Each product at its current version, in turn."""
    return cluster_of(servers, request.param)


@pytest.fixture(scope="session", params=list(VERSIONS))
def every_cluster(request: pytest.FixtureRequest, servers: Servers) -> Cluster:
    """Each product at each supported version, in turn: for what differs between them."""
    return cluster_of(servers, request.param)


def unique_prefix() -> str:
    """An index prefix that nobody else uses. Give it to ``remove_all`` in the end."""
    return f"k8sidx-test-{secrets.token_hex(4)}"


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> Iterator[str]:
    """An index prefix of the test's own; what was made under it is removed from the clusters
    that the test used as fixtures."""
    name = unique_prefix()
    used = [one for one in _arguments(request) if isinstance(one, Cluster)]
    yield name
    for cluster in used:
        remove_all(cluster, name)


def _arguments(request: pytest.FixtureRequest) -> list[object]:
    clusters = (*CURRENT, "cluster", "every_cluster")
    return [request.getfixturevalue(name) for name in request.fixturenames if name in clusters]


def _secured(start: Callable[[], Secured]) -> Iterator[Secured]:
    try:
        server = start()
    except CannotStart as error:
        or_skip(error)
    yield server
    server.node.stop()


@pytest.fixture(scope="session")
def secured_opensearch() -> Iterator[Secured]:
    """OpenSearch with the security plugin: TLS, users, roles."""
    yield from _secured(start_secured_opensearch)


@pytest.fixture(scope="session")
def secured_elasticsearch() -> Iterator[Secured]:
    """Elasticsearch with TLS, users, roles."""
    yield from _secured(start_secured_elasticsearch)


@pytest.fixture
def own_node() -> Iterator[Node]:
    """An OpenSearch of the test's own, to kill, restart and fill up."""
    try:
        node = start_server("opensearch")
    except CannotStart as error:
        or_skip(error)
    yield node
    node.stop()


@pytest.fixture
def three_nodes() -> Iterator[list[Node]]:
    """An OpenSearch cluster of three nodes of the test's own."""
    try:
        nodes = start_nodes(3)
    except CannotStart as error:
        or_skip(error)
    yield nodes
    for node in nodes:
        node.stop()
