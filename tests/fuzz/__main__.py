"""Fuzz decoding, normalization and packing for some time::

    nice python -m tests.fuzz --minutes 25 --seed 1

Prints a failure of each kind once, and writes its record to ``tests/fuzz/corpus``, which
``tests/fuzz/test_corpus.py`` replays.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
import time
import traceback
from pathlib import Path

from tests.building import event
from tests.events.normalize.test_redact_everywhere import PLACES
from tests.fuzz.check import check
from tests.fuzz.mutate import mutated, wrapped

CORPUS = Path(__file__).parent / "corpus"
LONGEST = 20_000
"""Bytes of a record that is kept; longer ones are reported only."""


def main() -> int:
    """Run until the time is over; return the number of kinds of failures."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    random_ = random.Random(arguments.seed)  # noqa: S311 - repeatable
    seeds = [event(), *(plant("Hunter2xyzzy") for plant in PLACES.values())]
    failures: dict[str, bytes] = {}
    ends, count = time.monotonic() + arguments.minutes * 60, 0
    while time.monotonic() < ends:
        try:
            record = wrapped(mutated(random_.choice(seeds), random_), random_)
        except RecursionError:
            continue
        count += 1
        try:
            check(record)
        except Exception as error:  # noqa: BLE001 - any failure is a finding
            kind = _kind_of(error)
            if kind not in failures:
                failures[kind] = record
                _keep(kind, record)
    sys.stdout.write(f"{count:,} records, {len(failures)} kinds of failures\n")
    return len(failures)


def _kind_of(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"


def _keep(kind: str, record: bytes) -> None:
    name = hashlib.sha256(record).hexdigest()[:12]
    sys.stdout.write(f"{kind}: {name}: {record[:300]!r}\n{traceback.format_exc()[-1500:]}\n")
    sys.stdout.flush()
    if len(record) <= LONGEST:
        CORPUS.mkdir(exist_ok=True)
        (CORPUS / f"{name}.json").write_bytes(record)


if __name__ == "__main__":
    sys.exit(min(1, main()))
