"""Parser of times and time spans."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from k8sidx.errors import UsageError

_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_SPAN = re.compile(r"([0-9]{1,9})([smhdw])")
_DIGITS = re.compile(r"[0-9]+")
_EPOCH = {10: 1_000_000, 13: 1_000, 16: 1}
"""Microseconds in what a number of so many digits counts since 1970."""
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+\-]*(/[A-Za-z0-9_+\-]+)*")
_DAYS = {"today": 0, "yesterday": 1}


def parse_span(text: str) -> timedelta:
    """Parse a length of time: a whole number and one of ``s m h d w``, as in ``30m`` or ``7d``.

    :raises UsageError: when it is not a valid span, or empty (``0d``).
    """
    match = _SPAN.fullmatch(text.strip())
    try:
        span = int(match[1]) * _UNITS[match[2]] if match else timedelta(0)
    except OverflowError:
        span = timedelta(0)
    if not span:
        raise UsageError(
            f"{text!r} is not a valid length of time.",
            remedy="Write a number and s, m, h, d or w, for example 30m, 24h, 7d or 2w.",
        )
    return span


def parse_zone(name: str) -> tzinfo:
    """Return the time zone with a name of the IANA database, for example ``Europe/Berlin``.

    :raises UsageError: when there is none.
    """
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError) as error:
        raise UsageError(
            f"{name!r} is not a time zone.",
            remedy="Write a name of the IANA database, for example Europe/Berlin or UTC.",
        ) from error


def parse_moment(text: str, now: datetime, zone: tzinfo = UTC) -> datetime:
    """Parse a moment in UTC.

    ISO-8601, a word (``now``, ``today``, ``yesterday``), seconds, milliseconds or microseconds
    since 1970, or a span that is counted back from ``now``. A date alone and a day are its
    midnight. A name of a zone can follow: ``2024-05-01 13:00 Europe/Berlin``.

    :param now: timezone-aware.
    :param zone: of times that name none.
    :raises UsageError: when it is none of these, or lies outside the years 1 to 9999.
    """
    stripped = text.strip()
    try:
        if _SPAN.fullmatch(stripped):
            return (now - parse_span(stripped)).astimezone(UTC)
        if (factor := _EPOCH.get(len(stripped))) and _DIGITS.fullmatch(stripped):
            return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(stripped) * factor)
        head, _, last = stripped.rpartition(" ")
        if head and _ZONE.fullmatch(last):
            if head[0].isalpha() and head.strip().lower() not in (*_DAYS, "now"):
                raise ValueError(head)  # words that are not a time, rather than a wrong zone
            stripped, zone = head.strip(), parse_zone(last)
        if (days := _DAYS.get(stripped.lower())) is not None:
            midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
            return (midnight - timedelta(days=days)).astimezone(UTC)
        if stripped.lower() == "now":
            return now.astimezone(UTC)
        moment = datetime.fromisoformat(stripped)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"{text!r} is not a valid time.",
            remedy="Write a time, for example 2024-05-01 or 2024-05-01T13:00:00Z, yesterday, "
            "or how long ago: 30m, 24h, 7d, 2w.",
        ) from error
