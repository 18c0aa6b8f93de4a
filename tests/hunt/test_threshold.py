"""Threshold hunts: the window slides, exactly, over any data."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8sidx.hunt.kinds import correlated_events
from k8sidx.hunt.kinds.windows import Request, SlidingWindow
from k8sidx.hunt.library.load import load_hunts
from k8sidx.hunt.run import Window, run_hunt
from tests.building import START, at, event
from tests.hunt.run_hunt import correlation, results
from tests.stores import stored

FIVE = correlation("{gte: 5}", timespan="1m")


def requests(*seconds: float, user: str = "mallory", **more: Any) -> list[dict[str, Any]]:
    return [event(user=user, seconds=one, name=f"p{one}", **more) for one in seconds]


@pytest.mark.parametrize(
    ("seconds", "bursts"),
    [
        ((0, 10, 20, 30), []),
        ((0, 10, 20, 30, 40), [5]),
        ((0, 15, 30, 45, 60), [5]),
        ((0, 15, 30, 45, 61), []),
        ((40, 50, 59, 61, 70), [5]),
        ((0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100), [11]),
        ((0, 1, 2, 3, 4, 600, 601, 602, 603, 604, 605), [6, 5]),
        ((0, 1, 2, 3, 4, 200, 201, 202, 203), [5]),
    ],
    ids=[
        "too few",
        "enough",
        "exactly a minute",
        "a second too long",
        "across two intervals",
        "a long burst is one",
        "two bursts",
        "a burst and a rest",
    ],
)
def test_bursts(seconds: tuple[float, ...], bursts: list[int], tmp_path: Path) -> None:
    found = results(tmp_path, requests(*seconds), FIVE)
    assert [finding.count for finding in found.findings] == bursts


def test_a_finding_has_key_numbers_times_and_evidence(tmp_path: Path) -> None:
    events = requests(*range(30), source="192.0.2.7")
    found = results(tmp_path, [*events, *requests(3, 4, user="bob")], FIVE)
    (finding,) = found.findings
    assert finding.key == {"user.username": "mallory"}
    assert finding.count == 30
    assert list(finding.audit_ids) == [one["auditID"] for one in events[:20]]
    assert found.columns == ("user.username", "first_seen", "last_seen", "count")
    assert found.rows == [("mallory", finding.first_seen, finding.last_seen, 30)]
    assert finding.first_seen == START + timedelta(milliseconds=2)


def test_the_sentence_of_the_library(tmp_path: Path) -> None:
    events = [
        event(
            "list", ["pods", "nodes", "roles"][n % 3] + str(n % 2), code=403, seconds=n,
            user="mallory", source="192.0.2.7",
        )
        for n in range(14)
    ]  # fmt: skip
    found = results(tmp_path, events, "forbidden_burst_user")
    assert [finding.reason for finding in found.findings] == [
        "mallory was refused 14 times on 6 resources within 5 minutes from 192.0.2.7"
    ]


def test_stages_of_one_request_count_once_and_one_audit_id_for_all_does_not_hide_them(
    tmp_path: Path,
) -> None:
    def stage(name: str, number: int, audit_id: str) -> dict[str, Any]:
        return event(stage=name, seconds=number, stageTimestamp=at(number + 0.5), auditID=audit_id)

    three = [
        stage(s, n, f"id{n}") for n in range(3) for s in ("ResponseStarted", "ResponseComplete")
    ]
    assert results(tmp_path / "a", three, FIVE).findings == []
    same = [stage("ResponseComplete", n, "chosen") for n in range(5)]
    assert [f.count for f in results(tmp_path / "b", same, FIVE).findings] == [5]


def test_different_values_are_counted_and_what_lacks_them_is_not(tmp_path: Path) -> None:
    hunt = correlation("{gte: 3, field: objectRef.name}", kind="value_count")
    names = ["a", "a", "a", "b", "", ""]
    events = [event(name=name, seconds=n) for n, name in enumerate(names)]
    assert results(tmp_path / "a", events, hunt).findings == []
    found = results(tmp_path / "b", [*events, event(name="c", seconds=9)], hunt)
    assert found.columns[-2:] == ("values", "count")
    assert found.rows[0][-2:] == (3, 7)


def test_a_field_with_many_values_gives_each_of_them(tmp_path: Path) -> None:
    hunt = correlation("{gte: 3, field: user.groups}", kind="value_count")
    events = [
        event(seconds=n) | {"user": {"username": "bob", "groups": groups}}
        for n, groups in enumerate([["a", "b"], ["b", "c"]])
    ]
    assert results(tmp_path, events, hunt).rows[0][-2:] == (3, 2)


def test_only_events_of_the_window_count(tmp_path: Path) -> None:
    window = Window(since=START + timedelta(seconds=2), until=START + timedelta(seconds=7))
    assert [f.count for f in results(tmp_path, requests(*range(20)), FIVE, window).findings] == [5]


def test_events_without_a_time_cannot_be_judged(tmp_path: Path) -> None:
    bare = [{"verb": "get", "user": {"username": "m"}, "auditID": str(n)} for n in range(9)]
    found = results(tmp_path, bare, FIVE)
    assert found.findings == []
    (why,) = found.cannot_judge
    assert (why.kind, why.reason, why.count) == ("time", "9 events have no time.", 9)


def test_keys_and_events_are_read_in_portions(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(correlated_events, "KEYS_AT_ONCE", 2)
    monkeypatch.setattr(correlated_events, "EVENTS_AT_ONCE", 7)
    events = [e for n in range(5) for e in requests(*range(0, 200, 10), user=f"user-{n}")]
    found = results(tmp_path, events, FIVE)
    assert sorted((f.key["user.username"], f.count) for f in found.findings) == [
        (f"user-{n}", 20) for n in range(5)
    ]


def naive(seconds: list[int], length: int, at_least: int) -> set[int]:
    """Positions of all requests that lie in some window with enough of them."""
    inside: set[int] = set()
    for first, start in enumerate(seconds):
        window = [n for n in range(first, len(seconds)) if seconds[n] - start <= length]
        if len(window) >= at_least:
            inside.update(window)
    return inside


SECONDS = st.lists(st.integers(0, 300), max_size=40).map(sorted)


@given(SECONDS, st.integers(1, 60), st.integers(1, 6))
def test_a_slider_finds_what_trying_all_windows_finds(
    seconds: list[int], length: int, at_least: int
) -> None:
    slider = SlidingWindow(timedelta(seconds=length), at_least, distinct=False)
    for second in seconds:
        slider.add(Request(START + timedelta(seconds=second)))
    assert sum(burst.requests for burst in slider.bursts) == len(naive(seconds, length, at_least))
    for earlier, later in zip(slider.bursts, slider.bursts[1:], strict=False):
        assert earlier.last <= later.first


@given(st.lists(st.tuples(st.integers(0, 120), st.sampled_from("abcd")), max_size=30))
def test_a_slider_counts_different_values_exactly(pairs: list[tuple[int, str]]) -> None:
    pairs.sort()
    slider = SlidingWindow(timedelta(seconds=20), 3, distinct=True)
    for second, value in pairs:
        slider.add(Request(START + timedelta(seconds=second), ((value,),)))
    enough = any(len({v for s, v in pairs if start <= s <= start + 20}) >= 3 for start, _ in pairs)
    assert bool(slider.bursts) == enough


@pytest.mark.parametrize("seed", range(8))
def test_the_whole_hunt_finds_what_trying_all_windows_finds(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)  # noqa: S311 - reproducible test data
    seconds = sorted(chance.sample(range(1500), 90))
    with stored(tmp_path, requests(*seconds)).engine() as engine:
        found = run_hunt(FIVE, engine, Window())
    assert sum(finding.count for finding in found.findings) == len(naive(seconds, 60, 5))


def test_secret_lists_in_many_namespaces_count_like_secrets_of_many_names() -> None:
    (hunt,) = load_hunts(["secret_read_burst"])
    assert getattr(hunt, "values", ()) == ("objectRef.namespace", "objectRef.name")
