"""Arrow columns of the events that the native core has read, as those of the reference."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from k8sidx.backends.embedded.storage.columns import (
    FIELD_BY_NAME,
    ID,
    TIME,
    in_table_order,
    to_array,
)
from k8sidx.events.core import BODY_TEXTS, Rows
from k8sidx.events.normalize.json_tree import Fields
from k8sidx.events.normalize.parts import FAMILIES, Part

_MOMENT = pa.timestamp("us", tz="UTC")
_NUMBERS = {
    TIME: _MOMENT,
    "requestReceivedTimestamp": _MOMENT,
    "stageTimestamp": _MOMENT,
    "event.bytes": pa.int64(),
}
_OUTCOMES = pa.array(["success", "failure", "unknown"])
_PARTS = tuple(f"parts.{number}" for number in range(len(FAMILIES)))
_EXTRA = "extra"
"""Columns of a :class:`CoreTable` that are numbers of parts and of further fields."""
_TRUNCATED = "annotations.audit.k8s.io/truncated"


@dataclass(frozen=True, slots=True)
class CoreTable:
    """Events that the native core has read, of which what repeats is numbers still.

    A part of the store gets its columns from many chunks: what repeats in them is looked up
    once for all of them, in :func:`expanded`.

    :ivar table: the columns that each event has its own value in, and those of the numbers.
    :ivar families: the parts of each family, in the order of their numbers.
    :ivar extra: further fields, in the order of their numbers.
    """

    table: pa.Table
    families: Sequence[Sequence[Part]]
    extra: Sequence[Fields]

    def only(self, mask: pa.Array | pa.ChunkedArray) -> CoreTable:
        """Return the events for which a mask is true."""
        table = self.table.filter(mask)
        if not self.extra:
            return CoreTable(table, self.families, self.extra)
        encoded = _column(table, _EXTRA).dictionary_encode()
        table = table.set_column(table.column_names.index(_EXTRA), _EXTRA, encoded.indices)
        extra = [self.extra[number] for number in encoded.dictionary.to_pylist()]
        return CoreTable(table, self.families, extra)


def core_table(rows: Rows, only: frozenset[str] | None = None) -> CoreTable:
    """Return a chunk's events.

    :param only: names of the columns; ``None`` for all of them.
    """
    count = rows.count
    columns = _own_columns(rows, only)
    for name, numbers in zip(_PARTS, rows.columns["parts"], strict=True):
        columns[name] = _numbers(pa.int32(), count, numbers)
    if rows.extra:
        columns[_EXTRA] = pa.array(_extra_numbers(rows), pa.int32())
    return CoreTable(pa.table(columns), rows.families, list(rows.extra.values()))


def _extra_numbers(rows: Rows) -> list[int | None]:
    """Return for each row the number of its further fields."""
    numbers: list[int | None] = [None] * rows.count
    for number, row in enumerate(rows.extra):
        numbers[row] = number
    return numbers


def expanded(tables: Sequence[CoreTable], only: frozenset[str] | None = None) -> list[pa.Table]:
    """Return events as columns; see :func:`k8sidx.backends.embedded.storage.columns.to_table`.

    :param only: as that of :func:`core_table`.
    """
    return [_expanded(table, only) for table in united(tables)]


def combined(tables: Sequence[CoreTable]) -> list[CoreTable]:
    """Return the events in as few tables as possible, each column in one piece."""
    return [
        CoreTable(events.table.combine_chunks(), events.families, events.extra)
        for events in united(tables)
    ]


def united(tables: Sequence[CoreTable]) -> list[CoreTable]:
    """Return the events in as few tables as possible; nothing is copied."""
    # The core forgets its parts when there are many: numbers mean others from then on.
    groups: dict[int, list[CoreTable]] = {}
    for table in tables:
        groups.setdefault(id(table.families), []).append(table)
    return [_united(group) for group in groups.values()]


def _united(tables: Sequence[CoreTable]) -> CoreTable:
    extra: list[Fields] = []
    numbered = []
    for table in tables:
        numbered.append(_renumbered(table.table, len(extra)))
        extra += table.extra
    whole = pa.concat_tables(numbered, promote_options="default")
    return CoreTable(whole, tables[0].families, extra)


def _expanded(events: CoreTable, only: frozenset[str] | None) -> pa.Table:
    whole, extra = events.table, events.extra
    columns: dict[str, Any] = {
        name: whole[name] for name in whole.column_names if name in FIELD_BY_NAME
    }
    for family, part_column, parts in zip(FAMILIES, _PARTS, events.families, strict=True):
        names = [name for name in family if only is None or name in only]
        has_mark = family is FAMILIES[-1] and (only is None or "event.truncated" in only)
        if not names and not has_mark:
            continue
        encoded = _column(whole, part_column).dictionary_encode()
        distinct = [parts[number].fields for number in encoded.dictionary.to_pylist()]
        filled = {name for fields in distinct for name in fields}
        for name in filter(filled.__contains__, names):
            column = _shared(name, distinct, encoded.indices)
            if column is not None:
                columns[name] = column
        if has_mark and any(fields.get(_TRUNCATED) == "true" for fields in distinct):
            marks = [fields.get(_TRUNCATED) == "true" or None for fields in distinct]
            columns["event.truncated"] = pa.array(marks, pa.bool_()).take(encoded.indices)
    if _EXTRA in whole.column_names:
        _add_extra(columns, extra, _column(whole, _EXTRA), only)
    return in_table_order(columns, whole.num_rows)


def _renumbered(table: pa.Table, first: int) -> pa.Table:
    """Return a table whose further fields are numbered from another number on."""
    if not first or _EXTRA not in table.column_names:
        return table
    position = table.column_names.index(_EXTRA)
    return table.set_column(position, _EXTRA, pc.add(table[_EXTRA], pa.scalar(first, pa.int32())))


def _column(table: pa.Table, name: str) -> pa.Array:
    """Return a column in one piece."""
    column = table[name]
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _own_columns(rows: Rows, only: frozenset[str] | None) -> dict[str, pa.Array]:
    count, buffers = rows.count, rows.columns
    columns = {ID: _numbers(pa.binary(16), count, buffers["ids"])}
    for name, kind in _NUMBERS.items():
        if only is None or name in only or name == TIME:
            nulls, validity, values = buffers[name]
            columns[name] = _numbers(kind, count, values, validity, nulls)
    if only is None or "event.outcome" in only:
        columns["event.outcome"] = _OUTCOMES.take(_numbers(pa.int8(), count, buffers["outcome"]))
    redacted, marks = buffers["redacted"]
    if redacted and (only is None or "event.redacted" in only):
        nulls = count - redacted
        columns["event.redacted"] = _numbers(pa.bool_(), count, marks, marks, nulls)
    names = (*rows.own_texts, *BODY_TEXTS)
    for name, (nulls, validity, offsets, text) in zip(names, buffers["texts"], strict=True):
        if nulls < count and (only is None or name in only):
            columns[name] = pa.Array.from_buffers(
                pa.string(),
                count,
                [_buffer(validity), pa.py_buffer(offsets), pa.py_buffer(text)],
                nulls,
            )
    return columns


def _shared(name: str, distinct: Sequence[Fields], places: pa.Array) -> pa.Array | None:
    """Return a column whose values are given by their number; ``None`` without any value."""
    values = to_array(FIELD_BY_NAME[name], [fields.get(name) for fields in distinct])
    if values.null_count == len(values):
        return None
    if pa.types.is_string(values.type):
        values = pc.dictionary_encode(values)
    return values.take(places)


def _add_extra(
    columns: dict[str, Any],
    extra: Sequence[Fields],
    places: pa.Array,
    only: frozenset[str] | None,
) -> None:
    """Add the columns of further fields, to the values of them that are there already."""
    values: dict[str, list[Any]] = {}
    owners: dict[str, list[int]] = {}
    for owner, fields in enumerate(extra):
        for name, value in fields.items():
            if only is None or name in only:
                values.setdefault(name, []).append(value)
                owners.setdefault(name, []).append(owner)
    for name, some in values.items():
        # Most have few of the fields: what has none takes the null after the values.
        numbers = array("i", [len(some)]) * len(extra)
        for number, owner in enumerate(owners[name]):
            numbers[owner] = number
        own = _numbers(pa.int32(), len(extra), numbers)
        column = to_array(FIELD_BY_NAME[name], [*some, None]).take(own.take(places))
        columns[name] = pc.coalesce(column, columns[name]) if name in columns else column


def _numbers(
    kind: pa.DataType,
    count: int,
    values: bytes | array[int],
    validity: bytes | None = None,
    nulls: int = 0,
) -> pa.Array:
    return pa.Array.from_buffers(kind, count, [_buffer(validity), pa.py_buffer(values)], nulls)


def _buffer(validity: bytes | None) -> pa.Buffer | None:
    return None if validity is None else pa.py_buffer(validity)
