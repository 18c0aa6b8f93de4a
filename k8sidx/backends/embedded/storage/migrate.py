"""Migration of parts of an earlier version: to this version's columns, redaction and ids.

Nothing is derived from old derived columns: every event is put together again, decoded
and normalized as if it had just been shipped, so a migrated store is what a new one
would be. Part by part: a part counts until what replaces it is in the manifest, and a killed
migration resumes with the parts that are left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from k8sidx.backends.embedded.findings import EmbeddedFindings
from k8sidx.backends.embedded.storage.integrity import damaged_part, reason_of
from k8sidx.backends.embedded.storage.manifest import (
    NORMALIZED,
    READABLE,
    VERSION,
    Part,
    read_manifest,
    write_manifest,
)
from k8sidx.backends.embedded.storage.part_builder import PartBuilder
from k8sidx.backends.embedded.storage.parts import StagedPart
from k8sidx.backends.store import Renewed
from k8sidx.errors import StoreError
from k8sidx.events.normalize.event import Normalizer
from k8sidx.events.normalize.stored import Renormalized, renormalize

if TYPE_CHECKING:
    from k8sidx.backends.embedded.storage.writer import StoreWriter

BATCH_ROWS = 1024


def migrate(
    writer: StoreWriter, *, keep_secrets: bool, on_damaged: Callable[[StoreError], None]
) -> Renewed:
    """Normalize the events of all older parts again; the caller holds the store's write lock.

    :param keep_secrets: secrets that were kept stay; ids are those of the redacted events.
    :param on_damaged: called with each part that cannot be read; it stays as it is.
    :raises StoreError: when a part of an older format version cannot be read.
    """
    renewed = Renewed()
    normalizer = Normalizer(keep_secrets=keep_secrets)
    manifest = read_manifest(writer.path, any_version=True)
    damaged = False
    for part in manifest.parts:
        if part.normalized >= NORMALIZED:
            continue
        try:
            _migrate_part(writer, part, normalizer, renewed)
        except pa.ArrowException as error:
            problem = damaged_part(writer.path, part.path, reason_of(error))
            if manifest.version < READABLE:
                raise problem from error
            on_damaged(problem)
            damaged = True
    manifest = read_manifest(writer.path, any_version=True)
    if not damaged and (manifest.version < READABLE or manifest.columns != writer.columns):
        write_manifest(writer.path, replace(manifest, version=VERSION, columns=writer.columns))
    EmbeddedFindings(writer.path).redact()
    return renewed


def _migrate_part(
    writer: StoreWriter, part: Part, normalizer: Normalizer, renewed: Renewed
) -> None:
    counts = Renewed()
    staged = _staged(writer, part, normalizer, counts)
    manifest = read_manifest(writer.path, any_version=True)
    if manifest.version >= READABLE and not counts.changed:
        for unneeded in staged:
            unneeded.path.unlink()
        staged = []
    others = tuple(other for other in manifest.parts if other.path != part.path)
    if not staged:
        # Nothing of it is other: the file stays.
        added: tuple[Part, ...] = (replace(part, normalized=NORMALIZED),)
        garbage = manifest.garbage
    else:
        current = [other for other in others if other.normalized >= NORMALIZED]
        added = writer.place_new(staged, current, counts)
        garbage = (*manifest.garbage, part.path)
        writer.forget_summaries({part.day, *(placed.day for placed in added)})
    write_manifest(writer.path, replace(manifest, parts=(*others, *added), garbage=garbage))
    writer.committed()
    renewed += counts


def _staged(
    writer: StoreWriter, part: Part, normalizer: Normalizer, counts: Renewed
) -> list[StagedPart]:
    """Stage the events of a part as they are normalized now."""
    builder = PartBuilder(writer.staging, writer.compression)
    staged: list[StagedPart] = []
    for batch in _events(writer.path / part.path, normalizer):
        counts.events += len(batch)
        counts.values += sum(len(event.replaced) for event in batch)
        counts.changed += sum(event.changed for event in batch)
        counts.duplicates += builder.add([event.event for event in batch])
        staged += builder.full()
    return staged + builder.finish()


def _events(path: Path, normalizer: Normalizer) -> Iterator[list[Renormalized]]:
    for rows in stored_rows(path):
        yield [renormalize(row, normalizer) for row in rows]


def stored_rows(path: Path) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of a part, some at a time; times are microseconds since 1970.

    :raises OSError: when it cannot be read, or is damaged.
    """
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        for batch in file.iter_batches(batch_size=BATCH_ROWS):
            yield _with_whole_numbers(batch).to_pylist()


def _with_whole_numbers(batch: pa.RecordBatch) -> pa.Table:
    table = pa.Table.from_batches([batch])
    for index, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            table = table.set_column(index, field.name, table.column(index).cast(pa.int64()))
    return table
