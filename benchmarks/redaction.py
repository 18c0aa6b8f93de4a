"""Share of redaction in the CPU of ``ship``: the demo's log with it, and with ``--keep-secrets``.

python benchmarks/redaction.py [ROUNDS]
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
WORK = Path(__file__).parent / "work" / "redaction"


def main() -> None:
    """Ship in turn with and without redaction, with each core, and print the medians."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    log = ROOT / "demo" / "audit.ndjson.zst"
    for core in ("native", "python"):
        seconds: dict[bool, list[float]] = {True: [], False: []}
        for _ in range(rounds):
            for redacts in seconds:
                seconds[redacts].append(_ship(log, core, redacts))
        with_it, without = (statistics.median(seconds[redacts]) for redacts in (True, False))
        print(f"{core}: {with_it:.2f} s of CPU with redaction, {without:.2f} without: "
              f"{(with_it - without) / with_it:.1%} of ship")  # fmt: skip


def _ship(log: Path, core: str, redacts: bool) -> float:
    """Return the CPU seconds of all processes of a ship."""
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    command = [sys.executable, "-m", "k8sidx", "ship", "-q", "--store", str(WORK / "store")]
    command += [] if redacts else ["--keep-secrets"]
    before = os.times()
    subprocess.run([*command, str(log)], check=True, env={**os.environ, "K8SIDX_CORE": core})
    after = os.times()
    return sum(after[2:4]) - sum(before[2:4])


if __name__ == "__main__":
    main()
