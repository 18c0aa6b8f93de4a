"""Timestamps at the ends of the calendar."""

from __future__ import annotations

import pytest

from k8sidx.events.fields.moment import text_of
from k8sidx.events.normalize.timestamps import microseconds


@pytest.mark.parametrize(
    "text",
    [
        "9999-12-31T23:59:59.999999-23:59",
        "9999-12-31T23:59:59-00:01",
        "0001-01-01T00:00:00+23:59",
        "0001-01-01T00:00:00Z",
        "0002-01-01T00:00:00+00:01",
        "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "+10000-01-01T00:00:00Z",
        "-0001-01-01T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-11-23T12:00:61Z",
        "2026-11-23T12:00:00+24:00",
        "",
        "\ud800",
        None,
        5,
    ],
)
def test_microseconds_are_none_when_utc_has_no_such_moment(text: object) -> None:
    assert microseconds(text) is None


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
        ("9999-12-31T23:59:59.999999+23:59", "9999-12-31T00:00:59.999999Z"),
        ("0001-12-31T23:59:59-23:59", "0002-01-01T23:58:59.000000Z"),
        ("0002-01-01T00:00:00", "0002-01-01T00:00:00.000000Z"),
    ],
)
def test_microseconds_give_back_the_moment_in_utc(text: str, canonical: str) -> None:
    micros = microseconds(text)
    assert micros is not None
    assert text_of(micros) == canonical
