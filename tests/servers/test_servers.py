"""The suite's own servers: found, cleaned up after, killed and started again."""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import urllib3

from k8sidx.backends.cluster.http.client import Cluster, ClusterUnreachable
from k8sidx.backends.cluster.http.open import open_cluster
from tests.scheduling import group_of
from tests.servers import fixtures
from tests.servers.cleaning import remove_all
from tests.servers.find import Servers, plan
from tests.servers.fixtures import or_skip, unique_prefix
from tests.servers.node import Node
from tests.servers.secured import Secured
from tests.servers.start import CannotStart, java_for

REAPER = Path(__file__).with_name("reaper.py")


def test_every_version_answers(every_cluster: Cluster, prefix: str) -> None:
    made = every_cluster.request("PUT", f"/{prefix}-a/_doc/1", body={"verb": "get"})
    assert made.status == 201
    assert every_cluster.version >= (2, 19)


def test_what_a_test_made_is_removed_and_nothing_else(cluster: Cluster, prefix: str) -> None:
    other = unique_prefix()
    template = {"index_patterns": [f"{other}-*"], "priority": 300}
    cluster.request("PUT", f"/_index_template/{other}", body=template)
    cluster.request("PUT", f"/_component_template/{other}", body={"template": {}})
    for index in (f"{other}-1", f"{prefix}-1"):
        assert cluster.request("PUT", f"/{index}").status == 200
    remove_all(cluster, other)
    for path in (f"/{other}-1", f"/_index_template/{other}", f"/_component_template/{other}"):
        assert cluster.request("GET", path).status == 404
    assert cluster.request("GET", f"/{prefix}-1").status == 200


def test_a_killed_server_comes_back_with_its_data(own_node: Node) -> None:
    cluster = open_cluster(own_node.url)
    cluster.request("PUT", "/kept/_doc/1?refresh=true", body={"verb": "get"})
    own_node.kill()
    with pytest.raises(ClusterUnreachable):
        cluster.request("GET", "/")
    own_node.start()
    assert cluster.request("GET", "/kept/_doc/1").json()["_source"] == {"verb": "get"}
    cluster.close()


def test_one_of_three_nodes_may_go(three_nodes: list[Node]) -> None:
    cluster = open_cluster(three_nodes[0].url)
    health = cluster.request("GET", "/_cluster/health?wait_for_nodes=3&timeout=30s").json()
    assert health["number_of_nodes"] == 3
    three_nodes[2].kill()
    health = cluster.request("GET", "/_cluster/health?wait_for_nodes=2&timeout=30s").json()
    assert health["number_of_nodes"] == 2
    cluster.close()


@pytest.mark.parametrize("name", ["secured_opensearch", "secured_elasticsearch"])
def test_a_secured_server_knows_its_users(name: str, request: pytest.FixtureRequest) -> None:
    server: Secured = request.getfixturevalue(name)
    monitor = "monitor" if server.product == "elasticsearch" else "cluster_monitor"
    allowed = {"allowed-*": ["create_index" if server.product == "elasticsearch" else "index"]}
    server.add_user("somebody", "Gh7-tower-of-tests", cluster=[monitor], indices=allowed)
    context = ssl.create_default_context(cafile=str(server.ca))
    for user, path, status in (
        ("somebody:Gh7-tower-of-tests", "/_cluster/health", 200),
        ("somebody:Gh7-tower-of-tests", "/other-1", 403),
        ("somebody:wrong", "/_cluster/health", 401),
    ):
        with urllib3.PoolManager(ssl_context=context) as pool:
            headers = urllib3.make_headers(basic_auth=user)
            method = "PUT" if path == "/other-1" else "GET"
            assert pool.request(method, server.url + path, headers=headers).status == status


def test_nothing_is_left_when_the_tests_die(tmp_path: Path) -> None:
    program = f"import subprocess, sys, time; k = subprocess.Popen([sys.executable, {str(REAPER)!r}"
    program += (
        ", 'sleep', '600'], stdin=-1, stdout=-1); print(int(k.stdout.readline()), flush=True)"
    )
    program += "; time.sleep(600)"
    tests = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, start_new_session=True
    )
    assert tests.stdout is not None
    server = int(tests.stdout.readline())
    os.kill(server, 0)
    os.killpg(tests.pid, signal.SIGKILL)
    tests.wait()
    tests.stdout.close()
    for _ in range(100):
        try:
            os.kill(server, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail("the server outlived the tests")


def test_a_missing_server_is_a_skip_here_and_a_failure_in_ci(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("K8SIDX_TEST_OPENSEARCH", "http://127.0.0.1:1")
    with pytest.raises(CannotStart, match="K8SIDX_TEST_OPENSEARCH"):
        plan("opensearch")
    monkeypatch.setenv("CI", "")
    with pytest.raises(pytest.skip.Exception):
        or_skip(CannotStart("no Java"))
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no Java"):
        or_skip(CannotStart("no Java"))


def test_a_missing_java_is_said_with_what_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.servers.start.find_java", lambda *_, **__: None)
    with pytest.raises(CannotStart, match="needs Java 11 to 23"):
        java_for("opensearch", "2.19.6")


def test_a_server_that_cannot_be_had_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("K8SIDX_TEST_ELASTICSEARCH", "K8SIDX_TEST_OPENSEARCH"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setattr("tests.servers.find._patiently", _refused)
    servers = Servers()
    for _ in range(2):
        with pytest.raises(CannotStart, match="refused"):
            servers.get("opensearch")
    assert list(servers.missing) == ["opensearch"]


@pytest.mark.parametrize(
    ("nodeid", "group"),
    [
        ("tests/a.py::test_one", "tests/a.py"),
        ("tests/a.py::test_one[opensearch]", "opensearch"),
        ("tests/a.py::test_one[opensearch_2-x-y]", "opensearch_2"),
        ("tests/a.py::test_one[x-elasticsearch]", "elasticsearch"),
        ("tests/a.py::test_one[secured_opensearch]", "secured_opensearch"),
        ("tests/a.py::test_opensearch[topn_opensearch]", "tests/a.py"),
    ],
)
def test_tests_of_one_server_go_to_one_worker(nodeid: str, group: str) -> None:
    assert group_of(nodeid) == group


def test_what_workers_ran_on_is_told_by_the_controller(other_run: SimpleNamespace) -> None:
    told = {"ran": {"opensearch": "opensearch 3.8.0"}, "missing": {"elasticsearch": "no Java\n"}}
    node = SimpleNamespace(config=other_run, workeroutput={"servers": told})
    crashed = SimpleNamespace(config=other_run)
    for worker in (node, crashed):
        fixtures.pytest_testnodedown(worker)
    lines: list[str] = []
    reporter = SimpleNamespace(write_line=lambda line, **_: lines.append(line))
    fixtures.pytest_terminal_summary(reporter, other_run)  # type: ignore[arg-type]
    assert lines == [
        "ran on opensearch 3.8.0 (opensearch)",
        "NO ELASTICSEARCH: its tests did not run: no Java",
    ]


@pytest.fixture
def other_run() -> SimpleNamespace:
    """A configuration of another run."""
    config = SimpleNamespace(stash=pytest.Stash())
    fixtures.pytest_configure(config)  # type: ignore[arg-type]
    return config


def _refused(address: str, seconds: float) -> Cluster:
    raise CannotStart("refused")
