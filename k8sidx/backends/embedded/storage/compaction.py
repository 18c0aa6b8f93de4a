"""Compaction: merges small parts of a day into large ones, which are smaller and faster to read."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

import pyarrow as pa
import pyarrow.parquet as pq

from k8sidx.backends.embedded.storage.manifest import Part, read_manifest, write_manifest
from k8sidx.backends.embedded.storage.parts import (
    MERGED,
    PART_ROWS,
    ROW_GROUP_BYTES,
    UNDATED,
    StagedPart,
    open_writer,
)
from k8sidx.backends.embedded.storage.writer import StoreWriter, collect_garbage

SMALL_ROWS = PART_ROWS // 2
"""Parts with fewer events are merged with their neighbours …"""
MANY_SMALL_PARTS = 8
"""… once a day has this many of them."""


def merge_small_parts(
    writer: StoreWriter, *, enough: int = MANY_SMALL_PARTS, growing: bool = False
) -> int:
    """Merge the small parts of each day that has many of them, and return how many were merged.

    Readers use the old files until the manifest names the new one.

    :param growing: many more parts will come to the last day. There only parts of about the
        same size are merged, so that an event is rewritten a few times in all.
    """
    merged = 0
    with writer.turn():
        parts = sorted(read_manifest(writer.path).parts, key=_by_time)
        last = max((part.day for part in parts if part.day != UNDATED), default=UNDATED)
        for day, of_day in groupby(parts, key=lambda part: part.day):
            small = [part for part in of_day if part.rows < SMALL_ROWS]
            alike = growing and day in (last, UNDATED)
            for some in _alike(small) if alike else [small]:
                if len(some) < enough:
                    continue
                for group in _portions(some):
                    _merge(writer, group)
                    merged += len(group)
        collect_garbage(writer.path)
    return merged


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


def _merge(writer: StoreWriter, parts: Sequence[Part]) -> None:
    path = writer.staging / f"{uuid.uuid4().hex}.parquet"
    out: pq.ParquetWriter | None = None
    waiting: list[pa.Table] = []
    for part in parts:
        with pq.ParquetFile(writer.path / part.path) as file:
            for group in range(file.metadata.num_row_groups):
                waiting.append(file.read_row_group(group))
                if out is None:
                    out = open_writer(path, waiting[0].schema, MERGED)
                if sum(table.nbytes for table in waiting) >= ROW_GROUP_BYTES:
                    _write(out, waiting)
    if out is None:
        return
    _write(out, waiting)
    out.close()
    moments = [part for part in parts if part.first is not None and part.last is not None]
    staged = StagedPart(
        path,
        parts[0].day,
        sum(part.rows for part in parts),
        min((part.first for part in moments if part.first is not None), default=None),
        max((part.last for part in moments if part.last is not None), default=None),
    )
    manifest = read_manifest(writer.path)
    gone = {part.path for part in parts}
    kept = tuple(part for part in manifest.parts if part.path not in gone)
    placed = writer.place(staged)
    write_manifest(
        writer.path,
        replace(manifest, parts=(*kept, placed), garbage=(*manifest.garbage, *sorted(gone))),
    )


def _write(out: pq.ParquetWriter, waiting: list[pa.Table]) -> None:
    if waiting:
        table = pa.concat_tables(waiting).combine_chunks()
        out.write_table(table, row_group_size=max(1, table.num_rows))
        waiting.clear()
