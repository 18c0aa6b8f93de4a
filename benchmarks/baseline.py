"""Measures questions about 30 days, over 2 million events, with daily summaries and without.

python benchmarks/baseline.py
"""

from __future__ import annotations

import shutil
import time
from datetime import timedelta

from measure import WORK, best_of, big_store

from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.backends.embedded.summaries import FOLDER
from k8sidx.backends.summaries import completed_days
from k8sidx.hunt.baseline_update import comparing, update_baselines
from k8sidx.hunt.kinds.time_window import Window
from k8sidx.hunt.library.load import load_library
from k8sidx.hunt.run import run_hunt

RUNS = 3
BEFORE = timedelta(days=30)


def main() -> None:
    """Print the table."""
    store = EmbeddedStore(big_store(a_day=3))
    shutil.rmtree(store.path / FOLDER, ignore_errors=True)
    hunts = comparing(load_library())
    last = store.info().last
    if last is None:
        raise SystemExit("the store has no events")
    window = Window(since=last.replace(hour=0, minute=0, second=0, microsecond=0), baseline=BEFORE)
    with store.engine(threads=2) as engine:
        summaries = engine.summaries()
        if summaries is None:
            raise SystemExit("the store keeps no summaries")
        started = time.perf_counter()
        update_baselines(hunts, engine, summaries, Window())
        took = time.perf_counter() - started
        days = len(completed_days(summaries))
        size = sum(path.stat().st_size for path in (store.path / FOLDER).rglob("*.zst"))
        print(
            f"\n{len(hunts)} hunts, {days} days: summaries made in {took:.1f} s, "
            f"{size / 1e6:.1f} MB\n\n| hunt, the last day against {days} days before | events ms | "
            "summaries ms | times faster |\n| --- | --: | --: | --: |"
        )
        totals = [0.0, 0.0]
        for hunt in hunts:
            scanned = best_of(lambda hunt=hunt: run_hunt(hunt, engine, window), RUNS)  # type: ignore[misc]
            summed = best_of(
                lambda hunt=hunt: run_hunt(hunt, engine, window, summaries=summaries),  # type: ignore[misc]
                RUNS,
            )
            totals = [totals[0] + scanned, totals[1] + summed]
            print(line(f"`{hunt.id}`", scanned, summed))
        print(line("all", *totals))


def line(name: str, scanned: float, summed: float) -> str:
    """A row of the table."""
    return f"| {name} | {scanned * 1e3:.0f} | {summed * 1e3:.0f} | {scanned / summed:.1f} |"


if __name__ == "__main__":
    WORK.mkdir(exist_ok=True)
    main()
