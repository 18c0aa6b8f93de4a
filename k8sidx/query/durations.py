"""Parser of times and time spans."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from k8sidx.errors import UsageError

_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_SPAN = re.compile(r"([0-9]{1,9})([smhdw])")


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


def parse_moment(text: str, now: datetime) -> datetime:
    """Parse a moment in UTC: ISO-8601, or a span that is counted back from ``now``.

    A date alone is its midnight; without a zone the time is UTC.

    :param now: timezone-aware.
    :raises UsageError: when it is neither, or lies outside the years 1 to 9999.
    """
    stripped = text.strip()
    try:
        if _SPAN.fullmatch(stripped):
            return (now - parse_span(stripped)).astimezone(UTC)
        moment = datetime.fromisoformat(stripped)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"{text!r} is not a valid time.",
            remedy="Write a time, for example 2024-05-01 or 2024-05-01T13:00:00Z, "
            "or how long ago: 30m, 24h, 7d, 2w.",
        ) from error
