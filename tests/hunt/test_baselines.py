"""Hunts that compare with the time before: top, new and spike."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from k8sidx.hunt.run import Window
from tests.building import START, event
from tests.hunt.run_hunt import results, sigma

DAY = 86_400
TOP = sigma(
    "{s: {userAgent|exists: true}, condition: s}",
    more="level: low\nk8sidx: {kind: top, by: [userAgent], count: UA, limit: 2}",
)
NEW = sigma(
    "{s: {verb|exists: true}, condition: s}",
    more="level: low\nk8sidx: {kind: new, by: [user.username, verb]}",
)
SPIKE = sigma(
    "{s: {responseStatus.code: 403}, condition: s}",
    more="level: low\nk8sidx: {kind: spike, interval: 5m, at_least: 4}",
)


HOURLY = sigma(
    "{s: {responseStatus.code: 403}, condition: s}",
    more="level: low\nk8sidx: {kind: spike, interval: 5m, at_least: 20, history: 60d}",
)


def agents(day: int, **counts: int) -> list[dict[str, Any]]:
    return [
        event(agent=agent, seconds=day * DAY + place, name=f"{agent}{place}")
        for agent, count in counts.items()
        for place in range(count)
    ]


def test_the_table_is_the_most_frequent_first_ties_by_value(tmp_path: Path) -> None:
    found = results(tmp_path, agents(0, c=3, b=2, a=2), TOP)
    assert found.columns == ("userAgent", "UA")
    assert found.rows == [("c", 3), ("a", 2)]
    assert (found.findings, found.notes) == ([], ())


def test_entries_are_compared_with_the_time_before(tmp_path: Path) -> None:
    events = [*agents(0, a=10, b=8, c=4), *agents(10, c=6, x=5)]
    window = Window(since=START + timedelta(days=10), baseline=timedelta(days=10))
    found = results(tmp_path, events, TOP, window)
    assert found.columns == ("userAgent", "rank_before", "daily_before", "change", "new", "UA")
    assert [(row[0], row[1], row[2], row[4], row[5]) for row in found.rows] == [
        ("c", 3, 0.4, "new to the top 2", 6),
        ("x", None, 0.0, "new to the data", 5),
    ]
    assert [finding.reason for finding in found.findings] == [
        "c: 6 events: new to the top 2, compared with the 10 days before",
        "x: 5 events: new to the data, compared with the 10 days before",
    ]
    assert found.findings[1].key == {"userAgent": "x"}
    assert found.findings[1].level == "low"
    assert len(found.findings[1].audit_ids) == 5


def test_without_since_the_last_day_is_compared(tmp_path: Path) -> None:
    events = [*agents(0, a=3), *agents(3, a=2, b=1)]
    found = results(tmp_path, events, TOP, Window(baseline=timedelta(days=7)))
    assert [(row[0], row[-2], row[-1]) for row in found.rows] == [
        ("a", "", 2),
        ("b", "new to the data", 1),
    ]


def test_nothing_to_compare_with_is_said_and_no_flood(tmp_path: Path) -> None:
    found = results(tmp_path, agents(0, a=3, b=1), TOP, Window(baseline=timedelta(days=7)))
    assert found.rows == [("a", 3), ("b", 1)]
    assert found.findings == []
    assert "nothing to compare with" in found.notes[0]


def test_until_ends_both_times(tmp_path: Path) -> None:
    events = [*agents(0, a=1), *agents(2, a=1), *agents(4, z=9)]
    window = Window(until=START + timedelta(days=3), baseline=timedelta(days=7))
    assert [row[0] for row in results(tmp_path, events, TOP, window).rows] == ["a"]


def test_a_new_combination_is_found_once_with_its_numbers(tmp_path: Path) -> None:
    events = [
        event("get", seconds=0),
        event("get", seconds=8 * DAY),
        *(event("delete", seconds=8 * DAY + n) for n in range(3)),
    ]
    window = Window(since=START + timedelta(days=7))
    found = results(tmp_path, events, NEW, window)
    assert found.columns == ("user.username", "verb", "first_seen", "last_seen", "count")
    assert [finding.key for finding in found.findings] == [
        {"user.username": "alice", "verb": "delete"}
    ]
    assert found.findings[0].count == 3
    assert found.findings[0].reason.endswith("never in the 30 days before")


@pytest.mark.parametrize(
    ("first_day", "judged"), [(4.1, False), (3.9, True)], ids=["too short", "just enough"]
)
def test_what_is_new_needs_a_tenth_of_the_time_before(
    first_day: float, judged: bool, tmp_path: Path
) -> None:
    events = [event("get", seconds=first_day * DAY), event("delete", seconds=7 * DAY)]
    window = Window(since=START + timedelta(days=7))
    found = results(tmp_path, events, NEW, window)
    assert bool(found.findings) == judged
    assert [one.kind for one in found.cannot_judge] == ([] if judged else ["history"])


def intervals(*counts: int) -> list[dict[str, Any]]:
    made = [event(seconds=300 * place + 299) for place in range(len(counts))]
    for place, count in enumerate(counts):
        made += [
            event(code=403, seconds=300 * place + number, user=f"user-{number % 2}")
            for number in range(count)
        ]
    return made


def test_a_surge_is_found_with_its_makers(tmp_path: Path) -> None:
    found = results(tmp_path, intervals(*[1, 2] * 6, 90, 81), SPIKE)
    (finding,) = found.findings
    assert finding.count == 171
    assert finding.key == {
        "since": START + timedelta(hours=1),
        "until": START + timedelta(minutes=70),
    }
    assert finding.reason == (
        "171 requests within 10 minutes from 2026-11-23 13:00Z on, where 2 are usual: "
        "user-0 (86) and user-1 (85)"
    )


def test_too_few_intervals_cannot_be_judged(tmp_path: Path) -> None:
    found = results(tmp_path, intervals(1, 1, 1, 90), SPIKE)
    assert found.findings == []
    assert "4 intervals of 5 minutes have data" in found.cannot_judge[0].reason


def test_a_surge_is_judged_by_the_time_before_when_there_is_one(tmp_path: Path) -> None:
    events = intervals(*[0] * 10, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60)
    window = Window(since=START + timedelta(minutes=50))
    assert results(tmp_path / "a", events, SPIKE, window).findings[0].count == 720
    assert results(tmp_path / "b", events, SPIKE).findings == []


def test_gaps_in_the_data_are_no_quiet_times(tmp_path: Path) -> None:
    events = intervals(*[20] * 12)
    late = [one | {"stageTimestamp": one["stageTimestamp"].replace("T12", "T22")} for one in events]
    assert results(tmp_path, [*events, *late], SPIKE).findings == []


def weeks(count: int, *, on_mondays: int, otherwise: int) -> list[dict[str, Any]]:
    """Refusals, two intervals an hour, more of them from two to three on Mondays."""
    made = []
    for hour in range(count * 7 * 24):
        moment = START + timedelta(hours=hour)
        monday = moment.weekday() == 0 and moment.hour == 14
        made += [
            event(code=403, seconds=3600 * hour + minute * 300 + number)
            for minute in range(2)
            for number in range(on_mondays if monday else otherwise)
        ]
    return made


@pytest.mark.parametrize("count", [2, 5])
def test_what_is_usual_on_mondays_is_no_surge_after_some_weeks(count: int, tmp_path: Path) -> None:
    events = weeks(count, on_mondays=30, otherwise=1)
    found = results(tmp_path, events, HOURLY).findings
    assert len(found) == (0 if count == 5 else 2)


def test_a_surge_at_an_unusual_hour_says_what_is_usual_then(tmp_path: Path) -> None:
    events = weeks(5, on_mondays=30, otherwise=1)
    late = [event(code=403, seconds=3600 * 24 * 30 + number, name="late") for number in range(40)]
    (finding,) = results(tmp_path, [*events, *late], HOURLY).findings
    assert finding.reason == (
        "41 requests within 5 minutes from 2026-12-23 12:00Z on, where 1 are usual "
        "on Wednesdays at 12h UTC: alice (41)"
    )
