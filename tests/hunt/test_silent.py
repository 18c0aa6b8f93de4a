"""Hunts for sources that fell silent."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from k8sidx.hunt.run import Window
from tests.building import START, event
from tests.hunt.run_hunt import results, sigma

HOUR = 3600
DAY = 24 * HOUR
SILENT = sigma(
    "{s: {user.username|exists: true}, condition: s}",
    more="level: low\nk8sidx: {kind: silent, by: [user.username], interval: 1h, at_least: 2h}",
)


def hours(user: str, *spoken: int) -> list[dict[str, Any]]:
    """One request in each of the hours after ``START``."""
    return [event(user=user, seconds=hour * HOUR) for hour in spoken]


def test_a_source_that_stops_is_found_with_what_it_said_last(tmp_path: Path) -> None:
    events = [*hours("steady", *range(60)), *hours("gone", *range(40))]
    found = results(tmp_path, events, SILENT)
    assert found.columns == (
        "user.username", "last_seen", "silent_intervals", "usual_intervals", "count"
    )  # fmt: skip
    (finding,) = found.findings
    assert finding.key == {"user.username": "gone"}
    assert finding.first_seen == finding.last_seen == START + timedelta(hours=39, milliseconds=2)
    assert finding.audit_ids == (f"gone-get-pods--{39 * HOUR}",)
    assert finding.reason == (
        "user.username gone is silent for 20 hours since 2026-11-25 03:00Z; no more than 1 hour "
        "is usual"
    )
    assert [row[2:4] for row in found.rows] == [(20, 1)]


def test_nights_and_weekends_are_usual(tmp_path: Path) -> None:
    office = [day * 24 + hour for day in range(12) if day % 7 < 5 for hour in range(9)]
    events = [*hours("steady", *range(12 * 24)), *hours("clerk", *office)]
    assert results(tmp_path / "night", events, SILENT).rows == []
    longer = [*events, *hours("steady", *range(12 * 24, 22 * 24))]
    (row,) = results(tmp_path / "gone", longer, SILENT).rows
    assert row[0] == "clerk"
    assert row[3] == 24 * 3 - 8, "from the end of Friday's work to the next one's beginning"


def test_one_outage_does_not_make_silence_usual(tmp_path: Path) -> None:
    spoken = [hour for hour in range(200) if not 50 <= hour < 60]
    events = [*hours("steady", *range(210)), *hours("node", *spoken)]
    (row,) = results(tmp_path, events, SILENT).rows
    assert (row[0], row[3]) == ("node", 1)


def test_a_gap_of_the_whole_log_is_nobodys_silence(tmp_path: Path) -> None:
    both = [*range(30), *range(60, 90)]
    events = [*hours("one", *both), *hours("two", *both[:-2])]
    assert results(tmp_path, events, SILENT).findings == []


def test_who_rarely_speaks_is_not_judged(tmp_path: Path) -> None:
    events = [*hours("steady", *range(60)), *hours("guest", *range(19))]
    assert results(tmp_path, events, SILENT).findings == []


@pytest.mark.parametrize(("since", "told"), [(42, True), (47, False)])
def test_a_silence_is_told_once_when_it_becomes_unusual(
    since: int, told: bool, tmp_path: Path
) -> None:
    events = [*hours("steady", *range(60)), *hours("gone", *range(40))]
    window = Window(since=START + timedelta(hours=since))
    assert bool(results(tmp_path, events, SILENT, window).findings) == told


def test_too_little_data_cannot_be_judged(tmp_path: Path) -> None:
    found = results(tmp_path, hours("steady", *range(20)), SILENT)
    assert [one.kind for one in found.cannot_judge] == ["history"]
    assert "20 intervals of 1 hour have data" in found.cannot_judge[0].reason
