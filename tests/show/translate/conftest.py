"""Events that set off each hunt of the library, those that nearly do, hostile and usual ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from k8sidx.backends.cluster.engine.engine import SearchEngine
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.embedded.engine.engine import DuckDBEngine
from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.events.normalize.event import Normalized
from tests.building import event, normalized
from tests.conformance.index_events import fill
from tests.demo import demo_lines
from tests.hunt.library.test_pairs import pairs
from tests.servers.cleaning import remove_all
from tests.servers.find import Servers
from tests.servers.fixtures import cluster_of, unique_prefix
from tests.stores import put_normalized

HOSTILE = (
    "plain",
    "it's",
    "'; DROP TABLE events; --",
    "what? and ?",
    '"quoted" \\"more\\"',
    "back\\slash\\",
    "a*b?c",
    "axbyc",
    "(a OR b) AND NOT c",
    "a or b and not c",
    "or",
    "not x",
    "null",
    "true",
    "/re.*gex/",
    "[a TO z] {1}",
    "+-=&|><!(){}[]^~:#@",
    "a  b",
    " edges ",
    "line\nbreak",
    "tab\there",
    "`tick` $x %y% _z_",
    "{source}",
    "K\u212a kelvin ſ É",
    "日本 \U00010348",
)
"""Names that mean something in one of the languages."""


@pytest.fixture(scope="session")
def cases() -> list[Normalized]:
    """Events of the library's cases, each once, one for each hostile name, and every tenth of
    the demo's log."""
    events = [event for one in pairs().values() for event in (*one.before, *one.fires, *one.silent)]
    events += [event("get", "configmaps", agent=text, user=text) for text in HOSTILE]
    events += [json.loads(line) for line in demo_lines()[::10]]
    return list({made.values.id: made for made in map(normalized, events)}.values())


@pytest.fixture(scope="session")
def store_folder(cases: Sequence[Normalized], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the store ``k8sidx-store``, of several parts."""
    folder = tmp_path_factory.mktemp("elsewhere")
    store = EmbeddedStore(folder / "k8sidx-store")
    for place in range(3):
        put_normalized(store, cases[place::3])
    return folder


@pytest.fixture(scope="session")
def embedded(store_folder: Path) -> Iterator[DuckDBEngine]:
    with DuckDBEngine(store_folder / "k8sidx-store") as engine:
        yield engine


@dataclass(frozen=True)
class Filled:
    """A cluster with the cases, and an engine over them."""

    cluster: Cluster
    engine: SearchEngine
    indices: str

    def search(self, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.cluster.request("POST", f"/{self.indices}/_search", body=body)
        assert answer.status == 200, answer.body[:2000]
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture(scope="session")
def fill_once(servers: Servers, cases: Sequence[Normalized]) -> Iterator[Callable[[str], Filled]]:
    """The server of a name over the cases, filled at the first call."""
    prefix = unique_prefix()
    made: dict[str, Filled] = {}

    def filled_server(name: str) -> Filled:
        if name not in made:
            cluster = cluster_of(servers, name)
            made[name] = Filled(cluster, fill(cluster, prefix, cases), f"{prefix}-*")
        return made[name]

    yield filled_server
    for filled in made.values():
        remove_all(filled.cluster, prefix)


@pytest.fixture
def filled(request: pytest.FixtureRequest, fill_once: Callable[[str], Filled]) -> Filled:
    """The server that the parameter names, over the cases. A fixture of the session with
    ``indirect`` among other parameters would be torn down after each test."""
    return fill_once(request.param)


def on_servers(
    values: Sequence[Any], known: Callable[[Any], bool] = lambda _: True
) -> list[tuple[str, Any]]:
    """All on OpenSearch, and every fifth on Elasticsearch, which takes the same texts.

    :param known: whether the distribution of Elasticsearch that the tests run has all it needs.
    """
    on_both = [("elasticsearch", one) for one in list(filter(known, values))[::5]]
    return [*(("opensearch", one) for one in values), *on_both]
