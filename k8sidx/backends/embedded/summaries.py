"""Daily summaries of an embedded store: ``summaries/<question>/<day>-<state>.json.zst``.

They follow from the events, so that a file which is missing, damaged or of another state
costs time and nothing else, and the folder can be deleted. A state says which events a day
has: how many, from when to when. Events are never taken out of a store, so another event
makes another number; merging parts changes nothing of it. It also has the version of the
store's columns and of the rules of redaction, by which a migration makes values anew.
"""

from __future__ import annotations

import errno
import os
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import orjson
import zstandard

from k8sidx.backends.durable import make_private_file, make_private_folder
from k8sidx.backends.embedded.storage.columns import TIME
from k8sidx.backends.embedded.storage.manifest import Manifest
from k8sidx.backends.embedded.storage.parts import FAR, UNDATED, day_numbers, day_of_number
from k8sidx.backends.store import StoredSummary
from k8sidx.backends.summary_store import Rows

FOLDER = "summaries"
_SUFFIX = ".json.zst"
_ASIDE = ".tmp"
_LEFT_OVER = 3600.0
"""Age in seconds from which a file that was not renamed into place is that of a killed process."""
_NOT_OURS = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def stored_summaries(store: Path) -> Iterator[StoredSummary]:
    """Yield the summaries of a store; those that cannot be read are not used by any query."""
    for path in sorted((store / FOLDER).glob(f"*/*{_SUFFIX}")):
        if (rows := _read(path)) is not None:
            yield StoredSummary(str(path), path.name[: -len(_SUFFIX)], rows)


class EmbeddedSummaries:
    """Summaries of a store as an engine sees it.

    :param store: the store's folder.
    :param manifest: the files that the engine reads.
    """

    def __init__(self, store: Path, manifest: Manifest) -> None:
        self._folder = store / FOLDER
        self._manifest = manifest
        self.error = ""
        self._writes = True

    def days(self) -> Mapping[date, str]:
        """Return the days that have events, and their states; see
        :class:`k8sidx.backends.summary_store.Summaries`."""
        return self._days

    @cached_property
    def _days(self) -> dict[date, str]:
        return dict(_states(self._folder.parent, self._manifest))

    def load(self, question: str, days: Iterable[date]) -> dict[date, Rows]:
        """Return the existing summaries of days."""
        loaded = {}
        for day in days:
            rows = _read(self._path(question, day))
            if rows is not None:
                loaded[day] = rows
        return loaded

    def kept(self, question: str) -> frozenset[date]:
        """Return the days that have a summary for their present state."""
        folder = self._folder / question
        try:
            names = {path.name for path in folder.iterdir()}
        except FileNotFoundError:
            return frozenset()
        return frozenset(day for day in self._days if self._path(question, day).name in names)

    def save(self, question: str, made: Mapping[date, Rows]) -> None:
        """Keep summaries; does nothing on a store that this user may not write to."""
        if not self._writes:
            return
        try:
            for day, rows in made.items():
                self._save(self._path(question, day), day, rows)
        except OSError as error:
            self._writes = False
            if error.errno not in _NOT_OURS:
                self.error = f"summaries cannot be kept in {self._folder}: {error.strerror}."

    def _path(self, question: str, day: date) -> Path:
        return self._folder / question / f"{day}-{self._days[day]}{_SUFFIX}"

    def _save(self, path: Path, day: date, rows: Rows) -> None:
        make_private_folder(path.parent.parent)
        make_private_folder(path.parent)
        aside = path.with_name(f"{uuid.uuid4().hex}{_ASIDE}")
        make_private_file(aside)
        with aside.open("wb") as file:
            file.write(zstandard.compress(orjson.dumps(rows)))
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
        _sweep(path, day)


def _states(store: Path, manifest: Manifest) -> Iterator[tuple[date, str]]:
    if any(part.day == UNDATED and part.first is not None for part in manifest.parts):
        return  # Such a part has events of many days, whose number a state does not contain.
    by_day: dict[str, list[tuple[int, int, int]]] = {}
    rules: dict[str, int] = {}
    for part in manifest.parts:
        if part.day == FAR:
            for day, counted in _counted_days(store / part.path):
                by_day.setdefault(day, []).append(counted)
                rules[day] = min(part.normalized[1], rules.get(day, part.normalized[1]))
        elif part.day != UNDATED and part.first is not None and part.last is not None:
            by_day.setdefault(part.day, []).append((part.rows, part.first, part.last))
            rules[part.day] = min(part.normalized[1], rules.get(part.day, part.normalized[1]))
    for day, parts in sorted(by_day.items()):
        counts, first, last = zip(*parts, strict=True)
        state = f"{manifest.version} {sum(counts)} {min(first)} {max(last)}"
        if rules[day]:  # stores from before there were any keep their summaries
            state += f" {rules[day]}"
        yield date.fromisoformat(day), sha256(state.encode()).hexdigest()[:16]


def _counted_days(path: Path) -> Iterator[tuple[str, tuple[int, int, int]]]:
    """Return the days of a part's events, with their number and first and last time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        table = file.read(columns=[TIME])
    times = table[TIME].cast(pa.int64())
    days = pa.table({"day": day_numbers(table), "time": times}).group_by("day")
    aggregated = days.aggregate([("time", "count"), ("time", "min"), ("time", "max")])
    for row in aggregated.to_pylist():
        counted = row["time_count"], row["time_min"], row["time_max"]
        yield day_of_number(row["day"]), counted


def _read(path: Path) -> Rows | None:
    """Return the rows of a summary; ``None`` when there is none that can be read."""
    try:
        rows: Rows = orjson.loads(zstandard.decompress(path.read_bytes()))
    except (OSError, zstandard.ZstdError, orjson.JSONDecodeError):
        return None
    return rows


def _sweep(path: Path, day: date) -> None:
    """Delete the day's summaries of other states, and files that killed processes left."""
    for other in path.parent.iterdir():
        if other.suffix == _ASIDE:
            if time.time() - other.stat().st_mtime < _LEFT_OVER:
                continue
        elif other == path or not other.name.startswith(f"{day}-"):
            continue
        other.unlink(missing_ok=True)
