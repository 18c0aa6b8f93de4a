"""``k8sidx ship --follow`` as a process: a log is written and rotated, the process is killed,
the cluster is away; each event is in the store once."""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from k8sidx.backends.embedded.storage.manifest import read_manifest
from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.query.algebra import Metric, Query
from tests.building import event

COUNTS = Query(metrics=(Metric("n", "count"), Metric("ids", "count_distinct", "event.id")))
ROTATE_BYTES = 60_000


class ApiServer(threading.Thread):
    """Writes events, a few at a time, and rotates its log: by renaming and compressing, as
    the API server does, or by copying and truncating.

    :param truncates: how it rotates; copying loses what is written meanwhile, so it is done
        between two writes.
    """

    def __init__(self, log: Path, count: int, *, truncates: bool, pace: float) -> None:
        super().__init__()
        self._log = log
        self._count = count
        self._truncates = truncates
        self._pace = pace
        self._chance = random.Random(11)  # noqa: S311 - sizes of writes

    def run(self) -> None:
        written = rotations = 0
        file = self._log.open("ab", buffering=0)
        while written < self._count:
            some = min(self._chance.randint(1, 30), self._count - written)
            names = range(written, written + some)
            data = b"".join(audit_line(number) for number in names)
            # A reader may see any part of what is written.
            middle = self._chance.randrange(len(data))
            file.write(data[:middle])
            time.sleep(self._chance.uniform(0, self._pace))
            file.write(data[middle:])
            written += some
            if self._log.stat().st_size > ROTATE_BYTES:
                rotations += 1
                aside = self._log.with_name(f"audit-2026-11-24T10-00-{rotations:02d}.123.log")
                if self._truncates:
                    aside = self._log.with_name(f"audit.log.{rotations}")
                    shutil.copyfile(self._log, aside)
                    os.truncate(self._log, 0)
                else:
                    self._log.rename(aside)
                    file.close()
                    file = self._log.open("ab", buffering=0)
                with aside.open("rb") as plain, gzip.open(f"{aside}.gz", "wb", 1) as packed:
                    shutil.copyfileobj(plain, packed)
                aside.unlink()
        file.close()


def audit_line(number: int) -> bytes:
    return json.dumps(event(seconds=number / 100, name=f"n{number}")).encode() + b"\n"


Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the command; what still runs in the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def starting(*arguments: Path | str, **options: Any) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "k8sidx", "ship", "--follow", *map(str, arguments)]
        started.append(
            subprocess.Popen(
                command,
                cwd=tmp_path,
                env={**os.environ, "XDG_STATE_HOME": str(tmp_path / "home")},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
                **options,
            )
        )
        return started[-1]

    yield starting
    for process in started:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def counted(store: Path) -> tuple[int, int]:
    if not (store / "manifest.json").exists():
        return 0, 0
    with EmbeddedStore(store).engine() as engine:
        rows: Any = engine.run(COUNTS).rows
        return tuple(rows[0])


def wait(until: Callable[[], bool], process: subprocess.Popen[str], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not until():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.05)


def ended(process: subprocess.Popen[str], by: signal.Signals) -> tuple[int, str, str]:
    process.send_signal(by)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


@pytest.mark.parametrize("truncates", [False, True], ids=["renamed", "truncated"])
def test_killed_again_and_again_while_the_log_is_written_and_rotated(
    start: Start, tmp_path: Path, truncates: bool
) -> None:
    log, store = tmp_path / "audit.log", tmp_path / "store"
    count = 2600
    log.touch()
    process = start("-q", "--store", store, log)
    wait(lambda: any((store / "state").glob("*.json")), process)
    writer = ApiServer(log, count, truncates=truncates, pace=0.15)
    writer.start()
    chance = random.Random(3)  # noqa: S311 - moments to kill at
    kills = 0
    while writer.is_alive():
        time.sleep(chance.uniform(1, 3.5))
        process.kill()
        process.communicate()
        kills += 1
        process = start("-q", "--store", store, log)
    with log.open("ab") as file:
        file.write(audit_line(count))
    wait(lambda: counted(store)[0] > count, process)
    assert kills > 3
    assert ended(process, signal.SIGTERM)[0] == 0
    assert counted(store) == (count + 1, count + 1)
    assert not list((store / "dead-letter").glob("*"))


def test_an_event_is_stored_soon_and_a_stop_is_a_clean_end(start: Start, tmp_path: Path) -> None:
    log, store = tmp_path / "audit.log", tmp_path / "k8sidx-store"
    process = start("-o", "json", log)
    wait(lambda: (store / "manifest.json").exists(), process)
    for number in range(3):
        with log.open("ab") as file:
            file.write(audit_line(number))
        began = time.monotonic()
        wait(lambda written=number + 1: counted(store)[0] == written, process)  # type: ignore[misc]
        assert time.monotonic() - began < 10
    code, out, err = ended(process, signal.SIGTERM)
    assert (code, json.loads(out)["indexed"]) == (0, 3)
    assert "3 events read" in err
    (state,) = (store / "state").glob("*.json")
    assert json.loads(state.read_text())["files"][0]["record"] == 3
    again = start("-o", "json", log)
    wait(lambda: (store / "staging").is_dir() and any((store / "staging").iterdir()), again)
    time.sleep(1)
    code, out, _ = ended(again, signal.SIGINT)
    assert code == 130
    assert out == ""


def test_a_second_follower_of_the_same_log_is_refused(start: Start, tmp_path: Path) -> None:
    log, store = tmp_path / "audit.log", tmp_path / "store"
    first = start("--store", store, log)
    wait(lambda: (store / "manifest.json").exists(), first)
    second = start("--store", store, log)
    _, err = second.communicate(timeout=60)
    assert second.returncode == 2
    assert "another k8sidx ship is using the state file" in err
    other = start("--store", store, log, "--state", tmp_path / "other.json")
    with log.open("ab") as file:
        file.write(audit_line(1))
    wait(lambda: counted(store) == (1, 1), other)
    assert first.poll() is None


def test_standard_input_is_read_until_it_is_closed(tmp_path: Path) -> None:
    store = tmp_path / "store"
    command = [sys.executable, "-m", "k8sidx", "ship", "-f", "-", "--store", str(store)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        for number in range(2):
            process.stdin.write(audit_line(number))
            process.stdin.flush()
            deadline = time.monotonic() + 30
            while counted(store)[0] != number + 1:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        process.stdin.close()
        assert process.wait(30) == 0
    assert not (store / "state").exists()


def test_rejected_records_have_their_line_numbers_after_a_restart(
    start: Start, tmp_path: Path
) -> None:
    log, store = tmp_path / "audit.log", tmp_path / "store"
    log.write_bytes(audit_line(1) + audit_line(2))
    process = start("--store", store, log)
    wait(lambda: counted(store)[0] == 2, process)
    assert ended(process, signal.SIGTERM)[0] == 0
    process = start("--store", store, log)
    with log.open("ab") as file:
        file.write(b'{"kind":"Event","auditID":"cut\n' + audit_line(3))
    wait(lambda: counted(store)[0] == 3, process)
    code, _, err = ended(process, signal.SIGTERM)
    assert code == 4
    assert f"{log}:3: " in err


def test_days_of_following_do_not_leave_many_files(start: Start, tmp_path: Path) -> None:
    log, store = tmp_path / "audit.log", tmp_path / "store"
    process = start("-q", "--store", store, log)
    with log.open("ab", buffering=0) as file:
        for number in range(26):
            file.write(audit_line(number))
            time.sleep(0.5)
    wait(lambda: counted(store)[0] == 26, process)
    assert len(read_manifest(store).parts) < 12
