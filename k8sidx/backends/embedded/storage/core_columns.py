"""Arrow columns of the events that the native core has read, as those of the reference."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
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
from k8sidx.events.normalize.parts import FAMILIES, Part

_MOMENT = pa.timestamp("us", tz="UTC")
_NUMBERS = {
    TIME: _MOMENT,
    "requestReceivedTimestamp": _MOMENT,
    "stageTimestamp": _MOMENT,
    "event.bytes": pa.int64(),
}
_OUTCOMES = pa.array(["success", "failure", "unknown"])
_TRUNCATED = "annotations.audit.k8s.io/truncated"


def core_table(rows: Rows, only: frozenset[str] | None = None) -> pa.Table:
    """Return the events as columns; see :func:`k8sidx.backends.embedded.storage.columns.to_table`.

    :param only: names of the columns; ``None`` for all of them.
    """
    count = rows.count
    columns = _own_columns(rows, only)
    for family, parts, places in zip(FAMILIES, rows.families, rows.columns["parts"], strict=True):
        wanted = [name for name in family if only is None or name in only]
        has_mark = family is FAMILIES[-1] and (only is None or "event.truncated" in only)
        if not wanted and not has_mark:
            continue
        encoded = _numbers(pa.int32(), count, places).dictionary_encode()
        distinct = [parts[place] for place in encoded.dictionary.to_pylist()]
        for name in wanted:
            _add_shared(columns, name, distinct, encoded.indices)
        if has_mark and any(part.fields.get(_TRUNCATED) == "true" for part in distinct):
            marks = [part.fields.get(_TRUNCATED) == "true" or None for part in distinct]
            columns["event.truncated"] = pa.array(marks, pa.bool_()).take(encoded.indices)
    for name, values in rows.extra.items():
        if only is None or name in only:
            column = _sparse(to_array(FIELD_BY_NAME[name], list(values.values())), values, count)
            columns[name] = pc.coalesce(column, columns[name]) if name in columns else column
    return in_table_order(columns, count)


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


def _add_shared(columns: dict[str, Any], name: str, distinct: list[Part], places: pa.Array) -> None:
    values = to_array(FIELD_BY_NAME[name], [part.fields.get(name) for part in distinct])
    if values.null_count == len(values):
        return
    if pa.types.is_string(values.type):
        values = pc.dictionary_encode(values)
    columns[name] = values.take(places)


def _sparse(values: pa.Array, rows: Iterable[int], count: int) -> pa.Array:
    """Return a column of which only some rows have a value."""
    places = array("i", bytes(4 * count))
    valid = bytearray((count + 7) // 8)
    for place, row in enumerate(rows):
        places[row] = place
        valid[row >> 3] |= 1 << (row & 7)
    return values.take(_numbers(pa.int32(), count, places.tobytes(), bytes(valid), -1))


def _numbers(
    kind: pa.DataType, count: int, values: bytes, validity: bytes | None = None, nulls: int = 0
) -> pa.Array:
    return pa.Array.from_buffers(kind, count, [_buffer(validity), pa.py_buffer(values)], nulls)


def _buffer(validity: bytes | None) -> pa.Buffer | None:
    return None if validity is None else pa.py_buffer(validity)
