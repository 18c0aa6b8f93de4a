"""Periods of the reference: where the interval begins that a moment lies in."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.insights.reference_ast import Period
from tests.insights.reference_values import Time

_MICROS = {
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
    "w": 7 * 86_400_000_000,
}
_MONTHS = {"mo": 1, "q": 3, "y": 12}
_MONDAY = 4 * _MICROS["d"]
_START = datetime(1970, 1, 1, tzinfo=UTC)

UNITS: dict[str, tuple[str, ...]] = {
    "ms": ("ms", "msec", "msecs", "millisecond", "milliseconds"),
    "s": ("s", "sec", "secs", "second", "seconds"),
    "m": ("m", "min", "mins", "minute", "minutes"),
    "h": ("h", "hr", "hrs", "hour", "hours"),
    "d": ("d", "day", "days"),
    "w": ("w", "week", "weeks"),
    "mo": ("mo", "mon", "mons", "month", "months"),
    "q": ("q", "qtr", "qtrs", "quarter", "quarters"),
    "y": ("y", "yr", "yrs", "year", "years"),
}


def floor(time: Time, period: Period) -> Time:
    """The beginning of the interval; weeks begin on Mondays, months by the calendar."""
    if period.unit in _MICROS:
        width = period.number * _MICROS[period.unit]
        origin = _MONDAY if period.unit == "w" else 0
        return Time((time.micros - origin) // width * width + origin)
    return _month(_interval(time, period), period)


def ceiling(time: Time, period: Period) -> Time:
    """The beginning of the next interval; of a beginning, itself."""
    begin = floor(time, period)
    if begin == time:
        return time
    if period.unit in _MICROS:
        return Time(begin.micros + period.number * _MICROS[period.unit])
    return _month(_interval(time, period) + 1, period)


def _interval(time: Time, period: Period) -> int:
    moment = time.moment
    months = (moment.year - 1970) * 12 + moment.month - 1
    return months // (period.number * _MONTHS[period.unit])


def _month(interval: int, period: Period) -> Time:
    years, months = divmod(interval * period.number * _MONTHS[period.unit], 12)
    begin = datetime(1970 + years, months + 1, 1, tzinfo=UTC)
    return Time((begin - _START).days * _MICROS["d"])
