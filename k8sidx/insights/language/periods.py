"""Periods (for example ``5m``): their syntax, and the intervals that moments lie in."""

from __future__ import annotations

from datetime import datetime, timedelta

from k8sidx.events.fields.moment import EPOCH
from k8sidx.insights.language.ast import Period

UNITS: dict[str, tuple[str, ...]] = {
    "ms": ("ms", "msec", "millisecond"),
    "s": ("s", "sec", "second"),
    "m": ("m", "min", "minute"),
    "h": ("h", "hr", "hour"),
    "d": ("d", "day"),
    "w": ("w", "week"),
    "mo": ("mo", "mon", "month"),
    "q": ("q", "qtr", "quarter"),
    "y": ("y", "yr", "year"),
}
"""Units and their spellings; all but single letters and ``ms`` take an s, too."""

_NAMES = {
    name: unit
    for unit, written in UNITS.items()
    for form in written
    for name in (form, f"{form}s" if len(form) > 1 and form != "ms" else form)
}
_LENGTHS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_MONTHS = {"mo": 1, "q": 3, "y": 12}
_MONDAY = timedelta(days=4)
"""From 1970-01-01, a Thursday, to the first Monday."""


def unit_of(written: str) -> str | None:
    """Return the unit that a word means."""
    return _NAMES.get(written.lower())


def fixed(period: Period) -> tuple[timedelta, timedelta] | None:
    """Return length and offset from 1970-01-01T00:00Z of a period of constant length; ``None`` for
    months, quarters and years."""
    length = _LENGTHS.get(period.unit)
    if length is None:
        return None
    return length * period.count, _MONDAY if period.unit == "w" else timedelta(0)


def is_possible(period: Period) -> bool:
    """Whether moments can have such a period."""
    if period.count < 1:
        return False
    if period.unit in _MONTHS:
        return period.count * _MONTHS[period.unit] <= 12 * 1000
    return period.count <= timedelta(days=365_000) // _LENGTHS[period.unit]


def floor(moment: datetime, period: Period) -> datetime | None:
    """Return the start of the period that the moment is in; ``None`` before year 1."""
    lengths = fixed(period)
    try:
        if lengths is None:
            return _months(moment, period, more=0)
        length, offset = lengths
        return moment - (moment - EPOCH - offset) % length
    except (OverflowError, ValueError):
        return None


def ceiling(moment: datetime, period: Period) -> datetime | None:
    """Return the moment where it is the start of a period, else the start of the next one."""
    start = floor(moment, period)
    if start is None or start == moment:
        return start
    lengths = fixed(period)
    try:
        return _months(moment, period, more=1) if lengths is None else start + lengths[0]
    except (OverflowError, ValueError):
        return None


def _months(moment: datetime, period: Period, *, more: int) -> datetime:
    """Return the start of the group of months that the moment is in, or that many groups later."""
    width = _MONTHS[period.unit] * period.count
    month = (moment.year - EPOCH.year) * 12 + moment.month - 1
    year, month_index = divmod((month // width + more) * width, 12)
    return EPOCH.replace(year=EPOCH.year + year, month=month_index + 1)
