"""The library in a cluster: requests, searches, time and CPU of the hunts together and one by one.

    python benchmarks/library_cluster.py http://localhost:9200 'k8s-audit-*' [--alone]

The indices must hold events already (``make_log.py``, then ``k8sidx ship``). The activity streams
are left out, as by ``k8sidx hunt --all``.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from typing import Any

from k8sidx.backends.cluster.engine.engine import SearchEngine
from k8sidx.backends.cluster.http.client import Answer, Cluster
from k8sidx.backends.cluster.http.open import open_cluster
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.library.load import load_library
from k8sidx.hunt.run import Window, run_hunt, run_hunts


def counting(cluster: Cluster) -> Counter[str]:
    """Count a cluster's requests by the last part of their paths, and the searches in them."""
    counts: Counter[str] = Counter()
    send = cluster.request

    def request(method: str, path: str, **options: Any) -> Answer:
        name = path.rsplit("/", 1)[-1]
        counts["requests"] += 1
        counts[name] += 1
        counts["searches"] += options["body"].count(b"\n") // 2 if name == "_msearch" else 0
        counts["searches"] += name == "_search"
        return send(method, path, **options)

    cluster.request = request  # type: ignore[method-assign]
    return counts


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("index")
    parser.add_argument("--alone", action="store_true", help="Run the hunts one by one, too.")
    arguments = parser.parse_args()
    hunts = [hunt for hunt in load_library() if not hunt.stream]
    print(f"| {len(hunts)} hunts | requests | searches | wall s | CPU s of k8sidx |")
    print("| --- | --: | --: | --: | --: |")
    together = row("together", arguments, hunts, one_by_one=False)
    if arguments.alone:
        alone = row("one by one", arguments, hunts, one_by_one=True)
        print(f"equal: {together == alone}")


def row(name: str, arguments: argparse.Namespace, hunts: list[Hunt], *, one_by_one: bool) -> Any:
    """Print a row, and return the results."""
    cluster = open_cluster(arguments.url)
    counts = counting(cluster)
    engine = SearchEngine(cluster, arguments.index)
    wall, cpu = time.perf_counter(), time.process_time()
    if one_by_one:
        results = [run_hunt(hunt, engine, Window()) for hunt in hunts]
    else:
        results = run_hunts(hunts, engine, Window())
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"| {name} | {counts['requests']:,} | {counts['searches']:,} | {wall:.1f} | {cpu:.1f} |")
    print(dict(counts))
    return [(result.hunt, result.rows, result.findings) for result in results]


if __name__ == "__main__":
    main()
