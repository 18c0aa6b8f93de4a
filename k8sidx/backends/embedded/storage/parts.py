"""Staged Parquet parts: files with the events of one day, or of many, until they are committed."""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from k8sidx.backends.durable import make_private_file
from k8sidx.backends.embedded.storage.columns import (
    ID,
    ID_BYTES,
    STORED,
    TIME,
    id_bytes,
    joined,
    to_table,
)
from k8sidx.backends.embedded.storage.core_columns import CoreTable, combined, expanded
from k8sidx.backends.embedded.storage.manifest import VERSION
from k8sidx.backends.sink import Refused
from k8sidx.errors import StoreError
from k8sidx.events.failure import NOT_OF_A_RECORD, failure_reason
from k8sidx.events.fields.moment import to_moment
from k8sidx.events.fields.table import Kind
from k8sidx.events.normalize.event import Normalized

TABLE_BYTES = 8 * 1024 * 1024
TABLE_ROWS = 5_632
"""Events become columns, which take less memory, when there are this many bytes of their bodies,
or events."""
PART_BYTES = 20 * 1024 * 1024
PART_ROWS = 50_000
"""A part is finished when it has this many bytes of bodies, or events. It is one row group:
what repeats in it is stored once, and a column that has no value in it is left out."""
FORMAT_KEY = b"k8sidx.format"
"""Key of a part's metadata; the value is the format version that wrote it."""
UNDATED = "undated"
FAR = "far"
"""Name in place of a day: of parts with events of many days, each of which has few."""
FEW_EVENTS = 1_024
"""A day with fewer events shares a part when there are too many days."""

DAY_MICROS = 86_400_000_000
_EARLIER = 1_000_000
_TABLES = 128
"""Tables of a part that are joined, because each takes memory of its own."""
_PAGE_BYTES = 4 * 1024 * 1024
_TIMES = [field.name for field in STORED if field.kind is Kind.TIME]
_BODIES = ("requestObject", "responseObject")
_RANDOM = (ID, "auditID")
"""Columns in which nothing repeats: at a higher level they are larger."""
_NO_DICTIONARY = {ID, "auditID", *_TIMES, *_BODIES}


Row: TypeAlias = tuple[Normalized, int, int]
"""An event, the number of its chunk, and that of its record."""


@dataclass(frozen=True, slots=True)
class Compression:
    """Compression of parts.

    :param codec: Parquet codec.
    :param level: its level.
    :param body_level: that of request and response objects.
    """

    codec: str = "zstd"
    level: int | None = 3
    body_level: int | None = 6

    def levels(self, columns: Sequence[str]) -> dict[str, int] | None:
        """Return the level of each column; ``None`` for a codec without levels."""
        if self.level is None or self.body_level is None:
            return None
        levels = dict.fromkeys(columns, self.level)
        levels |= dict.fromkeys(_BODIES, self.body_level) | dict.fromkeys(_RANDOM, 1)
        return {name: levels[name] for name in columns}


SHIPPED = Compression()
MERGED = Compression(level=7, body_level=7)
TEMPORARY = Compression("lz4", None, None)


@dataclass(slots=True)
class StagedPart:
    """A finished part that is not committed.

    :param ids: event ids, 16 bytes each, joined in the order of the rows.
    :param chunks: numbers of the chunks that its events come from, once for each of the parts
        that it unites.
    :param days: the days of its events, if they are of several.
    """

    path: Path
    day: str
    rows: int
    first: int | None
    last: int | None
    ids: bytes = b""
    chunks: tuple[int, ...] = ()
    days: frozenset[str] = frozenset()

    def may_share(self, day: str) -> bool:
        """Whether a stored part of a day may contain events of this one."""
        if self.day == FAR:
            return day == FAR or (day in self.days if self.days else day != UNDATED)
        return day == self.day or (day == FAR and self.day != UNDATED)


def day_of(micros: int | None) -> str:
    """Return the UTC day of an event's own time as ``YYYY-MM-DD``, or ``undated`` without one."""
    if micros is None:
        return UNDATED
    day = to_moment(micros)
    return f"{day.year:04d}-{day.month:02d}-{day.day:02d}"


def day_of_number(number: int) -> str:
    """Return a day by its number since 1970 as ``YYYY-MM-DD``."""
    return day_of(number * DAY_MICROS)


def day_numbers(table: pa.Table) -> pa.ChunkedArray:
    """Return the number of the UTC day since 1970 of each event; all have a time."""
    # Arrow divides towards zero, so days before 1970 are counted from an earlier one.
    since = pc.add(table[TIME].cast(pa.int64()), _EARLIER * DAY_MICROS)
    return pc.subtract(pc.divide(since, DAY_MICROS), _EARLIER)


class OpenPart:
    """A part that is being filled.

    :ivar chunks: for each chunk with events in it, how many parts with its events it unites.
    """

    def __init__(
        self,
        path: Path,
        day: str,
        compression: Compression,
        only: frozenset[str] | None,
        on_refused: Callable[[Refused], None] | None,
    ) -> None:
        self.ids: dict[bytes, None] = {}
        self.chunks: Counter[int] = Counter()
        self._path = path
        self._day = day
        self._compression = compression
        self._only = only
        self._on_refused = on_refused
        self._waiting: list[Row] = []
        self._waiting_bytes = 0
        self._tables: list[pa.Table] = []
        self._of_core: list[CoreTable] = []
        self._bytes = 0
        self._first: int | None = None
        self._last: int | None = None

    @property
    def fill(self) -> float:
        """Share of a part's size that is taken."""
        return max(len(self.ids) / PART_ROWS, self._bytes / PART_BYTES)

    def add(self, rows: list[Row]) -> int:
        duplicates = 0
        for row in rows:
            values = row[0].values
            identity = values.id
            if identity in self.ids:
                duplicates += 1
                continue
            self.ids[identity] = None
            self._waiting.append(row)
            self._waiting_bytes += len(values.request or b"") + len(values.response or b"")
            if self._waiting_bytes >= TABLE_BYTES or len(self._waiting) >= TABLE_ROWS:
                self._convert()
        return duplicates

    def add_rows(self, events: CoreTable, size: int) -> int:
        count: int = events.table.num_rows
        is_new = self._add_ids(events.table)
        if is_new is not None:
            events = events.only(is_new)
        if events.table.num_rows:
            self._of_core.append(events)
            if len(self._of_core) > _TABLES:
                self._of_core = combined(self._of_core)
            self._extend_by(events.table, size)
        return count - int(events.table.num_rows)

    def move_to(self, other: OpenPart) -> int:
        """Add the events to another part, and return how many were in it already."""
        duplicates = other.add(self._waiting)
        size = self._bytes
        for table in self._tables:
            duplicates += other.add_table(table, size)
            size = 0
        for events in self._of_core:
            duplicates += other.add_rows(events, size)
            size = 0
        other.chunks += self.chunks
        return duplicates

    def add_table(self, table: pa.Table, size: int) -> int:
        count: int = table.num_rows
        is_new = self._add_ids(table)
        if is_new is not None:
            table = table.filter(is_new)
        if table.num_rows:
            self._tables.append(table)
            if len(self._tables) > _TABLES:
                self._tables = [joined(self._tables).combine_chunks()]
            self._extend_by(table, size)
        return count - int(table.num_rows)

    def _add_ids(self, table: pa.Table) -> pa.Array | None:
        """Add the ids of events, and return which are new; ``None`` if all of them are."""
        joined_ids = id_bytes(table)
        ids = [joined_ids[at : at + ID_BYTES] for at in range(0, len(joined_ids), ID_BYTES)]
        fresh = dict.fromkeys(ids)
        if len(fresh) == len(ids) and self.ids.keys().isdisjoint(fresh):
            self.ids.update(fresh)
            return None
        is_new = []
        for identity in ids:
            is_new.append(identity not in self.ids)
            self.ids[identity] = None
        return pa.array(is_new)

    def _extend_by(self, table: pa.Table, size: int) -> None:
        self._bytes += size
        times = pc.min_max(table[TIME].cast(pa.int64()))
        self._extend([times["min"].as_py(), times["max"].as_py()])

    def _convert(self) -> None:
        """Turn the waiting rows into columns."""
        table = self._table()
        self._bytes += self._waiting_bytes
        self._waiting_bytes = 0
        if table is not None:
            stamps = (row[0].values.timestamp for row in self._waiting)
            self._tables.append(table)
            self._extend([stamp for stamp in stamps if stamp is not None])
        self._waiting.clear()

    def _extend(self, times: list[int]) -> None:
        if times:
            first, last = min(times), max(times)
            self._first = first if self._first is None else min(self._first, first)
            self._last = last if self._last is None else max(self._last, last)

    def _table(self) -> pa.Table | None:
        """Return the waiting rows as columns, without those that cannot be written."""
        try:
            return to_table([row[0] for row in self._waiting], self._only)
        except NOT_OF_A_RECORD:
            raise
        except Exception:
            if self._on_refused is None:
                raise
        return self._table_of_single_rows(self._on_refused)

    def _table_of_single_rows(self, on_refused: Callable[[Refused], None]) -> pa.Table | None:
        # Which of the rows it is shows only when each is converted by itself.
        tables, kept = [], []
        for row in self._waiting:
            event = row[0]
            try:
                tables.append(to_table([event], self._only))
            except NOT_OF_A_RECORD:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, the others are written
                on_refused(refused_row(row, error))
                del self.ids[event.values.id]
            else:
                kept.append(row)
        self._waiting = kept
        return joined(tables) if tables else None

    def finish(self) -> StagedPart:
        if self._waiting:
            self._convert()
        self._tables += expanded(self._of_core, self._only)
        self._of_core.clear()
        ids = b""
        days: frozenset[str] = frozenset()
        if self._tables:
            table = joined(self._tables)
            if self._day == FAR:
                days = frozenset(map(day_of_number, pc.unique(day_numbers(table)).to_pylist()))
            ids = id_bytes(table)
            self._tables.clear()
            with (
                naming(self._path),
                open_writer(self._path, table.schema, self._compression) as out,
            ):
                out.write_table(table, row_group_size=table.num_rows)
        chunks = tuple(self.chunks.elements())
        return StagedPart(
            self._path, self._day, len(self.ids), self._first, self._last, ids, chunks, days
        )


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Raise errors of a file that is being written with its name."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"the part {path} cannot be written: {os.strerror(error.errno or errno.EIO)}.",
            remedy="Make room, then run the command again: what was committed is stored.",
        ) from error


def refused_row(row: Row, error: Exception) -> Refused:
    event, chunk, record = row
    return Refused(chunk, record, failure_reason(error), event)


def open_writer(path: Path, schema: pa.Schema, compression: Compression) -> pq.ParquetWriter:
    """Return a Parquet writer with settings for audit events (measured in benchmarks/README.md)."""
    columns = [
        f"{name}.list.element" if pa.types.is_list(schema.field(name).type) else name
        for name in schema.names
    ]
    dictionary = [name for name in columns if name not in _NO_DICTIONARY]
    encoding = {name: "DELTA_BINARY_PACKED" for name in _TIMES if name in schema.names}
    options: dict[str, Any] = {"store_schema": False}
    if (levels := compression.levels(columns)) is not None:
        options["compression_level"] = levels
    if not path.exists():
        make_private_file(path)
    writer = pq.ParquetWriter(
        path,
        schema,
        compression=compression.codec,
        data_page_size=_PAGE_BYTES,
        use_dictionary=dictionary,
        column_encoding=encoding,
        write_statistics=[TIME],
        write_page_checksum=True,
        **options,
    )
    writer.add_key_value_metadata({FORMAT_KEY.decode(): str(VERSION)})
    return writer
