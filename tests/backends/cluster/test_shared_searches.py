"""Searches of hunts that run together share requests, and return what each returns alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import orjson
import pytest

from k8sidx.backends.cluster.engine.engine import SearchEngine
from k8sidx.backends.cluster.engine.session import Requests
from k8sidx.backends.cluster.engine.shared_searches import in_threads
from k8sidx.backends.cluster.http.client import Cluster, Product
from k8sidx.backends.cluster.http.response import Answer
from k8sidx.backends.protocol import QueryOptions
from k8sidx.errors import StoreError
from k8sidx.hunt.library.load import load_hunts
from k8sidx.hunt.run import Window, run_hunt, run_hunts
from tests.building import event, normalized
from tests.conformance.index_events import fill
from tests.servers.cleaning import remove_all
from tests.servers.fixtures import unique_prefix

HUNTS = (
    *("privileged_pod", "secret_get", "cluster_admin_binding", "exec_shell_or_tool"),
    *("anonymous_request", "topn_source_ip", "topn_user_by_agent", "secret_read_burst"),
    *("forbidden_surge", "new_user_agent"),
)


@dataclass
class Recorder:
    """A cluster that notes the paths of its requests.

    :param refused: status of requests with several searches, instead of an answer.
    """

    cluster: Cluster
    refused: int = 0
    paths: list[str] = field(default_factory=list)

    @property
    def product(self) -> Product:
        return self.cluster.product

    def request(self, method: str, path: str, **options: Any) -> Answer:
        self.paths.append(path)
        if self.refused and path == "/_msearch":
            return Answer(self.refused, {}, b"{}")
        return self.cluster.request(method, path, **options)


@pytest.fixture
def index(every_cluster: Cluster) -> Iterator[str]:
    prefix = unique_prefix()
    events = [
        event(verb, resource, user=user, seconds=at, code=code, auditID=f"id-{at}-{resource}")
        for at in range(40)
        for verb, resource, user, code in (
            ("get", "secrets", "eve", 200),
            ("list", "pods", "system:anonymous", 403),
        )
    ]
    fill(every_cluster, prefix, [normalized(one) for one in events])
    yield f"{prefix}-*"
    remove_all(every_cluster, prefix)


@pytest.mark.parametrize("refused", [0, 403])
def test_hunts_together_have_the_findings_of_each_alone(
    every_cluster: Cluster, index: str, refused: int
) -> None:
    hunts = load_hunts(HUNTS)
    alone, together = Recorder(every_cluster), Recorder(every_cluster, refused)
    each = [run_hunt(hunt, engine(alone, index), Window()) for hunt in hunts]
    assert run_hunts(hunts, engine(together, index), Window()) == each
    assert sum(bool(result.findings or result.rows) for result in each) >= 3
    if not refused:
        assert len(together.paths) < len(alone.paths) / 3
        assert "/_msearch" in together.paths


def engine(recorder: Recorder, index: str) -> SearchEngine:
    return SearchEngine(recorder, index)  # type: ignore[arg-type]


@dataclass
class Scripted:
    """A cluster that answers each search with its own body."""

    status: int = 200
    fails: bool = False
    bodies: list[bytes] = field(default_factory=list)
    product: Product = "opensearch"

    def request(self, method: str, path: str, *, body: Any = None, **_: Any) -> Answer:
        content = orjson.dumps(body) if isinstance(body, Mapping) else bytes(body)
        self.bodies.append(content)
        if self.fails:
            raise StoreError("the cluster is away.")
        if path != "/_msearch":
            return Answer(200, {}, content)
        searches = content.splitlines()[1::2]
        return Answer(self.status, {}, b'{"responses":[' + b",".join(searches) + b"]}")


def search(number: int, cluster: Requests) -> int:
    """Return the number of a search, and of a second one where it is even."""
    for _ in range(2 - number % 2):
        answer = cluster.request("POST", "/logs-*/_search", body={"status": 200 + number})
        assert answer.status in (200, 200 + number)
    return int(answer.json()["status"]) - 200


def outcomes(cluster: Scripted, threads: int = 8) -> list[Future[int]]:
    with in_threads(cluster, [partial(search, number) for number in range(5)], threads) as each:
        for outcome in each:
            outcome.exception()
        return each


def test_searches_of_all_threads_are_one_request() -> None:
    cluster = Scripted()
    assert [outcome.result() for outcome in outcomes(cluster)] == [0, 1, 2, 3, 4]
    first, second = cluster.bodies
    assert first.count(b'"index":"logs-*"') == 5
    assert second.count(b'"index":"logs-*"') == 3


def test_a_cluster_that_takes_single_searches_only_gets_single_ones() -> None:
    cluster = Scripted(status=403)
    assert [outcome.result() for outcome in outcomes(cluster)] == [0, 1, 2, 3, 4]
    assert len(cluster.bodies) == 1 + 8


def test_an_error_of_a_shared_request_is_that_of_each_search() -> None:
    errors = [outcome.exception() for outcome in outcomes(Scripted(fails=True))]
    assert [type(error) for error in errors] == [StoreError] * 5


def test_a_search_with_a_time_limit_does_not_wait_for_others(every_cluster: Cluster) -> None:
    recorder = Recorder(every_cluster)
    limited = SearchEngine(recorder, "none-*", answering=QueryOptions(timeout=5.0))  # type: ignore[arg-type]
    with pytest.raises(StoreError, match="none-"):
        run_hunts(load_hunts(HUNTS), limited, Window())
    assert "/_msearch" not in recorder.paths
