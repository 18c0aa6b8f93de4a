"""A writer of logs that rotates them as the API server and others do."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from io import FileIO
from pathlib import Path
from typing import Any

PADDING = 150


def line(number: int, padding: int = PADDING, log: str = "") -> bytes:
    """A line that is long enough for marks to matter; no two logs have the same."""
    return json.dumps({"n": number, "log": log, "x": "x" * padding}).encode() + b"\n"


class LogWriter:
    """Writes numbered lines to a log, by an open file as the API server does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.written = 0
        self._rotations = 0
        self._file = self._open()

    def _open(self) -> FileIO:
        return FileIO(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w")

    def write(self, count: int = 1) -> None:
        """Whole lines, in one call."""
        lines = [self._next() for _ in range(count)]
        self._file.write(b"".join(lines))

    def half(self) -> bytes:
        """Half a line; gives the other half."""
        whole = self._next()
        middle = len(whole) // 2
        self._file.write(whole[:middle])
        return whole[middle:]

    def raw(self, data: bytes) -> None:
        self._file.write(data)

    def _next(self) -> bytes:
        self.written += 1
        return line(self.written, log=self.path.name)

    def rotate(self, *, reopen: bool = True) -> Path:
        """As lumberjack does: rename, then a new file; a name by the time, in its form."""
        self._rotations += 1
        moment = f"2026-11-24T10-{self._rotations // 60:02d}-{self._rotations % 60:02d}.123"
        aside = self.path.with_name(f"{self.path.stem}-{moment}{self.path.suffix}")
        self.path.rename(aside)
        if reopen:
            self.reopen()
        return aside

    def reopen(self) -> None:
        self._file.close()
        self._file = self._open()

    def copy_and_truncate(self) -> Path:
        """As logrotate does with copytruncate."""
        self._rotations += 1
        aside = self.path.with_name(f"{self.path.name}.{self._rotations}")
        shutil.copyfile(self.path, aside)
        os.truncate(self.path, 0)
        return aside

    def close(self) -> None:
        self._file.close()


def pack(path: Path) -> Path:
    """Compress a file as the API server does: under its final name, then the plain one goes."""
    packed = path.with_name(f"{path.name}.gz")
    with path.open("rb") as source, gzip.open(packed, "wb", 1) as target:
        shutil.copyfileobj(source, target)
    path.unlink()
    return packed


def settle(path: Path) -> None:
    """As if some time had passed since it was written."""
    about = path.stat()
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns - 5 * 10**9))


def numbers(data: bytes) -> list[Any]:
    """The numbers of the lines in a chunk."""
    return [json.loads(one)["n"] for one in data.split(b"\n") if one]
