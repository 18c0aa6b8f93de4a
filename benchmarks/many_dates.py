"""A log with events of 20,000 different dates, shipped into an embedded store.

python benchmarks/many_dates.py
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

WORK = Path(__file__).parent / "work" / "many-dates"
DATES = 20_000
FIRST = datetime(1972, 1, 1, 12, tzinfo=UTC)


def main() -> None:
    """Ship the log twice and print the files, the memory and the counts."""
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    log, store = WORK / "audit.log", WORK / "store"
    with log.open("w") as file:
        for day in range(DATES):
            moment = f"{FIRST + timedelta(days=day):%Y-%m-%dT%H:%M:%S.%fZ}"
            file.write(json.dumps(_event(day, moment)) + "\n")
    command = [sys.executable, "-m", "k8sidx", "ship", "-q", "-o", "json", "--store", str(store)]
    for _ in range(2):
        done = subprocess.run([*command, str(log)], check=True, capture_output=True, text=True)
        counts = json.loads(done.stdout)
        # The largest process of all: the shipper, or one of its workers.
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
        files = sum(1 for _ in (store / "events").rglob("*.parquet"))
        print(f"{counts['indexed']:,} indexed, {counts['duplicates']:,} duplicates, "
              f"{files} files, at most {memory} MiB a process")  # fmt: skip


def _event(number: int, moment: str) -> dict[str, object]:
    return {
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata",
        "auditID": f"{number:032x}", "stage": "ResponseComplete", "verb": "get",
        "requestURI": f"/api/v1/namespaces/shop/pods/web-{number}",
        "user": {"username": "alice", "groups": ["system:authenticated"]},
        "sourceIPs": ["192.0.2.1"], "userAgent": "kubectl/v1.37.0",
        "objectRef": {"resource": "pods", "namespace": "shop", "name": f"web-{number}",
                      "apiVersion": "v1"},
        "responseStatus": {"code": 200}, "requestReceivedTimestamp": moment,
        "stageTimestamp": moment,
    }  # fmt: skip


if __name__ == "__main__":
    main()
