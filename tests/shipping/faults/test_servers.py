"""Faults of servers: killed and restarted, read-only, a node of three lost, a foreign mapping."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.http.open import open_cluster
from k8sidx.backends.cluster.index.create import ensure_index
from k8sidx.shipping.pipeline import ShipReport
from tests.servers.faulty_proxy import Fault, faulty
from tests.servers.node import Node
from tests.shipping.clusters import dead_letters, rows, shipped
from tests.shipping.faults.whole import EVENTS, assert_whole, log_of


@contextmanager
def in_background(work: Callable[[], ShipReport]) -> Iterator[Callable[[], ShipReport]]:
    """Run it beside the block; what is yielded waits for its report."""
    found: list[ShipReport] = []
    thread = threading.Thread(target=lambda: found.append(work()), daemon=True)
    thread.start()

    def wait() -> ShipReport:
        thread.join(120)
        assert found, "shipping has not ended"
        return found[0]

    yield wait
    wait()


def until(condition: Callable[[], Any], seconds: float = 60) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it has not come"
        time.sleep(0.1)


def test_the_server_killed_and_restarted_mid_run(own_node: Node, tmp_path: Path) -> None:
    log = log_of(tmp_path)
    kill = threading.Event()

    def script(number: int, _: bytes) -> Fault | None:
        if number == 2:
            kill.set()
            time.sleep(0.05)  # so that it dies with this request under way
        return None

    with faulty(own_node.url, script) as proxy:
        with in_background(lambda: shipped(proxy.url, "mid-run", log, folder=tmp_path)) as report:
            assert kill.wait(60)
            own_node.kill()
            time.sleep(2)
            own_node.start()
        assert_whole(report(), open_cluster(own_node.url), "mid-run", tmp_path)
    assert proxy.bulks > 6


def test_a_cluster_turned_read_only_by_the_disk_watermark(
    opensearch: Cluster, prefix: str, tmp_path: Path
) -> None:
    for day in ("23", "24"):
        ensure_index(opensearch, prefix, f"{prefix}-2026.11.{day}")
    block = {"index.blocks.read_only_allow_delete": True}
    answer = opensearch.request("PUT", f"/{prefix}-*/_settings", body=block)
    assert answer.status == 200
    with in_background(
        lambda: shipped(opensearch.url, prefix, log_of(tmp_path), folder=tmp_path)
    ) as report:
        time.sleep(3)
        assert not rows(opensearch, prefix)
        free = {"index.blocks.read_only_allow_delete": None}
        opensearch.request("PUT", f"/{prefix}-*/_settings", body=free)
    assert_whole(report(), opensearch, prefix, tmp_path)
    assert report().indexed == EVENTS


def test_an_index_deleted_mid_run_never_comes_back_without_its_mapping(
    opensearch: Cluster, prefix: str, tmp_path: Path
) -> None:
    def script(number: int, _: bytes) -> Fault | None:
        if number == 2:
            opensearch.request("DELETE", f"/{prefix}-2026.11.23")
        return None

    with faulty(opensearch.url, script) as proxy:
        report = shipped(proxy.url, prefix, log_of(tmp_path), folder=tmp_path, processes=1)
    assert (report.indexed, report.rejected) == (EVENTS, 0)
    answer = opensearch.request("GET", f"/{prefix}-*/_mapping").json()
    assert len(answer) == 2
    assert all(one["mappings"]["_meta"]["made_by"] == "k8sidx" for one in answer.values())


def test_one_node_of_a_three_node_cluster_killed(three_nodes: list[Node], tmp_path: Path) -> None:
    first = open_cluster(three_nodes[0].url)
    for day in ("23", "24"):
        ensure_index(first, "three", f"three-2026.11.{day}")
    until(lambda: b"green" in first.request("GET", "/_cluster/health/three-*").body)
    shards = first.request("GET", "/_cat/shards/three-*?format=json").json()
    primaries = {shard["node"] for shard in shards if shard["prirep"] == "p"}
    names = {node.url: open_name(node) for node in three_nodes}
    victim = next((n for n in three_nodes[1:] if names[n.url] in primaries), three_nodes[1])
    others = [node for node in three_nodes if node is not victim]
    requests = itertools.count(1)

    def script(*_: Any) -> None:
        if next(requests) == 2:
            victim.kill()

    with faulty(others[0].url, script) as one, faulty(others[1].url, script) as two:
        report = shipped(f"{one.url},{two.url}", "three", log_of(tmp_path), folder=tmp_path)
    assert next(requests) > 4
    assert_whole(report, open_cluster(others[0].url), "three", tmp_path)


def open_name(node: Node) -> str:
    """What a node calls itself."""
    return str(open_cluster(node.url).request("GET", "/").json()["name"])


def test_a_mapping_conflict_in_a_foreign_index(
    opensearch: Cluster, prefix: str, tmp_path: Path
) -> None:
    # A foreign template that goes before ours gives the name of objects another type.
    for day in ("23", "24"):
        index = f"{prefix}-2026.11.{day}"
        ensure_index(opensearch, prefix, index)
        mapping = opensearch.request("GET", f"/{index}/_mapping").json()[index]["mappings"]
        mapping["properties"]["objectRef"]["properties"]["name"] = {"type": "long"}
        opensearch.request("DELETE", f"/{index}")
        made = {"mappings": mapping, "aliases": {f"{index}.write": {}}}
        made["settings"] = {"index.mapping.total_fields.limit": 1000}
        answer = opensearch.request("PUT", f"/{index}", body=made)
        assert answer.status == 200, answer.body
    log = log_of(tmp_path)
    lines = log.read_bytes().splitlines()
    for place in range(0, EVENTS, 10):
        lines[place] = lines[place].replace(b'"name": "n%d"' % place, b'"name": "%d"' % place)
    log.write_bytes(b"\n".join(lines) + b"\n")
    report = shipped(opensearch.url, prefix, log, folder=tmp_path)
    assert (report.read, report.indexed, report.duplicates) == (EVENTS, EVENTS // 10, 0)
    assert report.rejected == EVENTS - EVENTS // 10
    letters = dead_letters(tmp_path)
    assert {one["raw"].encode() for one in letters} == {
        line for place, line in enumerate(lines) if place % 10
    }
    for one in letters:
        assert lines[one["record"] - 1] == one["raw"].encode()
        assert "objectRef.name" in one["reason"]
    assert len(rows(opensearch, prefix)) == EVENTS // 10


def test_an_index_of_somebody_else_is_not_written_to(
    opensearch: Cluster, prefix: str, tmp_path: Path
) -> None:
    opensearch.request("PUT", f"/{prefix}-2026.11.23", body={"mappings": {"dynamic": True}})
    report = shipped(opensearch.url, prefix, log_of(tmp_path), folder=tmp_path)
    assert report.failure is not None
    assert "was not made by k8sidx" in str(report.failure)
    assert "are not delivered" in str(report.failure)
    assert report.read == report.indexed < EVENTS
    opensearch.request("POST", f"/{prefix}-2026.11.23/_refresh")
    assert opensearch.request("GET", f"/{prefix}-2026.11.23/_count").json()["count"] == 0
