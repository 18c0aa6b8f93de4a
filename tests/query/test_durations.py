"""Times and spans as people type them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8sidx.errors import UsageError
from k8sidx.query.durations import parse_moment, parse_span

NOW = datetime(2024, 5, 10, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("90s", timedelta(seconds=90)),
        ("30m", timedelta(minutes=30)),
        ("24h", timedelta(hours=24)),
        ("7d", timedelta(days=7)),
        ("2w", timedelta(weeks=2)),
        (" 7d ", timedelta(days=7)),
    ],
)
def test_a_span_is_a_number_and_a_unit(text: str, span: timedelta) -> None:
    assert parse_span(text) == span


@pytest.mark.parametrize(
    "text", ["", "7", "d", "0d", "-7d", "7 d", "7M", "1.5h", "٣d", "999999999w"]
)
def test_what_is_no_span_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=r"not a valid length of time.*7d"):
        parse_span(text)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-05-01", datetime(2024, 5, 1, tzinfo=UTC)),
        ("2024-05-01T13:00", datetime(2024, 5, 1, 13, tzinfo=UTC)),
        ("2024-05-01 13:00:05", datetime(2024, 5, 1, 13, 0, 5, tzinfo=UTC)),
        ("2024-05-01T13:00:00Z", datetime(2024, 5, 1, 13, tzinfo=UTC)),
        ("2024-05-01T13:00:00.123456Z", datetime(2024, 5, 1, 13, 0, 0, 123456, tzinfo=UTC)),
        ("2024-05-01T13:00:00+02:00", datetime(2024, 5, 1, 11, tzinfo=UTC)),
        ("24h", NOW - timedelta(hours=24)),
        ("7d", NOW - timedelta(days=7)),
    ],
)
def test_a_moment_is_iso_8601_or_how_long_ago(text: str, moment: datetime) -> None:
    parsed = parse_moment(text, NOW)
    assert parsed == moment
    assert parsed.tzinfo is UTC


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "2024-13-01", "10:00", "999999w", "0001-01-01T00:00:00+23:00"]
)
def test_what_is_no_moment_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="2024-05-01T13:00:00Z"):
        parse_moment(text, NOW)


@given(st.text())
def test_any_text_is_a_moment_or_a_usage_error(text: str) -> None:
    try:
        assert parse_moment(text, NOW).tzinfo is UTC
    except UsageError as error:
        assert error.exit_code == 2


NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("now", NOON),
        ("today", datetime(2026, 11, 23, 23, 0, tzinfo=UTC)),
        ("Yesterday", datetime(2026, 11, 22, 23, 0, tzinfo=UTC)),
        ("yesterday America/New_York", datetime(2026, 11, 23, 5, 0, tzinfo=UTC)),
        ("2026-07-01 13:00", datetime(2026, 7, 1, 11, 0, tzinfo=UTC)),
        ("2026-07-01 13:00 Asia/Kolkata", datetime(2026, 7, 1, 7, 30, tzinfo=UTC)),
        ("2026-07-01 13:00:00Z", datetime(2026, 7, 1, 13, 0, tzinfo=UTC)),
        ("1782910800", datetime(2026, 7, 1, 13, 0, tzinfo=UTC)),
        ("1782910800500", datetime(2026, 7, 1, 13, 0, 0, 500_000, tzinfo=UTC)),
        ("1782910800500001", datetime(2026, 7, 1, 13, 0, 0, 500_001, tzinfo=UTC)),
    ],
)
def test_parse_moment_reads_words_numbers_and_zones(text: str, moment: datetime) -> None:
    assert parse_moment(text, NOON, BERLIN) == moment


@pytest.mark.parametrize(
    "text", ["tomorrow", "yesterday Europe/Berln", "2026-07-01 13:00 ../../etc/passwd", "17829108"]
)
def test_parse_moment_refuses_other_words_and_zones(text: str) -> None:
    with pytest.raises(UsageError):
        parse_moment(text, NOON)
