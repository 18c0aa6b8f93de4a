"""Faults of shippers: killed at random moments, two at once, told to stop."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from k8sidx.backends.cluster.http.client import Cluster
from tests.building import event
from tests.servers.cleaning import remove_all
from tests.servers.faulty_proxy import Fault, faulty
from tests.servers.fixtures import unique_prefix
from tests.shipping.clusters import rows
from tests.shipping.faults.whole import EVENTS, ids, log_of

KILLS = 8


def start(url: str, prefix: str, *arguments: str, folder: Path, **options: Any) -> Any:
    """``k8sidx ship`` as a process of its own."""
    command = [sys.executable, "-m", "k8sidx", "ship", "-o", "json", "--store", url]
    command += ["--index", prefix, "--dead-letter", str(folder / "dead.jsonl"), *arguments]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        # A shell that runs the tests in the background has its children ignore SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        env={**os.environ, "COLUMNS": "200"},
        **options,
    )


def lasting(cluster: Cluster, log: str, folder: Path) -> float:
    """Seconds that a shipper takes here for the whole log, so that a kill finds it at work."""
    elsewhere = unique_prefix()
    began = time.monotonic()
    start(cluster.url, elsewhere, log, folder=folder).communicate()
    taken = time.monotonic() - began
    remove_all(cluster, elsewhere)
    return taken


def test_kill_9_of_the_shipper_at_random_moments(
    opensearch: Cluster, prefix: str, tmp_path: Path
) -> None:
    log = str(log_of(tmp_path))
    chance = random.Random(11)  # noqa: S311 - moments to kill at
    whole = lasting(opensearch, log, tmp_path)
    under_way = 0
    for _ in range(KILLS):
        process = start(opensearch.url, prefix, log, folder=tmp_path)
        time.sleep(chance.uniform(0.2, 0.9) * whole)
        under_way += process.poll() is None
        process.kill()
        process.communicate()
    assert under_way
    out, err = start(opensearch.url, prefix, log, folder=tmp_path).communicate()
    report = json.loads(out)
    assert report["read"] == report["indexed"] + report["duplicates"] == EVENTS, err
    assert rows(opensearch, prefix).keys() == ids()


def test_two_shippers_on_the_same_files_at_once(
    opensearch: Cluster, prefix: str, tmp_path: Path
) -> None:
    log = str(log_of(tmp_path))
    both = [start(opensearch.url, prefix, log, folder=tmp_path) for _ in range(2)]
    reports = [json.loads(one.communicate()[0]) for one in both]
    assert [one["read"] for one in reports] == [EVENTS, EVENTS]
    assert sum(one["indexed"] for one in reports) == EVENTS
    assert sum(one["duplicates"] for one in reports) == EVENTS
    assert rows(opensearch, prefix).keys() == ids()


@pytest.mark.parametrize(
    ("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"]
)
def test_a_shipper_told_to_stop_delivers_what_it_has_read(
    how: signal.Signals, code: int, opensearch: Cluster, prefix: str, tmp_path: Path
) -> None:
    process = start(opensearch.url, prefix, "-", folder=tmp_path, stdin=subprocess.PIPE)
    padding = {"spec": {"text": "x" * 4000}}
    for number in range(600):  # two chunks and a part of a third, which never ends
        one = event("create", seconds=number, name=f"n{number}", requestObject=padding)
        process.stdin.write(json.dumps(one).encode() + b"\n")
    process.stdin.flush()
    time.sleep(1.5)
    process.send_signal(how)
    out, err = process.communicate()
    assert process.returncode == code, err
    report = json.loads(out)
    assert 0 < report["read"] == report["indexed"] == len(rows(opensearch, prefix)) < 600
    assert b"interrupted by" in err


def test_a_shipper_told_to_stop_while_the_cluster_is_away_says_what_is_left(
    opensearch: Cluster, prefix: str, tmp_path: Path
) -> None:
    log = str(log_of(tmp_path))
    with faulty(opensearch.url, lambda n, _: Fault(status=429) if n > 1 else None) as proxy:
        process = start(proxy.url, prefix, log, folder=tmp_path)
        while proxy.bulks < 4:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        started = time.monotonic()
        out, err = process.communicate()
    assert time.monotonic() - started < 15
    assert process.returncode == 3
    assert b"are not delivered" in err
    assert json.loads(out)["indexed"] == len(rows(opensearch, prefix)) < EVENTS
