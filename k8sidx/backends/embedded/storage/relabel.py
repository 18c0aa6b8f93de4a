"""Cluster names of events that are stored already: parts are rewritten with another name.

An event's id does not depend on the name of its cluster, so a part keeps its ids, rows and times.
The manifest replaces the old parts by the new ones in one step: a killed run leaves the old names.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from k8sidx.backends.embedded.storage.columns import ID, STORED
from k8sidx.backends.embedded.storage.manifest import Part
from k8sidx.backends.embedded.storage.parts import UNDATED, StagedPart, naming, open_writer

if TYPE_CHECKING:
    from k8sidx.backends.embedded.storage.writer import StoreWriter

CLUSTER = "orchestrator.cluster.name"


def relabelled_parts(
    writer: StoreWriter, staged: Iterable[StagedPart], stored: Iterable[Part], name: str
) -> tuple[dict[str, Part], int]:
    """Write the stored parts again in which an event gets another cluster name.

    The caller holds the store's write lock, and names the new parts in the manifest.

    :param staged: events that were shipped with the name; those that are stored get it.
    :returns: the new parts by the paths of the old ones, and the number of events that change.
    """
    staged = list(staged)
    replaced: dict[str, Part] = {}
    count = 0
    for part in stored:
        ids = [other.ids for other in staged if _may_share(part, other)]
        if not ids:
            continue
        shipped = pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(16), sum(map(len, ids)) // 16, [None, pa.py_buffer(b"".join(ids))]
        )
        path = writer.staging / f"{uuid.uuid4().hex}.parquet"
        changed = _rewrite(writer, writer.path / part.path, path, shipped, name)
        if changed:
            again = StagedPart(path, part.day, part.rows, part.first, part.last)
            # An older k8sidx may have normalized its events.
            replaced[part.path] = replace(writer.place(again), normalized=part.normalized)
            count += changed
    return replaced, count


def _may_share(part: Part, staged: StagedPart) -> bool:
    """Whether a stored part may contain events of a staged one, as for duplicates."""
    if not staged.may_share(part.day):
        return False
    return part.day == UNDATED or part.overlaps(staged.first, staged.last)


def _rewrite(writer: StoreWriter, old: Path, new: Path, ids: pa.Array, name: str) -> int:
    """Write a part with the name in the rows of the ids, and return how many had another one."""
    with pq.ParquetFile(old, page_checksum_verification=True) as file:
        changes = [_change(file, group, ids, name) for group in range(file.num_row_groups)]
        count: int = sum(pc.sum(change).as_py() or 0 for change in changes)
        if count:
            stored = {field.name: field for field in file.schema_arrow}
            fields = stored | {CLUSTER: pa.field(CLUSTER, pa.string())}
            schema = pa.schema([fields[field.name] for field in STORED if field.name in fields])
            with naming(new), open_writer(new, schema, writer.compression) as out:
                for group, change in enumerate(changes):
                    table = _with_name(file.read_row_group(group), change, name)
                    out.write_table(table.select(schema.names), row_group_size=table.num_rows)
    return count


def _change(file: pq.ParquetFile, group: int, ids: pa.Array, name: str) -> pa.Array:
    """Return for each row of a row group whether its name changes."""
    is_named = CLUSTER in file.schema_arrow.names
    columns = file.read_row_group(group, columns=[ID, *[CLUSTER] * is_named]).combine_chunks()
    change = pc.is_in(columns[ID], ids)
    if is_named:
        change = pc.and_(change, pc.is_null(pc.index_in(columns[CLUSTER], pa.array([name]))))
    return change.combine_chunks()


def _with_name(table: pa.Table, change: pa.Array, name: str) -> pa.Table:
    if CLUSTER not in table.column_names:
        return table.append_column(CLUSTER, pc.if_else(change, name, pa.scalar(None, pa.string())))
    column = pc.if_else(change, name, table[CLUSTER])
    return table.set_column(table.column_names.index(CLUSTER), CLUSTER, column)
