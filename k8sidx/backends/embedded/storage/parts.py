"""Staged Parquet parts: files with the events of one day, until they are committed."""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from k8sidx.backends.durable import make_private_file
from k8sidx.backends.embedded.storage.columns import ID, STORED, TIME, joined, to_table
from k8sidx.backends.embedded.storage.core_columns import CoreTable, core_table, expanded
from k8sidx.backends.embedded.storage.manifest import VERSION
from k8sidx.backends.sink import Refused
from k8sidx.errors import StoreError
from k8sidx.events.core import Rows
from k8sidx.events.failure import NOT_OF_A_RECORD, failure_reason
from k8sidx.events.fields.moment import to_moment
from k8sidx.events.fields.table import Kind
from k8sidx.events.normalize.event import Normalized

TABLE_BYTES = 8 * 1024 * 1024
TABLE_ROWS = 5_632
"""Events become columns, which take less memory, when there are this many bytes of their bodies,
or events."""
PART_BYTES = 32 * 1024 * 1024
PART_ROWS = 50_000
"""A part is finished when it has this many bytes of bodies, or events. It is one row group:
what repeats in it is stored once, and a column that has no value in it is left out."""
FORMAT_KEY = b"k8sidx.format"
"""Key of a part's metadata; the value is the format version that wrote it."""
UNDATED = "undated"

_DAY = 86_400_000_000
_EARLIER = 1_000_000
_PAGE_BYTES = 4 * 1024 * 1024
_TIMES = [field.name for field in STORED if field.kind is Kind.TIME]
_BODIES = ("requestObject", "responseObject")
_NO_DICTIONARY = {ID, "auditID", *_TIMES, *_BODIES}


_Row: TypeAlias = tuple[Normalized, int, int]
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
        return {name: self.body_level if name in _BODIES else self.level for name in columns}


SHIPPED = Compression()
MERGED = Compression(level=7, body_level=7)
TEMPORARY = Compression("lz4", None, None)


@dataclass(slots=True)
class StagedPart:
    """A finished part that is not committed.

    :param ids: event ids, 16 bytes each, joined in the order of the rows.
    :param chunks: numbers of the chunks that its events come from.
    """

    path: Path
    day: str
    rows: int
    first: int | None
    last: int | None
    ids: bytes = b""
    chunks: tuple[int, ...] = ()


def day_of(micros: int | None) -> str:
    """Return the UTC day of an event's own time as ``YYYY-MM-DD``, or ``undated`` without one."""
    if micros is None:
        return UNDATED
    day = to_moment(micros)
    return f"{day.year:04d}-{day.month:02d}-{day.day:02d}"


class PartBuilder:
    """Collects normalized events of any days and writes a part for each day.

    :param staging: folder for the parts.
    :param only: names of the columns to keep; ``None`` for all of them.
    :param on_refused: called with each event that cannot be written, and the others are.
        ``None`` where none may be missing: the error is raised.
    """

    def __init__(
        self,
        staging: Path,
        compression: Compression = SHIPPED,
        only: frozenset[str] | None = None,
        *,
        on_refused: Callable[[Refused], None] | None = None,
    ) -> None:
        self._staging = staging
        self._compression = compression
        self._only = only
        self._on_refused = on_refused
        self._open: dict[str, _OpenPart] = {}

    def add(self, events: Sequence[Normalized], chunk: int = 0, records: Sequence[int] = ()) -> int:
        """Add events, and return how many were in an open part already (same id).

        :param chunk: number of their chunk.
        :param records: the number of the record that each event comes from.
        """
        by_day: dict[int | None, list[_Row]] = {}
        for event, record in zip(events, records or repeat(0), strict=False):
            micros = event.own_time
            day = None if micros is None else micros // _DAY
            by_day.setdefault(day, []).append((event, chunk, record))
        duplicates = 0
        for day, group in by_day.items():
            try:
                name = day_of(None if day is None else day * _DAY)
            except Exception as error:
                if self._on_refused is None:
                    raise
                for row in group:
                    self._on_refused(_refused(row, error))
                continue
            duplicates += self._part(name, chunk).add(group)
        return duplicates

    def add_rows(self, rows: Rows, chunk: int = 0) -> int:
        """Add events that the native core has read; all have a time.

        :returns: as :meth:`add`.
        """
        events = core_table(rows, self._only)
        # Arrow divides towards zero, so days before 1970 are counted from an earlier one.
        since = pc.add(events.table[TIME].cast(pa.int64()), _EARLIER * _DAY)
        days = pc.subtract(pc.divide(since, _DAY), _EARLIER)
        distinct = pc.unique(days).to_pylist()
        duplicates = 0
        for day in distinct:
            of_day = events if len(distinct) == 1 else events.only(pc.equal(days, day))
            share = rows.body_bytes * of_day.table.num_rows // rows.count
            duplicates += self._part(day_of(day * _DAY), chunk).add_rows(of_day, share)
        return duplicates

    def _part(self, name: str, chunk: int) -> _OpenPart:
        """Return the open part of a day, to which events of a chunk are added."""
        part = self._open.get(name)
        if part is None:
            path = self._staging / f"{uuid.uuid4().hex}.parquet"
            part = self._open[name] = _OpenPart(
                path, name, self._compression, self._only, self._on_refused
            )
        part.chunks[chunk] = None
        return part

    def holding(self, chunk: int) -> int:
        """Return the number of open parts that have events of a chunk."""
        return sum(chunk in part.chunks for part in self._open.values())

    def full(self) -> list[StagedPart]:
        """Finish and return the parts that have reached their size."""
        names = [name for name, part in self._open.items() if part.is_full]
        return [self._open.pop(name).finish() for name in names]

    def finish(self) -> list[StagedPart]:
        """Finish and return all parts."""
        parts = [part.finish() for part in self._open.values()]
        self._open.clear()
        return parts


class _OpenPart:
    def __init__(
        self,
        path: Path,
        day: str,
        compression: Compression,
        only: frozenset[str] | None,
        on_refused: Callable[[Refused], None] | None,
    ) -> None:
        self.ids: dict[bytes, None] = {}
        self.chunks: dict[int, None] = {}
        self._path = path
        self._day = day
        self._compression = compression
        self._only = only
        self._on_refused = on_refused
        self._waiting: list[_Row] = []
        self._waiting_bytes = 0
        self._tables: list[pa.Table] = []
        self._of_core: list[CoreTable] = []
        self._bytes = 0
        self._first: int | None = None
        self._last: int | None = None

    @property
    def is_full(self) -> bool:
        return len(self.ids) >= PART_ROWS or self._bytes >= PART_BYTES

    def add(self, rows: list[_Row]) -> int:
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
        ids: list[bytes] = events.table[ID].to_pylist()
        fresh = dict.fromkeys(ids)
        duplicates = 0
        if len(fresh) < len(ids) or not self.ids.keys().isdisjoint(fresh):
            is_new = []
            for identity in ids:
                is_new.append(identity not in self.ids)
                self.ids[identity] = None
            events = events.only(pa.array(is_new))
            duplicates = len(ids) - events.table.num_rows
        self.ids.update(fresh)
        if events.table.num_rows:
            self._of_core.append(events)
            self._bytes += size
            times = pc.min_max(events.table[TIME].cast(pa.int64()))
            self._extend([times["min"].as_py(), times["max"].as_py()])
        return duplicates

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
                on_refused(_refused(row, error))
                del self.ids[event.values.id]
            else:
                kept.append(row)
        self._waiting = kept
        return joined(tables) if tables else None

    def finish(self) -> StagedPart:
        if self._waiting:
            self._convert()
        ids = b""
        self._tables += expanded(self._of_core, self._only)
        self._of_core.clear()
        if self._tables:
            table = joined(self._tables)
            ids = b"".join(table[ID].to_pylist())
            self._tables.clear()
            with (
                naming(self._path),
                open_writer(self._path, table.schema, self._compression) as out,
            ):
                out.write_table(table, row_group_size=table.num_rows)
        chunks = tuple(self.chunks)
        return StagedPart(
            self._path, self._day, len(self.ids), self._first, self._last, ids, chunks
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


def _refused(row: _Row, error: Exception) -> Refused:
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
