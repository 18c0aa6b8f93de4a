"""``k8sidx watch`` over a store of 2 million events to which 1,000 are added each minute.

The whole library is watched, once a minute. The first run looks at the whole store and is reported
apart; so is the reference, one ``k8sidx hunt --all`` over the same store, which is what a run each
minute would cost without a checkpoint.

    python benchmarks/watch.py --minutes 5
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from itertools import islice
from pathlib import Path

from make_log import FIRST_DAY, copies, demo_lines
from measure import WORK, big_store
from processes import run_once, session_seconds

from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.hunt.library.load import load_library
from k8sidx.hunt.watch.groups import groups_of

EVENTS_A_MINUTE = 1_000
_A_DAY = 3
"""Copies of the demo: the store has 30 days then."""


def later_events(after: date) -> Iterator[bytes]:
    """Events of the days after the store's last one, in the order of their times."""
    first = ((after - FIRST_DAY).days + 1) * _A_DAY
    lines = demo_lines()
    return copies(len(lines) * 20, first, lines, _A_DAY)


def add(store: Path, events: Iterator[bytes]) -> None:
    """Ship the events of a minute, as a follower does: into the store that is watched."""
    command = [sys.executable, "-m", "k8sidx", "ship", "-q", "--store", str(store), "-"]
    lines = b"".join(islice(events, EVENTS_A_MINUTE))
    subprocess.run(command, input=lines, check=True)


def wait_for_first_run(checkpoint: Path, groups: int) -> None:
    """Wait until each group of hunts has looked at the store."""
    while True:
        time.sleep(0.2)
        if checkpoint.exists() and len(json.loads(checkpoint.read_text())["groups"]) == groups:
            return


def watched(store: Path, checkpoint: Path, minutes: int) -> tuple[float, list[float]]:
    """CPU seconds of the first run, and of each minute after it."""
    last = EmbeddedStore(store).info().last
    assert last is not None
    events = later_events(last.date())
    command = [sys.executable, "-m", "k8sidx", "watch", "--quiet", "--store", str(store)]
    process = subprocess.Popen(
        [*command, "--checkpoint", str(checkpoint)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        wait_for_first_run(checkpoint, len(groups_of(load_library())))
        first = before = session_seconds(process.pid)
        each = []
        for _ in range(minutes):
            began = time.monotonic()
            add(store, events)
            time.sleep(60 - (time.monotonic() - began))
            now = session_seconds(process.pid)
            each.append(now - before)
            before = now
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
    return first, each


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=5)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(dir=WORK))
    try:
        store = folder / "store"
        shutil.copytree(big_store(_A_DAY), store)
        hunt = [sys.executable, "-m", "k8sidx", "hunt", "--all", "-q", "--store", str(store)]
        reference = run_once(hunt, 2).cpu
        first, each = watched(store, folder / "checkpoint.json", options.minutes)
    finally:
        shutil.rmtree(folder)
    share = sum(each) / len(each) / 60
    print("| `hunt --all` CPU s | first run CPU s | CPU s a minute | most | of a core |")
    print("| --: | --: | --: | --: | --: |")
    print(f"| {reference:.1f} | {first:.1f} | {60 * share:.1f} | {max(each):.1f} | {share:.1%} |")


if __name__ == "__main__":
    WORK.mkdir(exist_ok=True)
    main()
