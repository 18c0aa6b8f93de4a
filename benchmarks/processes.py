"""Measuring whole processes: CPU seconds, wall seconds, peak memory, several runs in turn."""

from __future__ import annotations

import os
import resource
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

RUNS = 3
NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run took; ``memory`` is the peak of the process and its children together, MiB."""

    wall: float
    cpu: float
    memory: float


@dataclass(frozen=True, slots=True)
class Contender:
    """A command to measure.

    :param prepare: run before each measured run, not counted.
    """

    name: str
    command: Sequence[str]
    prepare: Callable[[], None] = lambda: None


def run_once(command: Sequence[str], cores: int) -> Cost:
    """Run a command on that many cores."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    # What is installed has its bytecode: a variable that keeps Python from writing it would add
    # the compiling of all modules to each run.
    environment = {name: text for name, text in os.environ.items() if name != NO_BYTECODE}
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            preexec_fn=lambda: os.sched_setaffinity(0, set(range(cores))),
            start_new_session=True,
        )
        peak = _MemoryWatch(process.pid)
        code = process.wait()
        wall = time.perf_counter() - started
        memory = peak.stop()
        if code not in (0, 1):
            errors.seek(0)
            raise SystemExit(f"{' '.join(command)}: exit {code}\n{errors.read().decode()}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Cost(wall, cpu, memory)


def session_seconds(session: int) -> float:
    """CPU seconds of the processes of a session, and of their children that have ended."""
    ticks = 0
    for folder in _members(session):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(int(field) for field in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def in_turn(contenders: Sequence[Contender], cores: int, runs: int = RUNS) -> list[Cost]:
    """Run the contenders A B C A B C …; the median cost of each, after one run to warm up."""
    found: list[list[Cost]] = [[] for _ in contenders]
    for turn in range(runs + 1):
        for place, contender in enumerate(contenders):
            contender.prepare()
            cost = run_once(contender.command, cores)
            if turn:
                found[place].append(cost)
    return [
        Cost(
            median(cost.wall for cost in costs),
            median(cost.cpu for cost in costs),
            max(cost.memory for cost in costs),
        )
        for costs in found
    ]


class _MemoryWatch:
    """Peak of the proportional set sizes of a session's processes, sampled."""

    def __init__(self, session: int) -> None:
        self._session = session
        self._peak = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        self._done.set()
        self._thread.join()
        return self._peak / 1024

    def _watch(self) -> None:
        while not self._done.wait(0.05):
            self._peak = max(self._peak, sum(_kilobytes(pid) for pid in _members(self._session)))


def _members(session: int) -> list[Path]:
    members = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == session:
                members.append(folder)
    return members


def _kilobytes(folder: Path) -> float:
    """Proportional set size: memory that processes share is counted once."""
    try:
        for line in (folder / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return float(line.split()[1])
    except OSError:
        pass
    return 0.0
