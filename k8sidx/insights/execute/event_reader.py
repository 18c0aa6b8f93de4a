"""Event reader: rows of the sources that a query reads, from an engine's rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from k8sidx.backends.result import Value
from k8sidx.events.fields.moment import to_micros
from k8sidx.events.fields.names import EVENT_ID
from k8sidx.events.normalize.reconstruct import whole_event
from k8sidx.insights.execute.message import message_of
from k8sidx.insights.plan.columns import WHOLE_EVENT, columns_of, value_at_path
from k8sidx.insights.plan.logical import JsonPath, RawMessage, Source, Stored

Raw = Sequence[Value]


class EventReader:
    """Reads sources of events from the stored fields that they are made of.

    :param sources: each once.
    :ivar columns: the stored fields to request from an engine.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        names = [name for source in sources for name in columns_of(source) or WHOLE_EVENT]
        self.columns: tuple[str, ...] = tuple(dict.fromkeys(names)) or (EVENT_ID,)
        layout = {name: index for index, name in enumerate(self.columns)}
        self._readers = [self._reader(source, layout) for source in sources]
        self._plain = all(isinstance(source, Stored) for source in sources)
        self._is_same = self._plain and len(sources) == len(self.columns)

    def rows(self, events: Sequence[Raw]) -> list[Raw]:
        """Return the values of the sources, event by event."""
        if self._is_same:
            return list(events)
        return [tuple(self._row(raw)) for raw in events]

    def _row(self, raw: Raw) -> list[Any]:
        event = {} if self._plain else _event(dict(zip(self.columns, raw, strict=True)))
        return [read(raw, event) for read in self._readers]

    def _reader(
        self, source: Source, layout: Mapping[str, int]
    ) -> Callable[[Raw, dict[str, Any]], Any]:
        if isinstance(source, Stored):
            index = layout[source.name]
            return lambda raw, event: raw[index]
        if isinstance(source, JsonPath):
            path = source.path
            return lambda raw, event: value_at_path(event, path)
        if isinstance(source, RawMessage):
            return lambda raw, event: message_of(event)
        raise TypeError(type(source).__name__)


def count_of(row: Raw) -> int:
    """Return the number of events at the end of a counting query's row."""
    count = row[-1]
    if not isinstance(count, int):
        raise TypeError("a count is a whole number")
    return count


def _event(row: dict[str, Any]) -> dict[str, Any]:
    return whole_event(
        {
            name: to_micros(value) if isinstance(value, datetime) else value
            for name, value in row.items()
        }
    )
