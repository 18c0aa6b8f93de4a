"""``k8sidx baseline``: status and creation of daily summaries."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.building import event
from tests.cli.conftest import k8sidx
from tests.stores import put, stored

DAY = 86_400


@pytest.fixture
def days(here: Path) -> Path:
    """A store with events of four days."""
    stored(
        here / "k8sidx-store", [event(user=f"user-{day}", seconds=day * DAY) for day in range(4)]
    )
    return here / "k8sidx-store"


def shown(*arguments: str) -> dict[str, dict[str, str]]:
    result = k8sidx("baseline", *arguments, "-o", "csv")
    assert result.exit_code == 0, result.stderr
    return {row["hunt"]: row for row in csv.DictReader(result.stdout.splitlines())}


def test_baseline_update_creates_each_summary_once(days: Path) -> None:
    before = shown()
    assert before["new_user_agent"]["behind"] == before["new_user_agent"]["days"] == "3"
    made = shown("update")["new_user_agent"]
    assert (made["made"], made["behind"]) == ("3", "0")
    assert (made["first"], made["last"]) == ("2026-11-23", "2026-11-25")
    assert {one["made"] for one in shown("update").values()} == {"0"}
    assert {one["behind"] for one in shown().values()} == {"0"}


def test_events_that_came_late_put_a_day_behind(days: Path) -> None:
    shown("update")
    from k8sidx.backends.embedded.store import EmbeddedStore

    put(EmbeddedStore(days), [event(user="late", seconds=DAY)])
    assert {one["behind"] for one in shown().values()} == {"1"}
    assert {one["made"] for one in shown("update").values()} == {"1"}


def test_baseline_update_selects_hunts_and_days(days: Path) -> None:
    result = k8sidx("baseline", "update", "new_user_agent", "--since", "2026-11-24", "-o", "json")
    (one,) = json.loads(result.stdout)
    assert (one["hunt"], one["days"], one["made"]) == ("new_user_agent", 2, 2)
    assert "2 days counted" in result.stderr


def test_a_hunt_leaves_summaries_for_the_next(days: Path) -> None:
    assert (
        k8sidx("hunt", "new_user_agent", "--since", "2026-11-26", "--baseline", "3d").exit_code == 0
    )
    assert shown()["new_user_agent"]["behind"] == "0"
    assert shown()["forbidden_surge"]["behind"] == "3"


def test_files_are_hunted_without_summaries(here: Path) -> None:
    (here / "a.log").write_text(json.dumps(event()) + "\n")
    assert k8sidx("hunt", "new_user_agent", "--input", "a.log").exit_code == 0
    assert [path.name for path in here.iterdir()] == ["a.log"]


def test_a_hunt_that_does_not_compare_has_no_summaries(days: Path) -> None:
    result = k8sidx("baseline", "update", "pod_exec")
    assert result.exit_code == 2
    assert "none of these hunts compares" in result.stderr


def test_baseline_update_reports_an_unwritable_store(
    days: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("k8sidx.backends.embedded.summaries.zstandard.compress", full)
    result = k8sidx("baseline", "update", "new_user_agent")
    assert result.exit_code == 3
    assert "No space left on device" in result.stderr
    hunted = k8sidx("hunt", "new_user_agent", "--since", "2026-11-26", "--baseline", "3d")
    assert hunted.exit_code == 0
    assert "No space left on device" in hunted.stderr
