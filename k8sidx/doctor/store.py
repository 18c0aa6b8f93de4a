"""What is set up, what is missing, and how to mend it: the checks of ``k8sidx doctor``."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Literal

import filelock

from k8sidx import __version__
from k8sidx.backends.embedded.storage.compaction import ENOUGH, SMALL_ROWS
from k8sidx.backends.embedded.storage.integrity import find_fault
from k8sidx.backends.embedded.storage.manifest import Manifest, part_files, read_manifest
from k8sidx.backends.embedded.storage.parts import UNDATED
from k8sidx.errors import K8sidxError
from k8sidx.events.fields.moment import to_moment
from k8sidx.show.render.sheet import readable_time

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    :param seen: what it looks like.
    :param mend: what to do about it; empty when it is fine.
    :param exit_code: what a command that needs it would end with.
    """

    name: str
    state: State
    seen: str
    mend: str = ""
    exit_code: int = 0


def check_software() -> Check:
    """Versions that a bug report needs."""
    libraries = ", ".join(f"{name} {version(name)}" for name in ("duckdb", "pyarrow", "pysigma"))
    seen = f"k8sidx {__version__}, Python {platform.python_version()}, {libraries}"
    return Check("software", "ok", seen)


def check_configuration(load: Callable[[], Path | None]) -> Check:
    """Whether the configuration can be read.

    :param load: reads it; returns the file in effect, raises :class:`K8sidxError`.
    """
    try:
        source = load()
    except K8sidxError as error:
        return failed("configuration", error)
    return Check("configuration", "ok", str(source) if source else "no file, the defaults")


def check_store(store: Path, now: datetime) -> Iterator[Check]:
    """Everything about an embedded store; ends early when it is none."""
    try:
        manifest = read_manifest(store)
    except K8sidxError as error:
        yield failed("store", error)
        return
    size = sum(part.bytes for part in manifest.parts) / 1_000_000
    seen = f"{store}: {manifest.rows:,} events, {size:,.1f} MB, format {manifest.version}"
    yield Check("store", "ok", seen)
    yield _check_files(store, manifest)
    yield _check_strange_files(store, manifest)
    yield _check_permissions(store)
    yield _check_small_files(manifest)
    yield _check_writable(store)
    yield _check_latest(manifest, now)
    yield _check_undated(manifest)
    yield _check_dead_letters(store)


def failed(name: str, error: K8sidxError) -> Check:
    """An error as what was seen, its remedy as the mend."""
    place = f"{error.where}: " if error.where else ""
    return Check(name, "fail", f"{place}{error.message}", error.remedy, error.exit_code)


def _check_files(store: Path, manifest: Manifest) -> Check:
    broken = [
        f"{part.path}: {fault}" for part in manifest.parts if (fault := find_fault(store, part))
    ]
    if broken:
        return Check(
            "files",
            "fail",
            f"{len(broken):,} of {len(manifest.parts):,} are damaged: {'; '.join(broken[:3])}",
            "Restore them from a backup, or ship the logs into a new store.",
            exit_code=3,
        )
    return Check("files", "ok", f"{len(manifest.parts):,}, all there and undamaged")


def _check_strange_files(store: Path, manifest: Manifest) -> Check:
    """Parquet files below ``events/`` that the manifest does not name: nobody reads them."""
    named = {part.path for part in manifest.parts} | set(manifest.garbage)
    strange = [path for path in part_files(store) if path not in named]
    if strange:
        return Check(
            "other files",
            "warn",
            f"{len(strange):,} that are not part of the store, for example {strange[0]}",
            "No hunt reads them. Move them away, or delete them if nobody put them there.",
        )
    return Check("other files", "ok", "none")


def _check_permissions(store: Path) -> Check:
    mode = store.stat().st_mode
    if mode & 0o077:
        return Check(
            "permissions",
            "warn",
            f"other users of this machine can read {store} (mode {mode & 0o777:04o})",
            f"Audit logs are confidential: chmod -R go= {store}",
        )
    return Check("permissions", "ok", "the owner alone can read it")


def _check_small_files(manifest: Manifest) -> Check:
    small = sorted(part.day for part in manifest.parts if part.rows < SMALL_ROWS)
    crowded = [day for day, parts in groupby(small) if len(list(parts)) >= ENOUGH]
    if crowded:
        days = ", ".join(crowded[:3]) + (", …" if len(crowded) > 3 else "")
        return Check(
            "small files",
            "warn",
            f"{len(small):,} in all; many on {days}",
            "Hunts read them slowly; the next k8sidx ship merges them.",
        )
    return Check("small files", "ok", f"{len(small):,}")


def _check_writable(store: Path) -> Check:
    if not os.access(store, os.W_OK):
        return Check(
            "writing",
            "warn",
            "the folder is read-only for this user",
            "Hunting works; to ship, make the folder writable.",
        )
    lock = filelock.FileLock(store / "writer.lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        seen = "another process is writing now"
        return Check("writing", "warn", seen, "A second k8sidx ship waits for its turn.")
    lock.release()
    return Check("writing", "ok", "nobody is writing, the folder is writable")


def _check_latest(manifest: Manifest, now: datetime) -> Check:
    last = max((part.last for part in manifest.parts if part.last is not None), default=None)
    return latest_event(last, now)


def latest_event(last: int | None, now: datetime) -> Check:
    """How fresh the events are.

    :param last: ``@timestamp`` of the latest one in microseconds since 1970.
    """
    if last is None:
        return Check("latest event", "warn", "there is none", "Ship events: k8sidx ship INPUT")
    since = int(now.timestamp()) - last // 1_000_000
    moment = readable_time(to_moment(last // 1_000_000 * 1_000_000))
    if since < -3600:
        mend = "Check the clocks of the API servers; --until now leaves such events out."
        return Check("latest event", "warn", f"{moment}, in the future", mend)
    return Check("latest event", "ok", f"{moment}, {age(max(since, 0))} ago")


def age(seconds: int) -> str:
    """A span of time for people, in its largest fitting unit."""
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length:,} {unit}"
    return f"{seconds} seconds"


def _check_undated(manifest: Manifest) -> Check:
    undated = sum(part.rows for part in manifest.parts if part.day == UNDATED)
    if undated:
        return Check(
            "undated events",
            "warn",
            f"{undated:,} have no usable time",
            "Hunts with --since or --until do not see them; hunt without a window, too.",
        )
    return Check("undated events", "ok", "none")


def _check_dead_letters(store: Path) -> Check:
    folder = store / "dead-letter"
    waiting = sorted(folder.glob("*.jsonl")) if folder.is_dir() else []
    if waiting:
        return Check(
            "dead letters",
            "warn",
            f"{len(waiting):,} files of rejected records in {folder}",
            "Each line says why; mend the cause, ship the file again, then delete it.",
        )
    return Check("dead letters", "ok", "none")
