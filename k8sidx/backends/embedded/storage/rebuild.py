"""A new manifest for a store that lost its own, made from the parts that are there.

A merge replaces parts, and the replaced ones stay until nobody reads them; the manifest
alone knows which those are. So the ids of each part are compared with those of the parts
taken before, the largest first. No file is deleted here: a part that holds nothing new
becomes garbage of the new manifest, which the next writer collects.
"""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path
from typing import NamedTuple

import filelock
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from k8sidx.backends.durable import (
    FILE_MODE,
    checksum_of,
    make_private_folder,
    write_durably,
)
from k8sidx.backends.embedded.storage.columns import ID, STORED, TIME
from k8sidx.backends.embedded.storage.integrity import reason_of
from k8sidx.backends.embedded.storage.manifest import (
    READABLE,
    VERSION,
    Manifest,
    Part,
    is_part_path,
    is_store,
    manifest_path,
    part_files,
    read_manifest,
    write_manifest,
)
from k8sidx.backends.embedded.storage.parts import FAR, FORMAT_KEY, StagedPart
from k8sidx.backends.embedded.storage.writer import StoreWriter
from k8sidx.backends.store import Rebuilt
from k8sidx.errors import StoreBusy, StoreError, UsageError

BUSY_SECONDS = 10.0


class _File(NamedTuple):
    part: Part
    ids: pa.Array
    columns: tuple[str, ...]
    version: int

    @property
    def is_readable(self) -> bool:
        """Whether it has every column of this version that its events have a value in. Before
        version 3, parts did not name theirs, and had all columns."""
        if self.version:
            return self.version >= VERSION
        return self.columns == tuple(column.name for column in STORED)


def rebuild(store: Path) -> Rebuilt:
    """Make a manifest from the parts of a store whose manifest is missing or damaged.

    :raises UsageError: when the manifest is readable: there is nothing to rebuild.
    :raises StoreError: when there are no parts, or the folder cannot be written.
    :raises StoreBusy: when another process writes to the store.
    """
    _refuse_healthy(store)
    if not part_files(store):
        raise StoreError(
            f"{store} holds no events to make a store of.",
            remedy="Ship the logs into a new store: k8sidx ship INPUT",
        )
    try:
        with filelock.FileLock(store / "writer.lock", timeout=BUSY_SECONDS, mode=FILE_MODE):
            result, mixed = _rebuild(store)
    except filelock.Timeout as error:
        raise StoreBusy(
            f"another process is writing to {store}.", remedy="Wait for it to end."
        ) from error
    except OSError as error:
        raise StoreError(
            f"the store {store} cannot be written: {error.strerror or error}.",
            remedy="Make the folder writable.",
        ) from error
    for file in mixed:
        _take_new_events(store, file, result)
    result.parts = len(read_manifest(store, any_version=True).parts)
    return result


def _refuse_healthy(store: Path) -> None:
    if is_store(store):
        try:
            read_manifest(store, any_version=True)
        except StoreError:
            return
        raise UsageError(
            f"the manifest of {store} is whole.", remedy="Check its parts with: k8sidx doctor"
        )


def _rebuild(store: Path) -> tuple[Rebuilt, list[_File]]:
    """Write the manifest; return the parts that hold new events beside known ones, too."""
    result = Rebuilt()
    taken: list[_File] = []
    garbage: list[str] = []
    mixed: list[_File] = []
    for file in sorted(_files(store, result), key=lambda file: -file.part.rows):
        copies = _known(file, taken)
        if not copies:
            taken.append(file)
        elif copies == file.part.rows:
            garbage.append(file.part.path)
            result.duplicates += copies
        else:
            mixed.append(file)
    result.events = sum(file.part.rows for file in taken)
    _keep_damaged(store)
    names = tuple(column.name for column in STORED)
    current = all(file.is_readable for file in taken)
    manifest = Manifest(
        tuple(file.part for file in taken),
        tuple(garbage),
        VERSION if current else READABLE - 1,
        names if current else tuple(dict.fromkeys(name for file in taken for name in file.columns)),
    )
    write_manifest(store, manifest)
    return result, mixed


def _files(store: Path, result: Rebuilt) -> list[_File]:
    files = []
    for path in part_files(store):
        if not is_part_path(path):
            result.unreadable.append(f"{path}: its name is not that of a part")
            continue
        try:
            files.append(_read(store, path))
        except (OSError, pa.ArrowException, KeyError, ValueError) as error:
            result.unreadable.append(f"{path}: {reason_of(error)}")
    return files


def _read(store: Path, path: str) -> _File:
    state = (store / path).stat()
    with pq.ParquetFile(store / path, page_checksum_verification=True) as file:
        for batch in file.iter_batches():  # Every page: a checksum of damaged bytes proves nothing.
            del batch
        table = file.read(columns=[ID, TIME])
        columns = tuple(file.schema_arrow.names)
        version = int((file.metadata.metadata or {}).get(FORMAT_KEY, b"0"))
    times = pc.min_max(table.column(TIME).cast(pa.int64())).as_py()
    part = Part(
        path,
        table.num_rows,
        state.st_size,
        times["min"],
        times["max"],
        checksum_of(store / path),
        state.st_mtime_ns,
    )
    return _File(part, table.column(ID).combine_chunks(), columns, version)


def _known(file: _File, taken: list[_File]) -> int:
    """Count the events that are in the taken parts of the same day, or of many."""
    known = pa.array([False] * len(file.ids))
    for other in taken:
        days = {file.part.day, other.part.day}
        if (len(days) == 1 or FAR in days) and other.part.overlaps(file.part.first, file.part.last):
            known = pc.or_(known, pc.is_in(file.ids, other.ids))
    return pc.sum(known).as_py() or 0


def _keep_damaged(store: Path) -> None:
    path = manifest_path(store)
    if path.exists():
        folder = store / "dead-letter"
        make_private_folder(folder)
        text = path.read_bytes().decode("utf-8", "surrogateescape")
        kept = folder / f"manifest-{uuid.uuid4().hex[:8]}.json"
        write_durably(kept, text, errors="surrogateescape")


def _take_new_events(store: Path, file: _File, result: Rebuilt) -> None:
    """Commit a copy of a part: its known events are left out as duplicates."""
    part = file.part
    writer = StoreWriter(store, [column.name for column in STORED])
    try:
        copy = writer.staging / f"{uuid.uuid4().hex}.parquet"
        shutil.copyfile(store / part.path, copy)
        copy.chmod(FILE_MODE)
        ids = b"".join(file.ids.to_pylist())
        committed = writer.commit(
            [StagedPart(copy, part.day, part.rows, part.first, part.last, ids)]
        )
    finally:
        writer.close()
    result.events += committed.indexed
    result.duplicates += committed.duplicates
