"""Health checks of an embedded store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from pathlib import Path

import filelock

from k8sidx.backends.check import Check, failed, latest_event
from k8sidx.backends.embedded.storage.compaction import MANY_SMALL_PARTS, is_small
from k8sidx.backends.embedded.storage.integrity import find_fault
from k8sidx.backends.embedded.storage.manifest import Manifest, part_files, read_manifest
from k8sidx.backends.embedded.storage.parts import UNDATED
from k8sidx.errors import K8sidxError


def check_store(store: Path, now: datetime) -> Iterator[Check]:
    """Run all checks of a folder; ends early when it is not a store."""
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
    small = sorted(part.day for part in manifest.parts if is_small(part.rows, part.bytes))
    crowded = [day for day, parts in groupby(small) if len(list(parts)) >= MANY_SMALL_PARTS]
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


def _check_undated(manifest: Manifest) -> Check:
    undated = sum(part.rows for part in manifest.parts if part.day == UNDATED)
    if undated:
        return Check(
            "undated events",
            "warn",
            f"{undated:,} have no usable time of their own",
            "Hunts with --since or --until see only those to which a shipper gave a time; hunt "
            "without a window, too.",
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
