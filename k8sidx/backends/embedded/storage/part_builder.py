"""Part builder: sorts normalized events into parts by day.

The number of parts is limited whatever dates a log has: beyond :data:`DAYS` open days, the one
that was added to longest ago is finished or, if it has few events, joins the others of its kind in
the shared part :data:`k8sidx.backends.embedded.storage.parts.FAR`. So is what the open parts hold
together: the size of one part.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from k8sidx.backends.embedded.storage.core_columns import core_table
from k8sidx.backends.embedded.storage.parts import (
    DAY_MICROS,
    FAR,
    FEW_EVENTS,
    SHIPPED,
    UNDATED,
    Compression,
    OpenPart,
    Row,
    StagedPart,
    day_numbers,
    day_of,
    day_of_number,
    refused_row,
)
from k8sidx.backends.sink import Refused
from k8sidx.events.core import Rows
from k8sidx.events.normalize.event import Normalized

DAYS = 200
"""Days that have an open part of their own."""
DAYS_AT_ONCE = 32
"""Of more days in one chunk, those with few events share a part at once."""


class PartBuilder:
    """Collects normalized events of any days and writes a part for each day, or for many.

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
        self._open: dict[str, OpenPart] = {}
        self._closed: list[OpenPart] = []
        self._duplicates = 0

    def add(self, events: Sequence[Normalized], chunk: int = 0, records: Sequence[int] = ()) -> int:
        """Add events, and return how many were in an open part already (same id).

        :param chunk: number of their chunk.
        :param records: the number of the record that each event comes from.
        """
        by_day: dict[int | None, list[Row]] = {}
        for event, record in zip(events, records or repeat(0), strict=False):
            micros = event.own_time
            day = None if micros is None else micros // DAY_MICROS
            by_day.setdefault(day, []).append((event, chunk, record))
        crowded = len(by_day) > DAYS_AT_ONCE
        for day, group in by_day.items():
            try:
                name = day_of(None if day is None else day * DAY_MICROS)
            except Exception as error:
                if self._on_refused is None:
                    raise
                for row in group:
                    self._on_refused(refused_row(row, error))
                continue
            shares = crowded and self._shares(name, len(group))
            part = self._part(FAR if shares else name, chunk)
            self._duplicates += part.add(group)
        return self._take_duplicates()

    def add_rows(self, rows: Rows, chunk: int = 0) -> int:
        """Add events that the native core has read; all have a time.

        :returns: as :meth:`add`.
        """
        events = core_table(rows, self._only)
        days = day_numbers(events.table)
        parts = self._by_part(days)
        for name, numbers in parts.items():
            of_part = events
            if len(parts) > 1:
                of_part = events.only(pc.is_in(days, pa.array(numbers, days.type)))
            share = rows.body_bytes * of_part.table.num_rows // rows.count
            part = self._part(name, chunk)
            self._duplicates += part.add_rows(of_part, share)
        return self._take_duplicates()

    def _by_part(self, days: pa.ChunkedArray) -> dict[str, list[int]]:
        """Return the numbers of days by the name of their part."""
        counts = pc.value_counts(days).to_pylist()
        crowded = len(counts) > DAYS_AT_ONCE
        parts: dict[str, list[int]] = {}
        for count in counts:
            name = day_of_number(count["values"])
            shares = crowded and self._shares(name, count["counts"])
            parts.setdefault(FAR if shares else name, []).append(count["values"])
        return parts

    def _shares(self, name: str, events: int) -> bool:
        """Whether a day of a crowded chunk shares a part."""
        return name != UNDATED and name not in self._open and events < DAYS_AT_ONCE

    def _take_duplicates(self) -> int:
        duplicates, self._duplicates = self._duplicates, 0
        return duplicates

    def _part(self, name: str, chunk: int) -> OpenPart:
        """Return the open part of a day, to which events of a chunk are added."""
        part = self._open.pop(name, None)
        if part is None:
            if name not in (FAR, UNDATED):
                self._limit()
            part = self._new(name)
        self._open[name] = part  # the one that was added to last is last
        part.chunks[chunk] = part.chunks[chunk] or 1
        return part

    def _new(self, name: str) -> OpenPart:
        path = self._staging / f"{uuid.uuid4().hex}.parquet"
        return OpenPart(path, name, self._compression, self._only, self._on_refused)

    def _limit(self) -> None:
        """Close the day that was added to longest ago, if there are too many."""
        days = len(self._open) - (FAR in self._open) - (UNDATED in self._open)
        if days < DAYS:
            return
        name = next(name for name in self._open if name not in (FAR, UNDATED))
        part = self._open.pop(name)
        if len(part.ids) >= FEW_EVENTS:
            self._closed.append(part)
            return
        far = self._open.setdefault(FAR, self._new(FAR))
        self._duplicates += part.move_to(far)

    def holding(self, chunk: int) -> int:
        """Return how many parts with events of a chunk are still to be returned, a part that
        several were moved to counted for each."""
        return sum(part.chunks[chunk] for part in self._parts() if chunk in part.chunks)

    def full(self) -> list[StagedPart]:
        """Finish and return the fullest parts while all together are of a part's size or more.

        What is held in memory is thus limited, whatever the number of days.
        """
        fills = {name: part.fill for name, part in self._open.items()}
        names = sorted(fills, key=lambda name: fills[name])
        while sum(fills.values()) >= 1:
            name = names.pop()
            del fills[name]
            self._closed.append(self._open.pop(name))
        parts = [part.finish() for part in self._closed]
        self._closed.clear()
        return parts

    def finish(self) -> list[StagedPart]:
        """Finish and return all parts."""
        parts = [part.finish() for part in self._parts()]
        self._closed.clear()
        self._open.clear()
        return parts

    def _parts(self) -> Iterable[OpenPart]:
        return (*self._closed, *self._open.values())
