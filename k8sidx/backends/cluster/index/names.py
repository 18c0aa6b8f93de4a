"""Index names of a cluster store: one index for each day, week or month of the events' time.

The name follows from the event alone, so that one that is shipped again is written to where it
is already, and recognized by its id. :mod:`k8sidx.backends.cluster.index.cache` may let several
days share an index; the name is then an alias of it.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum

from k8sidx.events.fields.moment import to_moment

UNDATED = "undated"
FIRST_YEAR, LAST_YEAR = 2016, 2039
"""Years whose days have indices. Kubernetes has audit logs since 2016; events of other years share
the index of undated events, so that invented dates cannot make millions of names."""
_DAY = 86_400_000_000


class Period(StrEnum):
    """Time span of an index."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class IndexNames:
    """Names of indices: ``<prefix>-YYYY.MM.DD`` in UTC, weeks by their Monday, months without
    a day, ``<prefix>-undated`` for events without a usable time of their own or of another year
    than those from :data:`FIRST_YEAR` to :data:`LAST_YEAR`."""

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
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            return UNDATED
        if self.period is Period.MONTH:
            return f"{day.year:04d}.{day.month:02d}"
        if self.period is Period.WEEK:
            day -= timedelta(days=day.weekday())
        return f"{day.year:04d}.{day.month:02d}.{day.day:02d}"


def day_of_index(index: str) -> date | None:
    """Return the day that a name ends with; ``None`` when it is not that of a day's index."""
    try:
        return datetime.strptime(index[-11:], "-%Y.%m.%d").date()
    except ValueError:
        return None


def month_index(index: str) -> str:
    """Return the name of the index of a day's month."""
    return index[:-3]
