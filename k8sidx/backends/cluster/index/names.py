"""Index names of a cluster store: one index for each day, week or month of the events' time.

An event's index follows from the event alone, so that one that is shipped again comes to
where it is already, and its id tells.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from k8sidx.events.fields.moment import to_moment

UNDATED = "undated"
_DAY = 86_400_000_000


class Period(StrEnum):
    """Time span of an index."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class IndexNames:
    """Names of indices: ``<prefix>-YYYY.MM.DD`` in UTC, weeks by their Monday, months without
    a day, ``<prefix>-undated`` for events without a usable time of their own."""

    def __init__(self, prefix: str, period: Period = Period.DAY) -> None:
        self.prefix = prefix
        self.period = period
        self._names: dict[int | None, str] = {None: f"{prefix}-{UNDATED}"}

    def of(self, micros: int | None) -> str:
        """Return the index of an event.

        :param micros: its own time in microseconds since 1970.
        """
        day = None if micros is None else micros // _DAY
        name = self._names.get(day)
        if name is None:
            name = self._names[day] = f"{self.prefix}-{self._suffix((day or 0) * _DAY)}"
        return name

    def _suffix(self, micros: int) -> str:
        day = to_moment(micros).date()
        if self.period is Period.MONTH:
            return f"{day.year:04d}.{day.month:02d}"
        if self.period is Period.WEEK and day.toordinal() > day.weekday():
            day -= timedelta(days=day.weekday())
        return f"{day.year:04d}.{day.month:02d}.{day.day:02d}"
