"""Files of the store that nothing needs any more, and readers that keep merged ones."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from k8sidx.backends.durable import FILE_MODE, lock_file
from k8sidx.backends.embedded.storage.manifest import (
    READABLE,
    Manifest,
    is_manifest_aside,
    is_part_path,
    read_manifest,
    write_manifest,
)

JOURNAL = "journal"
LEASE = "lease"
_READERS = "readers.lock"


def sweep(store: Path, manifest: Manifest) -> None:
    """Delete files that killed writers left, and merged files that no reader uses any more."""
    staging = store / "staging"
    for folder in staging.iterdir() if staging.is_dir() else ():
        try:
            os.close(lock_file(folder / LEASE))
        except (BlockingIOError, FileNotFoundError):
            continue
        remove_uncommitted(store, folder / JOURNAL, manifest)
        shutil.rmtree(folder, ignore_errors=True)
    for entry in store.iterdir():
        if is_manifest_aside(entry.name):
            entry.unlink(missing_ok=True)
    if manifest.version >= READABLE:
        collect_garbage(store)


def remove_uncommitted(store: Path, journal: Path, manifest: Manifest) -> None:
    """Delete the files that a killed writer had moved into the store and not committed."""
    try:
        noted = journal.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return
    named = {part.path for part in manifest.parts} | set(manifest.garbage)
    for path in noted:
        if is_part_path(path) and path not in named:
            (store / path).unlink(missing_ok=True)


def collect_garbage(store: Path) -> None:
    """Delete merged files unless a reader may still have them open."""
    manifest = read_manifest(store)
    if not manifest.garbage:
        return
    try:
        handle = lock_file(store / _READERS)
    except BlockingIOError:
        return
    try:
        for path in manifest.garbage:
            (store / path).unlink(missing_ok=True)
        write_manifest(store, replace(manifest, garbage=()))
    finally:
        os.close(handle)


@contextmanager
def reading(store: Path, *, any_version: bool = False) -> Iterator[Manifest]:
    """Return the manifest as it is now; its files are kept on disk inside the block.

    :param any_version: also of an older format version.
    """
    try:
        handle = os.open(store / _READERS, os.O_RDWR | os.O_CREAT, FILE_MODE)
    except OSError:
        # A read-only medium has no writer that could delete files.
        yield read_manifest(store, any_version=any_version)
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_SH)
        yield read_manifest(store, any_version=any_version)
    finally:
        os.close(handle)
