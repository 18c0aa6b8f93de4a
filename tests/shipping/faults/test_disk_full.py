"""A disk that is full at any write: what was stored stays, and a run with more room stores the
rest, each event once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from k8sidx.backends.embedded.storage.manifest import is_store
from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.query.algebra import Metric, Query
from tests.building import event

EVENTS = 3000
STEPS = 14 if os.environ.get("CI") == "true" else 4
"""Sizes of the disk, up to what all of it takes."""
COUNTS = Query(metrics=(Metric("n", "count"), Metric("ids", "count_distinct", "event.id")))


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """A file system of its own; only root can make one."""
    folder.mkdir(exist_ok=True)
    options = f"size={size},mode=700"
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    made = subprocess.run(mount, capture_output=True, check=False)
    if made.returncode:
        pytest.skip("NO TMPFS CAN BE MOUNTED HERE: a full disk is not tested")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def enlarge(disk: Path) -> None:
    remount = ["mount", "-o", "remount,size=64m", str(disk)]
    subprocess.run(remount, check=True)


def ship(disk: Path, *inputs: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "k8sidx", "ship", "--store", str(disk / "store")]
    command += ["--state", str(disk / "state.json"), "-o", "json", *map(str, inputs)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_ship_survives_a_disk_that_is_full_at_any_write(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    # Names that do not compress, and lines that are rejected: parts and dead letters fill the disk.
    lines = [
        json.dumps(event("get", seconds=n * 40, name=f"{n:x}-{hash((n, 7)) & (1 << 62):x}"))
        for n in range(EVENTS)
    ]
    lines[10::300] = ['{"auditID": ' + str(n) * 50 for n in range(len(lines[10::300]))]
    log.write_text("\n".join(lines) + "\n")
    rejected = len(lines[10::300])
    with small_disk(tmp_path / "whole", 64 << 20) as disk:
        assert ship(disk, log).returncode == 4
        used = sum(one.stat().st_blocks * 512 for one in disk.rglob("*"))
    failed = 0
    for step in range(STEPS):
        with small_disk(tmp_path / f"disk-{step}", max(8192, used * (step + 1) // STEPS)) as disk:
            first = ship(disk, log)
            assert first.returncode in (3, 4), first.stderr
            assert "internal error" not in first.stderr
            if first.returncode == 3:
                failed += 1
                assert "o space left" in first.stderr, first.stderr
                assert str(disk) in first.stderr, first.stderr  # where
            enlarge(disk)
            second = ship(disk, log)
            assert second.returncode in (0, 4), second.stderr
            assert is_store(disk / "store")
            with EmbeddedStore(disk / "store").engine() as engine:
                counts = tuple(engine.run(COUNTS).rows[0])
            assert counts == (EVENTS - rejected, EVENTS - rejected), first.stderr
            letters = {
                json.loads(line)["record"]
                for path in (disk / "store" / "dead-letter").glob("*.jsonl")
                for line in path.read_text().splitlines()
                if line.endswith("}")  # of the full disk, the last one may be torn
            }
            assert letters == set(range(11, EVENTS, 300)), first.stderr
    assert failed
