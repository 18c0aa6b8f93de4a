"""``k8sidx doctor``: problems are found and fixes suggested."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import filelock
import pytest

from k8sidx.backends.embedded.checks import check_store
from tests.cli.conftest import audit_event, k8sidx

NOW = datetime(2024, 5, 3, 10, 0, 0, tzinfo=UTC)


def states(checks: Iterator[object]) -> dict[str, str]:
    return {check.name: check.state for check in checks}  # type: ignore[attr-defined]


def test_a_good_store_needs_nothing(store: Path) -> None:
    done = k8sidx("doctor", "-o", "json")
    assert done.exit_code == 0, done.stderr
    checks = {check["check"]: check for check in json.loads(done.stdout)}
    assert {check["state"] for check in checks.values()} == {"ok"}
    assert {check["mend"] for check in checks.values()} == {""}
    assert "duckdb" in checks["software"]["seen"]
    assert "7 events" in checks["store"]["seen"]


def test_doctor_reports_the_age_of_the_latest_event(store: Path) -> None:
    [latest] = [check for check in check_store(store, NOW) if check.name == "latest event"]
    assert latest.seen == "2024-05-01 10:00:06Z, 47 hours ago"


def test_a_missing_store_ends_with_3_and_says_how_to_make_one() -> None:
    done = k8sidx("doctor")
    assert done.exit_code == 3
    assert "fail" in done.stdout
    assert "k8sidx ship FILE" in done.stdout


def test_a_wrong_configuration_ends_with_2(here: Path) -> None:
    (here / "k8sidx.toml").write_text("stor = 1")
    done = k8sidx("doctor")
    assert done.exit_code == 2
    assert "Did you mean store?" in done.stdout


def test_the_configuration_in_effect_is_named(store: Path, here: Path) -> None:
    (here / "k8sidx.toml").write_text('cluster = "prod"')
    assert str(here / "k8sidx.toml") in k8sidx("doctor").stdout


@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_damaged_files_are_found(store: Path, damage: str) -> None:
    [part] = store.glob("events/*/*.parquet")
    if damage == "missing":
        part.unlink()
    else:
        part.write_bytes(part.read_bytes()[:100])
    done = k8sidx("doctor")
    assert done.exit_code == 3
    assert part.name in done.stdout
    assert "Traceback" not in done.stderr


def test_doctor_reports_a_running_writer_without_failing(store: Path) -> None:
    with filelock.FileLock(store / "writer.lock"):
        done = k8sidx("doctor")
    assert done.exit_code == 0
    assert "another process is writing now" in done.stdout


def test_undated_future_and_rejected_events_are_warnings(here: Path) -> None:
    undated = audit_event(1)
    for name in ("requestReceivedTimestamp", "stageTimestamp"):
        del undated[name]
    future = audit_event(2, stageTimestamp="2999-01-01T00:00:00.000000Z")
    future["requestReceivedTimestamp"] = future["stageTimestamp"]
    lines = [json.dumps(undated), json.dumps(future), "{"]
    (here / "odd.log").write_text("\n".join(lines) + "\n")
    assert k8sidx("ship", "odd.log").exit_code == 4
    seen = states(check_store(here / "k8sidx-store", NOW))
    for name in ("undated events", "latest event", "dead letters"):
        assert seen[name] == "warn"
    assert k8sidx("doctor").exit_code == 0


def test_many_small_files_of_a_day_are_a_warning(log: Path, here: Path) -> None:
    from k8sidx.backends.embedded.storage.manifest import Manifest, Part, write_manifest

    store = here / "small"
    store.mkdir()
    parts = tuple(Part(f"events/2024-05-01/{n}.parquet", 10, 100, 0, 1) for n in range(9))
    write_manifest(store, Manifest(parts))
    seen = states(check_store(store, NOW))
    assert (seen["small files"], seen["files"]) == ("warn", "fail")
