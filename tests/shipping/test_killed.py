"""ship is killed at random moments; a last full run leaves each event stored once.

``K8SIDX_TEST_KILLS=20`` kills as often in the tests of state files, which compare event by event.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.query.algebra import Metric, Query
from tests.building import event
from tests.shipping.clusters import rows
from tests.shipping.faults.whole import ids, log_of

EVENTS = 40_000
KILLS = 20
ROUNDS = int(os.environ.get("K8SIDX_TEST_KILLS", "2"))
"""Kills of a test with a state file."""
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


def killed(command: list[str], seconds: tuple[float, float]) -> int:
    """Kill a command at random moments, and return how often it was still running."""
    chance = random.Random(11)  # noqa: S311 - moments to kill at
    running = 0
    for _ in range(ROUNDS):
        process = subprocess.Popen(command, start_new_session=True)
        time.sleep(chance.uniform(*seconds))
        running += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
    subprocess.run(command, check=True)
    return running


def test_killed_with_a_state_each_event_is_in_the_folder_once(tmp_path: Path) -> None:
    store, log = tmp_path / "store", log_of(tmp_path)
    options = ["--state", str(tmp_path / "state.json"), "--store", str(store)]
    command = [sys.executable, "-m", "k8sidx", "ship", "-q", *options, str(log)]
    assert killed(command, (0.3, 1.4)) > 0
    stored = [event.row["event.id"] for event in EmbeddedStore(store).stored_events()]
    assert sorted(map(as_hex, stored)) == sorted(ids())


def test_killed_with_a_state_each_event_is_in_the_cluster_once(
    opensearch: Cluster, prefix: str, tmp_path: Path
) -> None:
    log = log_of(tmp_path)
    options = ["--state", str(tmp_path / "state.json"), "--store", opensearch.url]
    options += ["--index", prefix]
    command = [sys.executable, "-m", "k8sidx", "ship", "-q", *options, str(log)]
    assert killed(command, (0.3, 1.4)) > 0
    assert rows(opensearch, prefix).keys() == ids()


def as_hex(identity: bytes | str) -> str:
    return identity if isinstance(identity, str) else identity.hex()


def counted(store: Path) -> Any:
    with EmbeddedStore(store).engine() as engine:
        return engine.run(COUNTS).rows[0]
