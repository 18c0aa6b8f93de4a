"""A follower that must end while its store is away: what only it still has goes to the spool,
and each event is in the store once after the next start."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from k8sidx.backends.cluster.http.client import Cluster
from tests.building import event
from tests.shipping.test_follow import Start, ended, start, wait
from tests.shipping.test_follow_cluster import gate, names, stored

__all__ = ["start"]  # a fixture

PADDING = {"kind": "Pod", "spec": {"text": "x" * 3000}}


def lines(first: int, count: int) -> bytes:
    """Events with numbered names, each long: a few hundred fill all batches that may wait."""
    return b"".join(
        json.dumps(event("create", seconds=n / 100, name=f"n{n}", requestObject=PADDING)).encode()
        + b"\n"
        for n in range(first, first + count)
    )


def rotate(log: Path, number: int) -> Path:
    aside = log.with_name(f"audit-2026-11-24T10-00-{number:02d}.123.log")
    log.rename(aside)
    log.touch()
    return aside


def _has_more_than(count: int, cluster: Cluster, prefix: str) -> bool:
    return int(stored(cluster, prefix)) > count


def expected(count: int) -> list[str]:
    return sorted(f"n{number}" for number in range(count))


@pytest.mark.parametrize("removed", ["while following", "when it has ended"])
def test_follower_stopped_while_the_cluster_is_away_and_its_rotated_files_removed(
    start: Start, opensearch: Cluster, prefix: str, tmp_path: Path, removed: str
) -> None:
    log, state = tmp_path / "audit.log", tmp_path / "state.json"
    log.touch()
    with gate(opensearch) as way:
        options = ("--store", way.url, "--index", prefix, "--state", state, log)
        process = start(*options)
        wait(state.exists, process)
        way.close()
        asides = []
        for number in range(4):  # 20 MB: more than waits in memory
            with log.open("ab") as file:
                file.write(lines(number * 1500, 1500))
            time.sleep(0.6)
            asides.append(rotate(log, number))
            time.sleep(0.6)
        with log.open("ab") as file:
            file.write(lines(6000, 100))
        time.sleep(0.5)
        if removed == "while following":
            for aside in asides:
                aside.unlink()
        process.send_signal(signal.SIGTERM)
        _out, err = process.communicate(timeout=60)
        assert process.returncode == 3, err
        assert "in the spool" in err
        assert "lost" not in err
        for aside in asides:
            aside.unlink(missing_ok=True)
        log.unlink()  # even that: it fitted into the spool
        log.touch()
        way.reopen()
        process = start(*options)
        wait(lambda: stored(opensearch, prefix) >= 6100, process)
        code, _out, err = ended(process, signal.SIGTERM)
        assert code == 0, err
        assert names(opensearch, prefix) == expected(6100)
        assert not list(Path(f"{state}.spool").glob("*.segment"))


def test_follower_killed_while_it_writes_its_spool_and_while_it_delivers_it(
    start: Start, opensearch: Cluster, prefix: str, tmp_path: Path
) -> None:
    log, state = tmp_path / "audit.log", tmp_path / "state.json"
    log.touch()
    chance = random.Random(5)  # noqa: S311 - moments to kill at
    count = 0
    with gate(opensearch) as way:
        options = ("-q", "--store", way.url, "--index", prefix, "--state", state, log)
        for number in range(3):
            process = start(*options)
            with log.open("ab") as file:
                file.write(lines(count, 1))
            wait(partial(_has_more_than, count, opensearch, prefix), process)
            way.close()
            with log.open("ab") as file:
                file.write(lines(count + 1, 1500))
            count += 1501
            time.sleep(0.5)
            rotate(log, number)  # a kill leaves no time to copy it: it keeps its name here
            time.sleep(0.5)
            process.send_signal(signal.SIGTERM)
            time.sleep(chance.uniform(4.5, 6.5))  # about when it gives the cluster up
            process.kill()
            process.communicate()
            way.reopen()
            process = start(*options)
            time.sleep(chance.uniform(1.0, 4.0))  # in the middle of its delivery
            process.kill()
            process.communicate()
        process = start(*options)
        with log.open("ab") as file:  # stored by this one: a signal before would just end it
            file.write(lines(count, 1))
        count += 1
        wait(lambda: stored(opensearch, prefix) >= count, process)
        code, _, err = ended(process, signal.SIGTERM)
    assert code in (0, 4), err  # 4: a torn segment was reported
    assert names(opensearch, prefix) == expected(count)


def test_follower_whose_spool_is_too_small_says_what_is_lost(
    start: Start, opensearch: Cluster, prefix: str, tmp_path: Path
) -> None:
    log, state = tmp_path / "audit.log", tmp_path / "state.json"
    log.touch()
    with gate(opensearch) as way:
        options = ("--store", way.url, "--index", prefix, "--state", state)
        process = start(*options, "--spool-size", "2MB", log)
        wait(state.exists, process)
        way.close()
        with log.open("ab") as file:
            file.write(lines(0, 1500))
        time.sleep(1)
        rotate(log, 1).unlink()
        process.send_signal(signal.SIGTERM)
        _out, err = process.communicate(timeout=60)
        assert process.returncode == 3
        assert "is lost: the spool" in err
        assert "is full (2,000,000 bytes)" in err
        kept = sum(one.stat().st_size for one in Path(f"{state}.spool").glob("*.segment"))
        assert 0 < kept <= 2_000_000
        way.reopen()
        process = start(*options, log)
        wait(lambda: stored(opensearch, prefix) > 0, process)
        time.sleep(1)
        assert ended(process, signal.SIGTERM)[0] == 0
        assert names(opensearch, prefix) == sorted(
            f"n{n}" for n in range(stored(opensearch, prefix))
        )


def test_pipe_that_cannot_be_delivered_goes_to_the_spool(
    start: Start, opensearch: Cluster, prefix: str, tmp_path: Path
) -> None:
    with gate(opensearch) as way:
        options = ("--store", way.url, "--index", prefix, "--spool", tmp_path / "spool", "-")
        process: Any = start(*options, stdin=subprocess.PIPE)
        process.stdin.write(lines(0, 1).decode())
        process.stdin.flush()
        wait(lambda: stored(opensearch, prefix) == 1, process)
        way.close()
        process.stdin.write(lines(1, 49).decode())
        process.stdin.flush()
        time.sleep(1.5)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 3, err
        way.reopen()
        process = start(*options, stdin=subprocess.PIPE)
        wait(lambda: stored(opensearch, prefix) == 50, process)
        process.stdin.close()
        process.stdin = None
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert names(opensearch, prefix) == expected(50)
