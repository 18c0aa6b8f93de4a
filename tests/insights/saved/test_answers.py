"""Every saved query is answered, and alike, in a folder and in a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.index.target import parse_target
from k8sidx.backends.cluster.store import ClusterStore
from k8sidx.backends.connection import ConnectionSettings
from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.backends.protocol import StoreEngine
from k8sidx.backends.result import Result
from k8sidx.insights.execute.run import run_program
from k8sidx.insights.language.parser import parse
from k8sidx.insights.saved.saved import SavedQuery, saved_queries
from k8sidx.shipping.pipeline import ship
from tests.demo import demo_lines
from tests.servers.cleaning import remove_all
from tests.servers.fixtures import unique_prefix

LAST = 9_000
"""The end of the demo's log, where its attacks are."""
QUERIES = saved_queries(None)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "audit.log"
    path.write_bytes(b"\n".join(demo_lines()[-LAST:]) + b"\n")
    return path


@pytest.fixture(scope="module")
def folder(log: Path) -> Iterator[StoreEngine]:
    store = EmbeddedStore(log.parent / "store")
    ship([str(log)], store)
    with store.engine() as engine:
        yield engine


@pytest.fixture(scope="module")
def indices(log: Path, opensearch: Cluster) -> Iterator[StoreEngine]:
    prefix = unique_prefix()
    store = ClusterStore(opensearch.url, parse_target(prefix), ConnectionSettings())
    ship([str(log)], store)
    opensearch.request("POST", f"/{prefix}-*/_refresh")
    with store.engine() as engine:
        yield engine
    remove_all(opensearch, prefix)


def asked(query: SavedQuery, engine: StoreEngine) -> Result:
    return run_program(parse(query.text), engine, on_warning=lambda line: None)


@pytest.mark.parametrize("query", QUERIES, ids=lambda one: one.name)
def test_it_has_something_to_show_of_the_demo(query: SavedQuery, folder: StoreEngine) -> None:
    result = asked(query, folder)
    assert result.rows
    assert result.exact


@pytest.mark.parametrize("query", QUERIES, ids=lambda one: one.name)
def test_a_cluster_answers_the_same(
    query: SavedQuery, folder: StoreEngine, indices: StoreEngine
) -> None:
    assert asked(query, indices).rows == asked(query, folder).rows
