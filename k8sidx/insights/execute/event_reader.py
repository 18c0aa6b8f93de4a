"""What an engine answered → rows of the sources that a query asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from k8sidx.backends.result import Value
from k8sidx.events.fields.moment import to_micros
from k8sidx.events.normalize.reconstruct import whole_event
from k8sidx.insights.execute.message import message_of
from k8sidx.insights.plan.columns import WHOLE_EVENT, columns_of, value_inside
from k8sidx.insights.plan.logical import ID, Inside, Source, Stored, Whole

Raw = Sequence[Value]


class EventReader:
    """Reads sources of events, from the stored fields that they are made of.

    :param sources: what is asked for, each once.
    :ivar columns: the stored fields to ask an engine for.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        names = [name for one in sources for name in columns_of(one) or WHOLE_EVENT]
        self.columns: tuple[str, ...] = tuple(dict.fromkeys(names)) or (ID,)
        places = {name: place for place, name in enumerate(self.columns)}
        self._readers = [self._reader(one, places) for one in sources]
        self._plain = all(isinstance(one, Stored) for one in sources)
        self._is_same = self._plain and len(sources) == len(self.columns)

    def rows(self, found: Sequence[Raw]) -> list[Raw]:
        """The values of the sources, event by event."""
        if self._is_same:
            return list(found)
        return [tuple(self._row(raw)) for raw in found]

    def _row(self, raw: Raw) -> list[Any]:
        event = {} if self._plain else _event(dict(zip(self.columns, raw, strict=True)))
        return [read(raw, event) for read in self._readers]

    def _reader(
        self, source: Source, places: Mapping[str, int]
    ) -> Callable[[Raw, dict[str, Any]], Any]:
        if isinstance(source, Stored):
            place = places[source.name]
            return lambda raw, event: raw[place]
        if isinstance(source, Inside):
            path = source.path
            return lambda raw, event: value_inside(event, path)
        if isinstance(source, Whole):
            return lambda raw, event: message_of(event)
        raise TypeError(type(source).__name__)


def count_of(row: Raw) -> int:
    """The number of events that a row of a counting query ends with."""
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
