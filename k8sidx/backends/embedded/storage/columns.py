"""Arrow columns of normalized events, by the field table.

Parts that repeat become dictionary columns: a distinct user is converted once for all
the columns it fills, and an event adds one number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from k8sidx.events.fields.table import FIELDS, Field, Kind
from k8sidx.events.normalize.event import VALUE_FIELDS, Normalized
from k8sidx.events.normalize.parts import FAMILIES

_TYPES = {
    Kind.KEYWORD: pa.string(),
    Kind.ADDRESS: pa.string(),
    Kind.INTEGER: pa.int64(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.TIME: pa.timestamp("us", tz="UTC"),
    Kind.JSON: pa.string(),
}
FIELD_BY_NAME = {field.name: field for field in FIELDS}


ID = "event.id"
ID_BYTES = 16
TIME = "@timestamp"
COMPUTED = {
    "event.duration": (
        '(epoch_us("stageTimestamp") - epoch_us("requestReceivedTimestamp")) * 1000'
    ),
    ID: f'lower(hex("{ID}"))',
}
"""DuckDB expressions of fields that are stored in another form: the duration follows from the two
timestamps, and the id's 128 bits need half the space of their digits."""

ALWAYS_STORED = frozenset({ID, TIME, "requestReceivedTimestamp", "stageTimestamp"})
"""Fields by which every query is ordered, and from which computed fields are computed."""


def arrow_type(field: Field) -> pa.DataType:
    """Return the column type of a field."""
    if field.name == ID:
        return pa.binary(ID_BYTES)
    value = _TYPES[field.kind]
    return pa.list_(value) if field.many else value


STORED = tuple(field for field in FIELDS if field.name == ID or field.name not in COMPUTED)
SCHEMA = pa.schema([(field.name, arrow_type(field)) for field in STORED])
"""All columns of the embedded store, in order of the field table."""

ALWAYS_IN_PARTS = frozenset({ID, TIME})
"""Columns that every part has, with or without values."""


def to_table(events: Sequence[Normalized], only: frozenset[str] | None = None) -> pa.Table:
    """Return the events as columns: those in which an event has a value, and the id and time.

    :param only: names of the columns; ``None`` for all of them.
    """
    columns: dict[str, pa.Array | pa.ChunkedArray] = {}
    for name, values in zip(
        VALUE_FIELDS, zip(*(event.values for event in events), strict=True), strict=True
    ):
        if name == ID:
            columns[name] = pa.array(values, pa.binary(ID_BYTES))
        elif name not in COMPUTED and (only is None or name in only):
            columns[name] = to_array(FIELD_BY_NAME[name], values)
    _add_parts(events, only, columns)
    _add_more(events, only, columns)
    return in_table_order(columns, len(events))


def in_table_order(columns: Mapping[str, pa.Array | pa.ChunkedArray], rows: int) -> pa.Table:
    """Return the columns that have a value in the order of the field table."""
    names = [
        field.name
        for field in STORED
        if field.name in columns
        and (field.name in ALWAYS_IN_PARTS or columns[field.name].null_count < rows)
    ]
    return pa.table([columns[name] for name in names], names=names)


def joined(tables: Sequence[pa.Table]) -> pa.Table:
    """Return the rows of tables that may have different columns; a missing value is null."""
    table = pa.concat_tables(tables, promote_options="default").unify_dictionaries()
    return table.select([field.name for field in STORED if field.name in table.column_names])


def id_bytes(table: pa.Table) -> bytes:
    """Return the ids of events, joined in the order of the rows."""
    pieces = []
    for chunk in table[ID].chunks:
        first, last = chunk.offset, chunk.offset + len(chunk)
        pieces.append(chunk.buffers()[1][first * ID_BYTES : last * ID_BYTES])
    return b"".join(pieces)


_SQL_NAME = re.compile(r'"([^"]+)"')
_COLUMNS = "{columns}"
PARTS = f"read_parquet(?, schema = {_COLUMNS}) AS events"
"""The rows of some parts in DuckDB's SQL; the paths are a parameter."""


def with_columns(sql: str) -> str:
    """Return a statement over :data:`PARTS` with the types of the columns that it reads.

    A part lacks the columns in which it has no value: they are NULL there. Each column that
    is named costs DuckDB a look at every file, so only those of the statement are.
    """
    if _COLUMNS not in sql:
        return sql
    names = {TIME, *_SQL_NAME.findall(sql)}
    columns = ", ".join(
        f"'{field.name}': {{'name': '{field.name}', 'type': '{_sql_type(field)}', "
        "'default_value': NULL}"
        for field in STORED
        if field.name in names
    )
    return sql.replace(_COLUMNS, f"MAP {{{columns}}}")


def null_column(field: Field) -> str:
    """Return the DuckDB expression of a column that a store does not have."""
    return f"NULL::{_sql_type(field)}"


def _sql_type(field: Field) -> str:
    if field.name == ID:
        return "BLOB"
    kind = {
        Kind.INTEGER: "BIGINT",
        Kind.BOOLEAN: "BOOLEAN",
        Kind.TIME: "TIMESTAMPTZ",
    }.get(field.kind, "VARCHAR")
    return f"{kind}[]" if field.many else kind


def to_array(field: Field, values: Sequence[Any]) -> pa.Array:
    if field.kind is Kind.JSON:
        return pa.array(values, pa.binary()).cast(pa.string())
    return pa.array(values, arrow_type(field))


def _add_parts(
    events: Sequence[Normalized], only: frozenset[str] | None, columns: dict[str, Any]
) -> None:
    for family, parts in zip(FAMILIES, zip(*(e.shared for e in events), strict=True), strict=True):
        wanted = [name for name in family if only is None or name in only]
        if not wanted:
            continue
        codes = {part: code for code, part in enumerate(dict.fromkeys(parts))}
        indices = pa.array([codes[part] for part in parts], pa.int32())
        for name in wanted:
            distinct = to_array(FIELD_BY_NAME[name], [part.fields.get(name) for part in codes])
            if pa.types.is_string(distinct.type):
                distinct = pc.dictionary_encode(distinct)
            if distinct.null_count < len(distinct):
                columns[name] = distinct.take(indices)


def _add_more(
    events: Sequence[Normalized], only: frozenset[str] | None, columns: dict[str, Any]
) -> None:
    sparse: dict[str, list[Any]] = {}
    for position, event in enumerate(events):
        for name, value in event.extra.items():
            values = sparse.get(name)
            if values is None:
                values = sparse[name] = [None] * len(events)
            values[position] = value
    for name, values in sparse.items():
        if only is None or name in only:
            columns[name] = to_array(FIELD_BY_NAME[name], values)
