"""Differential fuzzing of the native core against the reference, for as long as asked.

Every event of the demo and of the recorded logs beside the checkout is compared first; then
damaged ones, until the time is over. The first difference ends it, with the seed to repeat it.

    python -m tests.events.fuzz_core --seconds 3600
"""

from __future__ import annotations

import argparse
import json
import random
import time

from tests.events.test_core import (
    EVENTS,
    SHARED,
    assert_damaged_same,
    assert_same,
    demo,
    recorded,
    without_rejects,
)

BATCH = 2000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    lines = [json.dumps(body, separators=(",", ":")).encode() for body in EVENTS]
    lines += demo()
    lines += without_rejects(recorded()) if SHARED.is_dir() else []
    rows = assert_same(lines)
    print(f"{len(lines):,} events are the same, {len(rows.odd):,} of them left to Python")
    end = time.monotonic() + arguments.seconds
    seed = arguments.seed
    while time.monotonic() < end:
        print(f"seed {seed}", flush=True)
        chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
        assert_damaged_same(lines, chance, BATCH)
        seed += 1


if __name__ == "__main__":
    main()
