"""``k8sidx ship``: the counts, the summary, the exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from k8sidx.cli import ship
from k8sidx.events.decode import decode
from tests.cli.conftest import audit_event, k8sidx


def test_json_counts_add_up_and_shipping_again_stores_nothing(log: Path) -> None:
    first = k8sidx("ship", log, "-o", "json")
    assert first.exit_code == 0, first.stderr
    counts = json.loads(first.stdout)
    assert counts.pop("seconds") >= 0
    assert counts == {
        "read": 8,
        "indexed": 7,
        "duplicates": 1,
        "rejected": 0,
        "redacted": 0,
        "skipped": {},
        "dead_letter": None,
    }
    again = json.loads(k8sidx("ship", log, "-o", "json").stdout)
    assert (again["read"], again["indexed"], again["duplicates"]) == (8, 0, 8)


def test_the_summary_is_printed_to_stderr_unless_quiet(log: Path) -> None:
    loud = k8sidx("ship", log)
    assert loud.stdout == ""
    assert "8 events read" in loud.stderr
    assert "7 indexed, 1 duplicate, 0 rejected." in loud.stderr
    quiet = k8sidx("ship", log, "-q")
    assert (quiet.stdout, quiet.stderr) == ("", "")


def test_rejected_records_end_with_4_and_are_kept_with_reasons(here: Path) -> None:
    log = here / "broken.log"
    log.write_text(json.dumps(audit_event(1)) + '\n{"kind": "Event", "apiVersion"\n')
    done = k8sidx("ship", log, "-o", "json", "--dead-letter", "dead.jsonl")
    assert done.exit_code == 4
    counts = json.loads(done.stdout)
    assert (counts["indexed"], counts["rejected"]) == (1, 1)
    assert counts["dead_letter"] == "dead.jsonl"
    assert len((here / "dead.jsonl").read_text().splitlines()) == 1
    assert "broken.log:2: " in done.stderr
    assert "dead.jsonl" in done.stderr


def test_help_names_every_format() -> None:
    assert tuple(decode.FORMATS) == ship.FORMATS


def test_csv_counts_are_one_row(log: Path) -> None:
    header, row = k8sidx("ship", log, "-o", "csv").stdout.splitlines()
    assert header == "read,indexed,duplicates,rejected,redacted,seconds"
    assert row.startswith("8,7,1,0,0,")


def test_the_store_comes_from_the_option_the_environment_or_the_configuration(
    log: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "k8sidx.toml").write_text('store = "from-file"')
    k8sidx("ship", log)
    monkeypatch.setenv("K8SIDX_STORE", "from-environment")
    k8sidx("ship", log)
    k8sidx("ship", log, "--store", "from-option")
    for name in ("from-file", "from-environment", "from-option"):
        assert (here / name / "manifest.json").is_file()
    assert not (here / "k8sidx-store").exists()


def test_a_missing_input_is_wrong_usage(here: Path) -> None:
    done = k8sidx("ship", "nowhere.log")
    assert done.exit_code == 2
    assert "nowhere.log" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_setting_is_wrong_usage(log: Path, here: Path) -> None:
    (here / "k8sidx.toml").write_text('stoer = "x"')
    done = k8sidx("ship", log)
    assert done.exit_code == 2
    assert "Did you mean store?" in done.stderr


def test_ship_reports_an_unreachable_cluster(log: Path) -> None:
    done = k8sidx("ship", log, "--store", "http://127.0.0.1:9")
    assert done.exit_code == 3
    assert "127.0.0.1:9" in done.stderr


def test_ship_refuses_a_pattern_of_indices(log: Path) -> None:
    done = k8sidx("ship", log, "--store", "http://127.0.0.1:9", "--index", "filebeat-*")
    assert done.exit_code == 2
    assert "is a pattern" in done.stderr
