"""Compaction: merges small parts of a day, or of too many days, into large ones, which are smaller
and faster to read."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from k8sidx.backends.embedded.storage.columns import ALWAYS_IN_PARTS, STORED
from k8sidx.backends.embedded.storage.garbage import collect_garbage
from k8sidx.backends.embedded.storage.manifest import Part, read_manifest, write_manifest
from k8sidx.backends.embedded.storage.parts import (
    FAR,
    FEW_EVENTS,
    MERGED,
    PART_ROWS,
    UNDATED,
    StagedPart,
    naming,
    open_writer,
)
from k8sidx.backends.embedded.storage.writer import StoreWriter

SMALL_ROWS = PART_ROWS // 2
SMALL_BYTES = 1024 * 1024
"""Parts with fewer events and bytes are merged with their neighbours …"""
MANY_SMALL_PARTS = 8
"""… once a day has this many of them."""
DAYS = 300
"""Days of a store that have parts of their own, if they have few events."""
RECENT_DAYS = 30
ROW_GROUP_BYTES = 64 * 1024 * 1024
"""Bytes of the columns of a row group of a merged part, in memory."""


def merge_small_parts(
    writer: StoreWriter, *, enough: int = MANY_SMALL_PARTS, growing: bool = False
) -> int:
    """Merge the small parts of each day that has many of them, and those of excess days; return how
    many were merged.

    Readers use the old files until the manifest names the new one.

    :param growing: many more parts will come to the last day. There only parts of about the
        same size are merged, so that an event is rewritten a few times in all.
    """
    merged = 0
    with writer.turn():
        parts = sorted(read_manifest(writer.path).parts, key=_by_time)
        names = (FAR, UNDATED)
        last = max((part.day for part in parts if part.day not in names), default=UNDATED)
        for day, of_day in groupby(parts, key=lambda part: part.day):
            small = [part for part in of_day if is_small(part.rows, part.bytes)]
            alike = growing and day in (last, *names)
            for some in _alike(small) if alike else [small]:
                if len(some) < enough:
                    continue
                for group in _portions(some):
                    _merge(writer, group, day)
                    merged += len(group)
        for group in _portions(_of_excess_days(read_manifest(writer.path).parts)):
            _merge(writer, group, FAR)
            merged += len(group)
        collect_garbage(writer.path)
    return merged


def is_small(rows: int, size: int) -> bool:
    """Whether a part of so many events and bytes is merged with its neighbours."""
    return rows < SMALL_ROWS and size < SMALL_BYTES


def _of_excess_days(parts: Sequence[Part]) -> list[Part]:
    """Return the parts of days with few events, when a store has too many days; the days around
    today keep their own, as more events will come."""
    events: Counter[str] = Counter()
    for part in parts:
        events[part.day] += part.rows
    if len(events) <= DAYS:
        return []
    today = datetime.now(UTC).date()
    recent = {str(today + timedelta(days=day)) for day in range(-RECENT_DAYS, RECENT_DAYS + 1)}
    apart = {FAR, UNDATED, *recent}
    return sorted(
        (part for part in parts if events[part.day] < FEW_EVENTS and part.day not in apart),
        key=_by_time,
    )


def _by_time(part: Part) -> tuple[str, int]:
    return part.day, part.first or 0


def _alike(parts: Sequence[Part]) -> list[list[Part]]:
    """Group parts by size: fewer than 8 events, fewer than 64, than 512, and so on."""
    by_size: dict[int, list[Part]] = {}
    for part in parts:
        by_size.setdefault((part.rows.bit_length() - 1) // 3, []).append(part)
    return list(by_size.values())


def _portions(small: Sequence[Part]) -> list[list[Part]]:
    """Group neighbouring parts that together are about as large as a full one."""
    portions: list[list[Part]] = [[]]
    rows = 0
    for part in small:
        if portions[-1] and rows + part.rows > PART_ROWS:
            portions.append([])
            rows = 0
        portions[-1].append(part)
        rows += part.rows
    return [portion for portion in portions if len(portion) > 1]


def _merge(writer: StoreWriter, parts: Sequence[Part], day: str) -> None:
    path = writer.staging / f"{uuid.uuid4().hex}.parquet"
    files = [writer.path / part.path for part in parts]
    schema = _filled(files)
    waiting: list[pa.Table] = []
    with naming(path), open_writer(path, schema, MERGED) as out:
        for file in files:
            with pq.ParquetFile(file, page_checksum_verification=True) as opened:
                names = [name for name in schema.names if name in opened.schema_arrow.names]
                for group in range(opened.metadata.num_row_groups):
                    waiting.append(opened.read_row_group(group, columns=names))
                    if sum(table.nbytes for table in waiting) >= ROW_GROUP_BYTES:
                        _write(out, schema, waiting)
        _write(out, schema, waiting)
    moments = [part for part in parts if part.first is not None and part.last is not None]
    staged = StagedPart(
        path,
        day,
        sum(part.rows for part in parts),
        min((part.first for part in moments if part.first is not None), default=None),
        max((part.last for part in moments if part.last is not None), default=None),
    )
    manifest = read_manifest(writer.path)
    gone = {part.path for part in parts}
    kept = tuple(part for part in manifest.parts if part.path not in gone)
    # An older k8sidx may have added one of them meanwhile.
    normalized = min(part.normalized for part in parts)
    numbers = [part.committed for part in parts]
    committed = max(numbers) if all(numbers) else 0
    placed = replace(writer.place(staged), normalized=normalized, committed=committed)
    write_manifest(
        writer.path,
        replace(manifest, parts=(*kept, placed), garbage=(*manifest.garbage, *sorted(gone))),
    )
    writer.committed()


def _filled(files: Sequence[Path]) -> pa.Schema:
    """Return the columns that have a value in any of the files, in the field table's order.

    Parts of format version 2 have all columns.
    """
    filled: dict[str, pa.Field] = {}
    for path in files:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            for name in file.schema_arrow.names:
                if name not in filled and (name in ALWAYS_IN_PARTS or _has_values(file, name)):
                    filled[name] = file.schema_arrow.field(name)
    return pa.schema([filled[field.name] for field in STORED if field.name in filled])


def _has_values(file: pq.ParquetFile, name: str) -> bool:
    return any(
        file.read_row_group(group, columns=[name]).column(0).null_count
        < file.metadata.row_group(group).num_rows
        for group in range(file.metadata.num_row_groups)
    )


def _write(out: pq.ParquetWriter, schema: pa.Schema, waiting: list[pa.Table]) -> None:
    if waiting:
        empty = schema.empty_table()
        table = pa.concat_tables([empty, *waiting], promote_options="default").combine_chunks()
        out.write_table(table.select(schema.names), row_group_size=max(1, table.num_rows))
        waiting.clear()
