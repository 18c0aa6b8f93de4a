"""ship is killed at random moments; a last full run leaves each event stored once."""

from __future__ import annotations

import gzip
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.query.algebra import Metric, Query
from tests.building import event

EVENTS = 40_000
KILLS = 20
COUNTS = Query(metrics=(Metric("n", "count"), Metric("ids", "count_distinct", "event.id")))


def test_killed_twenty_times_each_event_is_stored_once(tmp_path: Path) -> None:
    logs = []
    for part in range(4):
        padding = {"kind": "Pod", "spec": {"text": "x" * 600}}
        lines = (
            json.dumps(event("create", seconds=n / 10, name=f"n{n}", requestObject=padding))
            for n in range(part * EVENTS // 4, (part + 1) * EVENTS // 4)
        )
        log = tmp_path / f"audit-{part}.log.gz"
        log.write_bytes(gzip.compress("\n".join(lines).encode() + b"\n", 1))
        logs.append(str(log))
    store = tmp_path / "store"
    command = [sys.executable, "-m", "k8sidx", "ship", "-q", "--store", str(store), *logs]
    chance = random.Random(7)  # noqa: S311 - moments to kill at
    opened = 0
    for _ in range(KILLS):
        process = subprocess.Popen(command, start_new_session=True)
        time.sleep(chance.uniform(0.2, 2.5))
        process.send_signal(signal.SIGKILL)
        process.wait()
        if (store / "manifest.json").exists():
            opened += 1
            rows = counted(store)
            assert rows[0] == rows[1] <= EVENTS
    assert opened > 5
    subprocess.run(command, check=True)
    assert counted(store) == (EVENTS, EVENTS)
    staging = list((store / "staging").glob("*/*.parquet"))
    assert staging == []


def counted(store: Path) -> Any:
    with EmbeddedStore(store).engine() as engine:
        return engine.run(COUNTS).rows[0]
