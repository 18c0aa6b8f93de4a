"""Layout of the embedded store: a folder of Parquet files, and the manifest that lists them.

::

    k8sidx-store/
      manifest.json                        which files make up the store, replaced whole
      events/2026-11-23/0f3c….parquet      events of one UTC day
      events/undated/….parquet             events without a usable time
      staging/…                            parts that a running writer has not committed yet
      dead-letter/….jsonl                  records that could not be stored, with reasons
      findings/findings.parquet            findings of hunt --save
      state/….json                         positions in followed logs
      summaries/…/….json.zst               daily aggregates (embedded/summaries.py)
      writer.lock  readers.lock

A file that the manifest does not name does not exist for readers. A commit renames its
files into place and then replaces the manifest in one step, so that a reader sees all of
it or nothing, and a writer that was killed leaves only files to be swept up.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from k8sidx.backends.durable import sync_folder
from k8sidx.errors import StoreError, StoreVersion

FORMAT = "k8sidx-store"
VERSION = 2
"""Incremented when the columns change; :mod:`k8sidx.backends.embedded.storage.migrate` rewrites
older stores."""


@dataclass(frozen=True, slots=True)
class Part:
    """One Parquet file of events of one day.

    :param path: relative to the store's folder.
    :param first: earliest ``@timestamp`` in it, microseconds since 1970.
    :param last: latest ``@timestamp`` in it.
    """

    path: str
    rows: int
    bytes: int
    first: int | None = None
    last: int | None = None

    @property
    def day(self) -> str:
        """``2026-11-23`` or ``undated``."""
        return Path(self.path).parent.name

    def overlaps(self, first: int | None, last: int | None) -> bool:
        """Whether it may contain an event between two times, both included."""
        if self.first is None or self.last is None or first is None or last is None:
            return True
        return self.first <= last and first <= self.last


@dataclass(frozen=True, slots=True)
class Manifest:
    """The files of a store.

    :param garbage: files that compaction replaced, to be deleted when no reader uses them.
    """

    parts: tuple[Part, ...] = ()
    garbage: tuple[str, ...] = ()
    version: int = VERSION
    columns: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)


def manifest_path(store: Path) -> Path:
    return store / "manifest.json"


def is_store(folder: Path) -> bool:
    """Whether the folder is an embedded store."""
    return manifest_path(folder).is_file()


def read_manifest(store: Path, *, any_version: bool = False) -> Manifest:
    """Read the list of files.

    :param any_version: also of an older format version, for the migration.
    :raises StoreError: when it does not exist, or is damaged.
    :raises StoreVersion: when another version of k8sidx wrote it.
    """
    path = manifest_path(store)
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise StoreError(
            f"{store} is not a k8sidx store.", remedy="Ship into it first: k8sidx ship INPUT"
        ) from error
    except (OSError, ValueError) as error:
        raise StoreError(
            f"the store's manifest {path} cannot be read: {error}",
            remedy="Restore it from a backup, or ship the logs into a new store.",
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise StoreError(f"{path} is not the manifest of a k8sidx store.")
    version = content.get("version")
    if not isinstance(version, int) or version > VERSION:
        raise StoreVersion(
            f"the store {store} has format version {version}, newer than this k8sidx "
            f"supports ({VERSION}).",
            remedy="Upgrade k8sidx.",
        )
    if version < VERSION and not any_version:
        raise StoreVersion(
            f"the store {store} has format version {version}; this k8sidx uses {VERSION}.",
            remedy="The next k8sidx ship into it migrates it.",
        )
    parts = tuple(Part(**part) for part in content["parts"])
    garbage, columns = tuple(content.get("garbage", ())), tuple(content.get("columns", ()))
    return Manifest(parts, garbage, version, columns)


def write_manifest(store: Path, manifest: Manifest) -> None:
    """Replace the list of files in one step that survives a power cut."""
    text = json.dumps(
        {
            "format": FORMAT,
            "version": manifest.version,
            "columns": list(manifest.columns),
            "parts": [asdict(part) for part in manifest.parts],
            "garbage": list(manifest.garbage),
        },
        indent=1,
    )
    path = manifest_path(store)
    aside = path.with_suffix(f".{os.getpid()}.tmp")
    with aside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    sync_folder(store)
