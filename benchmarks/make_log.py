"""A large audit log for measurements: the demo's real events, again and again.

Each copy gets an hour of its own, new audit ids and the timestamps of that hour, so that
no two events are the same; everything else is as the API server wrote it. The result
depends on nothing but the arguments.

    python benchmarks/make_log.py --events 2000000 --files 30 benchmarks/work/two-million
"""

from __future__ import annotations

import argparse
import gzip
import random
import re
import uuid
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import zstandard

DEMO = Path(__file__).parents[1] / "demo" / "audit.ndjson.zst"
FIRST_DAY = date(2026, 9, 1)
_AUDIT_ID = re.compile(rb'"auditID":"[^"]{36}"')


def demo_lines() -> list[bytes]:
    """The lines of the demo's log: two stretches of 29 and 11 minutes."""
    with DEMO.open("rb") as file:
        return zstandard.ZstdDecompressor().stream_reader(file).read().splitlines()


def copies(count: int, first: int, lines: list[bytes], a_day: int = 23) -> Iterator[bytes]:
    """That many events, from copy number ``first`` on, so many copies a day."""
    made, copy = 0, first
    while made < count:
        day = FIRST_DAY + timedelta(days=copy // a_day)
        hours = copy % a_day
        chance = random.Random(copy)  # noqa: S311 - repeatable, not secret
        for line in lines[: count - made]:
            identity = uuid.UUID(int=chance.getrandbits(128), version=4)
            line = line.replace(b"2026-11-23T20:", f"{day}T{hours:02d}:".encode())
            line = line.replace(b"2026-11-23T21:", f"{day}T{hours + 1:02d}:".encode())
            yield _AUDIT_ID.sub(f'"auditID":"{identity}"'.encode(), line, count=1) + b"\n"
        made += len(lines)
        copy += 1


def write_file(path: Path, count: int, first: int, a_day: int) -> None:
    """One gzip file, compressed as ``gzip`` does it by default."""
    lines = demo_lines()
    with gzip.GzipFile(path, "wb", compresslevel=6, mtime=0) as file:
        block: list[bytes] = []
        for line in copies(count, first, lines, a_day):
            block.append(line)
            if len(block) == 4096:
                file.write(b"".join(block))
                block.clear()
        file.write(b"".join(block))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--files", type=int, default=1)
    parser.add_argument("--a-day", type=int, default=23, help="copies of the demo, at most 23")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    share = arguments.events // arguments.files
    apart = -(-share // len(demo_lines()))
    with ProcessPoolExecutor() as pool:
        jobs = [
            pool.submit(
                write_file,
                arguments.folder / f"audit-{number:03d}.ndjson.gz",
                share if number else arguments.events - share * (arguments.files - 1),
                number * apart,
                arguments.a_day,
            )
            for number in range(arguments.files)
        ]
        for job in jobs:
            job.result()


if __name__ == "__main__":
    main()
