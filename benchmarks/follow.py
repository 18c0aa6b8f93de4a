"""How far ``k8sidx ship --follow`` keeps up: a writer at a given rate, and the lag behind it.

The log is rotated every 100 MB, as the API server does it, and compressed. The lag is how
long after an event was written it is stored in an embedded store: for each moment the
store is looked at, the age of the oldest event that is not in it.

    python benchmarks/follow.py --rates 10,1000,10000,0 --seconds 30
"""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from make_log import copies, demo_lines
from processes import run_once, session_seconds

from k8sidx.backends.embedded.storage.manifest import is_store, read_manifest

ROTATE_BYTES = 100_000_000
_STEP_SECONDS = 0.1


@dataclass(slots=True)
class Lag:
    """What was measured at one rate: events a second stored, lags in seconds.

    :ivar processor: cores used since the start-up.
    :ivar ratio: CPU of following to CPU of shipping the same files, start-up and all in both.
    """

    rate: float
    middle: float
    worst: float
    processor: float
    ratio: float


class Writer:
    """Writes the benchmark's events and remembers when."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._file = log.open("ab", buffering=0)
        self._packing: list[subprocess.Popen[bytes]] = []
        self.moments: list[tuple[int, float]] = []
        self.count = 0

    def write(self, lines: list[bytes]) -> None:
        self._file.write(b"".join(lines))
        self.count += len(lines)
        self.moments.append((self.count, time.monotonic()))
        if self._log.stat().st_size > ROTATE_BYTES:
            moment = f"2026-11-24T10-00-{len(self._packing):02d}.123"
            aside = self._log.with_name(f"audit-{moment}.log")
            self._log.rename(aside)
            self._file.close()
            self._file = self._log.open("ab", buffering=0)
            self._packing.append(subprocess.Popen(["gzip", "-1", str(aside)]))

    def close(self) -> None:
        self._file.close()
        for process in self._packing:
            process.wait()

    def age(self, stored: int, now: float) -> float:
        """Of the oldest event that is not stored."""
        return next((now - moment for count, moment in self.moments if count > stored), 0.0)


def measure(folder: Path, rate: int, seconds: float) -> Lag:
    """Follow a log that grows by so many events a second; 0: all at once."""
    log, store = folder / "audit.log", folder / "store"
    log.touch()
    command = [sys.executable, "-m", "k8sidx", "ship", "-q", "-f", "--store", str(store), str(log)]
    process = subprocess.Popen(command, start_new_session=True)
    while not is_store(store):
        time.sleep(_STEP_SECONDS)
    time.sleep(2)
    before = session_seconds(process.pid)
    events = copies(round(rate * seconds) or 400_000, 0, demo_lines())
    writer, lags, began = Writer(log), [], time.monotonic()
    ready = [] if rate else list(events)
    if ready:
        began = time.monotonic()
        for start in range(0, len(ready), 2000):
            writer.write(ready[start : start + 2000])
    stored = 0
    while stored < writer.count or time.monotonic() - began < seconds * bool(rate):
        due = round(rate * min(time.monotonic() - began, seconds)) - writer.count
        if due > 0:
            writer.write([next(events) for _ in range(due)])
        time.sleep(_STEP_SECONDS)
        stored = read_manifest(store).rows
        lags.append(writer.age(stored, time.monotonic()))
    took = time.monotonic() - began
    after = session_seconds(process.pid)
    process.send_signal(signal.SIGTERM)
    process.wait()
    writer.close()
    logs = [str(path) for path in folder.glob("audit*.log*")]
    shipped = run_once([*command[:5], "--store", str(folder / "shipped"), *logs], 2).cpu
    used = (after - before) / took
    return Lag(writer.count / took, median(lags), max(lags), used, after / shipped)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rates", default="10,45,1000,10000,0")
    parser.add_argument("--seconds", type=float, default=30)
    given = parser.parse_args()
    work = Path(__file__).parent / "work"
    work.mkdir(exist_ok=True)
    print("| written, events/s | stored, events/s | lag, median s | lag, worst s | of a core | "
          "CPU of ship |\n| --: | --: | --: | --: | --: | --: |")  # fmt: skip
    for rate in (int(one) for one in given.rates.split(",")):
        folder = Path(tempfile.mkdtemp(dir=work))
        lag = measure(folder, rate, given.seconds)
        shutil.rmtree(folder)
        written = f"{rate:,}" if rate else "all at once"
        print(
            f"| {written} | {lag.rate:,.0f} | {lag.middle:.2f} | {lag.worst:.2f} "
            f"| {lag.processor:.1%} | {lag.ratio:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
