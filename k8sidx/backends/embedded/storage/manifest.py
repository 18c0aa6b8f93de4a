"""Layout of the embedded store: a folder of Parquet files, and the manifest that lists them.

::

    k8sidx-store/
      manifest.json                        which files make up the store, replaced whole
      events/2026-11-23/0f3c….parquet      events of one UTC day
      events/undated/….parquet             events without a time of their own
      events/far/….parquet                 events of many days that have few events each
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
import re
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from k8sidx.backends.durable import write_durably
from k8sidx.errors import StoreError, StoreVersion
from k8sidx.events.normalize.rules import RULES

FORMAT = "k8sidx-store"
VERSION = 5
"""Incremented when parts change so that an older k8sidx could not read them, or would drop columns
when it merges them: when a field is added or computed in another way."""
READABLE = 2
"""Oldest version whose parts are read as they are: queries of columns that the manifest does not
list are refused until :mod:`k8sidx.backends.embedded.storage.migrate` has added them. To be raised
when a column of them means something else. Parts of version 2 have all columns, those of later ones
only the ones with values; since version 4 there are parts of many days, since version 5 there are
places of addresses."""
NORMALIZED = (VERSION, RULES)
"""Versions by which the events of a new part are normalized: that of the columns, and that of the
rules of redaction and identity."""

_PART_PATH = re.compile(r"events/(?:\d{4}-\d\d-\d\d|undated|far)/[0-9a-f]+\.parquet")
_ASIDE = re.compile(r"manifest(?:\.json)?\.\d+\.tmp")


@dataclass(frozen=True, slots=True)
class Part:
    """One Parquet file of events of one day.

    :param path: relative to the store's folder.
    :param first: earliest ``@timestamp`` in it, microseconds since 1970.
    :param last: latest ``@timestamp`` in it.
    :param checksum: CRC-32 of the file; empty for parts of stores made before there was one.
    :param modified: modification time of the file when it was checked, in nanoseconds.
    :param normalized: versions by which its events are normalized; zeros for parts of stores made
        before that was noted. An earlier k8sidx drops it from the manifest, so that
        whatever it adds is migrated.
    :param committed: number of the commit that added it, higher than those of all before: about
        the microseconds since 1970; 0 where it is not known.
    """

    path: str
    rows: int
    bytes: int
    first: int | None = None
    last: int | None = None
    checksum: str = ""
    modified: int = 0
    normalized: tuple[int, int] = (0, 0)
    committed: int = 0

    @property
    def day(self) -> str:
        """``2026-11-23``, ``undated`` or ``far``."""
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
    :param store_id: the store's identity, 32 hexadecimal digits; empty in a store that was
        made before it had one.
    """

    parts: tuple[Part, ...] = ()
    garbage: tuple[str, ...] = ()
    version: int = VERSION
    columns: tuple[str, ...] = ()
    store_id: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def is_current(self) -> bool:
        """Whether all events are normalized as this version does."""
        return all(part.normalized >= NORMALIZED for part in self.parts)

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)


def numbered(added: Sequence[Part], stored: Sequence[Part]) -> tuple[Part, ...]:
    """Return the parts of a commit with its number, by which what is new is known.

    It rises also when the clock is set back.
    """
    last = max((part.committed for part in stored), default=0)
    number = max(last + 1, time.time_ns() // 1_000)
    return tuple(replace(part, committed=number) for part in added)


def in_place_of(part: Part, rewritten: Part | None) -> Part:
    """Return the part, or what it was rewritten as: its events are not new by that."""
    return part if rewritten is None else replace(rewritten, committed=part.committed)


def manifest_path(store: Path) -> Path:
    return store / "manifest.json"


def is_store(folder: Path) -> bool:
    """Whether the folder is an embedded store."""
    return manifest_path(folder).is_file()


def is_part_path(path: str) -> bool:
    """Whether a path may be that of a part: inside the store, below the day's folder."""
    return _PART_PATH.fullmatch(path) is not None


def is_manifest_aside(name: str) -> bool:
    """Whether a file's name is that of a manifest which was never put into place."""
    return _ASIDE.fullmatch(name) is not None


def part_files(store: Path) -> list[str]:
    """Paths of the Parquet files below ``events/``, named by a manifest or not."""
    events = store / "events"
    files = events.glob("*/*.parquet") if events.is_dir() else ()
    return sorted(file.relative_to(store).as_posix() for file in files)


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
        raise _no_manifest(store) from error
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path, str(error)) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise _damaged(path, "it is not the manifest of a k8sidx store")
    version = content.get("version")
    if type(version) is not int or version > VERSION:
        raise StoreVersion(
            f"the store {store} has format version {version}, newer than this k8sidx supports "
            f"({VERSION}).",
            remedy="Upgrade k8sidx.",
        )
    if version < READABLE and not any_version:
        raise StoreVersion(
            f"the store {store} has format version {version}; this k8sidx uses {VERSION}.",
            remedy="The next k8sidx ship into it migrates it.",
        )
    try:
        return _manifest_of(content)
    except ValueError as error:
        raise _damaged(path, str(error)) from error


def _no_manifest(store: Path) -> StoreError:
    if part_files(store):
        return StoreError(
            f"the store {store} has lost its manifest: {manifest_path(store).name} is missing, "
            "but events are there.",
            remedy="Make it anew from the events: k8sidx doctor --rebuild",
        )
    problem = "is not a k8sidx store" if store.exists() else "does not exist: there is no store yet"
    return StoreError(
        f"{store} {problem}.",
        remedy="Ship into it first: k8sidx ship FILE. Or read files without a store: --input FILE",
    )


def _damaged(path: Path, reason: str) -> StoreError:
    return StoreError(
        f"the store's manifest {path} cannot be read: {reason}",
        remedy="Move it away and make it anew from the events: k8sidx doctor --rebuild",
    )


def _manifest_of(content: Mapping[str, Any]) -> Manifest:
    """Read a manifest, of which nothing is trusted: its paths are deleted and read.

    :raises ValueError: when something is missing, or is not what it should be.
    """
    checksums = _of_type(content.get("checksums", {}), dict, "checksums")
    normalized = _of_type(content.get("normalized", {}), dict, "normalized")
    committed = _of_type(content.get("committed", {}), dict, "committed")
    return Manifest(
        tuple(
            _part_of(part, checksums, normalized, committed)
            for part in _of_type(content.get("parts"), list, "parts")
        ),
        tuple(_path_of(path) for path in _of_type(content.get("garbage", []), list, "garbage")),
        content["version"],
        tuple(
            _of_type(name, str, "columns")
            for name in _of_type(content.get("columns", []), list, "columns")
        ),
        _of_type(content.get("store", ""), str, "store"),
    )


def _part_of(
    part: object,
    checksums: Mapping[str, Any],
    normalized: Mapping[str, Any],
    committed: Mapping[str, Any],
) -> Part:
    values = _of_type(part, dict, "parts")
    path = _path_of(values.get("path"))
    checksum, modified = _of_type(checksums.get(path, ["", 0]), list, "checksums")
    columns, rules = _of_type(normalized.get(path, [0, 0]), list, "normalized")
    return Part(
        path,
        _of_type(values.get("rows"), int, "rows"),
        _of_type(values.get("bytes"), int, "bytes"),
        _moment_of(values.get("first")),
        _moment_of(values.get("last")),
        _of_type(checksum, str, "checksums"),
        _of_type(modified, int, "checksums"),
        (_of_type(columns, int, "normalized"), _of_type(rules, int, "normalized")),
        _of_type(committed.get(path, 0), int, "committed"),
    )


def _path_of(path: object) -> str:
    if not isinstance(path, str) or not is_part_path(path):
        raise ValueError(f"{path!r} is not the path of a part")
    return path


def _moment_of(value: object) -> int | None:
    return None if value is None else _of_type(value, int, "first or last")


def _of_type(value: object, kind: type, name: str) -> Any:
    if type(value) is not kind:
        raise ValueError(f"{name}: {str(value)[:60]!r} is not of the type {kind.__name__}")
    return value


def write_manifest(store: Path, manifest: Manifest) -> None:
    """Replace the list of files in one step that survives a power cut.

    A store from before it had an identity gets one. One whose parts are read as they are gets
    this version: new parts may be among them, which an older k8sidx cannot read.
    """
    if manifest.version >= READABLE:
        manifest = replace(manifest, version=VERSION)
    if not manifest.store_id:
        manifest = replace(manifest, store_id=uuid.uuid4().hex)
    text = json.dumps(
        {
            "format": FORMAT,
            "version": manifest.version,
            "store": manifest.store_id,
            "columns": list(manifest.columns),
            "parts": [
                {
                    "path": part.path,
                    "rows": part.rows,
                    "bytes": part.bytes,
                    "first": part.first,
                    "last": part.last,
                }
                for part in manifest.parts
            ],
            "checksums": {
                part.path: [part.checksum, part.modified]
                for part in manifest.parts
                if part.checksum
            },
            "normalized": {
                part.path: list(part.normalized) for part in manifest.parts if any(part.normalized)
            },
            "committed": {part.path: part.committed for part in manifest.parts if part.committed},
            "garbage": list(manifest.garbage),
        },
        indent=1,
    )
    write_durably(manifest_path(store), text)
