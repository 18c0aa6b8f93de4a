"""Shipping to a cluster, beside the limit and opensearch-py's own helper, in one run.

    python benchmarks/ship_cluster.py [--events N] [--runs N] [--url URL]

Without --url it starts an OpenSearch of its own as the tests do. The limit is the same
documents as bulk bodies that lie ready in a file. Then every real event that it can find is
shipped through a proxy that answers 429 every now and then, and counted.
"""

from __future__ import annotations

import argparse
import gzip
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from measure import K8SIDX, WORK, log
from processes import Contender, Cost, in_turn, run_once

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.http.open import open_cluster
from k8sidx.backends.cluster.index.create import ensure_index
from tests.servers.cleaning import remove_all
from tests.servers.faulty_proxy import Fault, faulty
from tests.servers.start import start_server

PREFIX = "k8sidx-benchmark"
REFERENCE = str(Path(__file__).with_name("reference_bulk.py"))
REAL = Path(__file__).parents[2] / "shared" / "data" / "apiserver"
CORES = 2


@contextmanager
def server(url: str) -> Iterator[str]:
    """The server to measure on."""
    if url:
        yield url
        return
    node = start_server("opensearch", heap="2g", full_jit=True)
    try:
        yield node.url
    finally:
        node.stop()


def compare(cluster: Cluster, events: int, runs: int) -> None:
    """The table: the limit, k8sidx, streaming_bulk."""
    [path] = log(events, 1)
    bodies = WORK / f"bodies-{events}"
    run_once([sys.executable, REFERENCE, "render", str(path), str(bodies), PREFIX], CORES)
    days = ("2026.09.01", "2026.09.02")

    def fresh() -> None:
        remove_all(cluster, PREFIX)
        for day in days:
            ensure_index(cluster, PREFIX, f"{PREFIX}-{day}")

    def raw() -> None:
        remove_all(cluster, PREFIX)
        body = {"mappings": {"enabled": False}, "settings": {"number_of_replicas": 0}}
        cluster.request("PUT", f"/{PREFIX}-raw", body=body)

    url, index = cluster.url, f"{PREFIX}-raw"
    ship = [K8SIDX, "ship", "-q", "--store", url, "--index", PREFIX, str(path)]
    contenders = [
        Contender("limit", [sys.executable, REFERENCE, "post", str(bodies), url], fresh),
        Contender("k8sidx ship", ship, fresh),
        Contender(
            "streaming_bulk", [sys.executable, REFERENCE, "streaming", str(path), url, index], raw
        ),
    ]
    limit, ours, theirs = in_turn(contenders, CORES, runs)
    print(f"\n| {events:,} events, {CORES} cores shared with the server | events/s | of the limit "
          "| CPU s per 100,000 | peak MiB |\n| --- | --: | --: | --: | --: |")  # fmt: skip
    names = ("limit: ready bodies, 2 connections", "k8sidx ship",
             "opensearch-py streaming_bulk with orjson, raw events")  # fmt: skip
    for name, cost in zip(names, (limit, ours, theirs), strict=True):
        print(_line(name, cost, limit, events))
    print(f"\nCPU of k8sidx / streaming_bulk: {ours.cpu / theirs.cpu:.2f}")
    bodies.unlink()


def _line(name: str, cost: Cost, limit: Cost, events: int) -> str:
    return (
        f"| {name} | {events / cost.wall:,.0f} | {limit.wall / cost.wall:.2f} | "
        f"{cost.cpu / events * 100_000:.2f} | {cost.memory:.0f} |"
    )


def count_real(cluster: Cluster) -> None:
    """Every real event is stored once, also under 429s; bytes a document after a merge."""
    paths = sorted(REAL.glob("*.ndjson.gz"))
    if not paths:
        print(f"\nno real events in {REAL}")
        return
    lines = {line for path in paths for line in gzip.decompress(path.read_bytes()).splitlines()}
    remove_all(cluster, PREFIX)

    def busy(number: int, _: bytes) -> Fault | None:
        if number % 5 == 0:
            return Fault(status=429)
        return Fault(busy_items=7) if number % 3 == 0 else None

    with faulty(cluster.url, busy) as proxy, tempfile.TemporaryDirectory() as folder:
        run_once([K8SIDX, "ship", "-q", "--store", proxy.url, "--index", PREFIX, "--dead-letter",
                  f"{folder}/dead.jsonl", *map(str, paths)], CORES)  # fmt: skip
        assert not Path(folder, "dead.jsonl").exists()
    cluster.request("POST", f"/{PREFIX}-*/_forcemerge?max_num_segments=1", timeout=600)
    cluster.request("POST", f"/{PREFIX}-*/_refresh")
    total = cluster.request("GET", f"/{PREFIX}-*/_stats/docs,store").json()["_all"]["primaries"]
    stored = total["docs"]["count"]
    size = total["store"]["size_in_bytes"]
    print(f"\nreal events: {len(lines):,} different lines, {stored:,} documents after "
          f"{proxy.faults} faults, {size / stored:.0f} bytes a document")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--url", default="")
    arguments = parser.parse_args()
    WORK.mkdir(exist_ok=True)
    with server(arguments.url) as url:
        cluster = open_cluster(url)
        try:
            compare(cluster, arguments.events, arguments.runs)
            count_real(cluster)
        finally:
            remove_all(cluster, PREFIX)


if __name__ == "__main__":
    main()
