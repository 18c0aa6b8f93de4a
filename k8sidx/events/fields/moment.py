"""Moments as stores hold them: whole microseconds since 1970-01-01T00:00:00Z."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

_TEXTS: dict[int, str] = {}
_TEXTS_KEPT = 4096


def to_moment(micros: int) -> datetime:
    """The moment, in UTC."""
    return EPOCH + timedelta(microseconds=micros)


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970 of a timezone-aware moment."""
    return (moment - EPOCH) // MICROSECOND


def text_of(micros: int) -> str:
    """The moment as the API server writes it."""
    second, fraction = divmod(micros, 1_000_000)
    text = _TEXTS.get(second)
    if text is None:
        if len(_TEXTS) > _TEXTS_KEPT:
            _TEXTS.clear()
        moment = to_moment(second * 1_000_000)
        text = _TEXTS[second] = f"{moment.replace(tzinfo=None).isoformat()}."
    return f"{text}{fraction:06d}Z"
