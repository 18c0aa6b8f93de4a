"""Timestamps of audit events → microseconds since 1970-01-01T00:00:00Z.

The API server writes ``2026-11-23T20:27:30.061865Z``; other writers leave out the
zone, write offsets, or the zero time of Go (year 1), which means "none".
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from k8sidx.events.decode.plain_values import plain_time
from k8sidx.events.fields.moment import text_of, to_micros

_FIRST = to_micros(datetime(2, 1, 1, tzinfo=UTC))
_LAST = to_micros(datetime.max.replace(tzinfo=UTC))
_FRACTION = re.compile(r"[.,](\d+)")
_SECONDS: dict[str, int] = {}
_SECONDS_KEPT = 4096


def microseconds(text: object) -> int | None:
    """Microseconds since the epoch, or ``None`` when it is not a moment of the years 2 to 9999.

    The range is that of the moment in UTC: what comes after has to write it in UTC. Text
    without a zone is UTC, as audit.k8s.io/v1 has no local times. Digits after the sixth
    decimal are dropped.
    """
    if type(text) is not str:
        return None
    micros = _parse(text)
    if micros is None and (plain := plain_time(text)) is not None:
        return _parse(plain)
    return micros


def read_moment(text: str | None) -> tuple[int | None, bool]:
    """Microseconds of a timestamp, and :func:`is_canonical` of both."""
    # Many events share a second: its text is parsed once.
    if text is not None and len(text) == 27 and text[26] == "Z":
        second = _SECONDS.get(text[:20])
        fraction = text[20:26]
        if second is not None and fraction.isdecimal() and fraction.isascii():
            return second + int(fraction), True
    micros = microseconds(text)
    return micros, is_canonical(text, micros)


def is_canonical(text: str | None, micros: int | None) -> bool:
    """Whether the moment alone gives back the text: as the API server writes it, or nothing."""
    if text is None:
        return True
    if micros is None or len(text) != 27:
        return False
    return text[26] == "Z" and text[19] == "." and text[10] == "T"


def canonical_text(text: str | None, micros: int | None) -> str | None:
    """Return the one form of a timestamp's texts: in UTC, with six decimals or more.

    :param micros: the moment; the text stays as it is without one.
    """
    if text is None or micros is None:
        return text
    fraction = _FRACTION.search(text)
    further = fraction[1][6:].rstrip("0") if fraction else ""
    return f"{text_of(micros)[:-1]}{further}Z"


def _parse(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    micros = to_micros(moment)
    if not _FIRST <= micros <= _LAST:
        return None
    if is_canonical(text, micros):
        if len(_SECONDS) > _SECONDS_KEPT:
            _SECONDS.clear()
        _SECONDS[text[:20]] = micros - micros % 1_000_000
    return micros
