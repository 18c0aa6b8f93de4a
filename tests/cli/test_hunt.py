"""``k8sidx hunts``, ``hunt`` and ``report``."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from pathlib import Path

import pytest

from tests.cli.conftest import audit_event, k8sidx

TOP = "topn_user_agent"


def test_hunts_lists_the_library() -> None:
    listed = json.loads(k8sidx("hunts", "-o", "json").stdout)
    [top] = [hunt for hunt in listed if hunt["id"] == TOP]
    assert set(top) == {"id", "title", "level", "attack", "source"}
    piped = list(csv.DictReader(io.StringIO(k8sidx("hunts").stdout)))
    assert [hunt["id"] for hunt in piped] == [hunt["id"] for hunt in listed]


@pytest.mark.usefixtures("store")
def test_a_ranking_is_csv_when_piped_with_the_count_last() -> None:
    done = k8sidx("hunt", TOP)
    assert done.exit_code == 0, done.stderr
    header, *rows = csv.reader(io.StringIO(done.stdout))
    assert header[0] == "userAgent"
    assert [rows[0][0], rows[0][-1]] == ["kubectl/v1.30.0", "5"]


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("output", ["table", "csv", "md", "html", "json"])
def test_client_text_is_escaped_in_every_output(output: str) -> None:
    done = k8sidx("hunt", TOP, "-o", output)
    assert done.exit_code == 0, done.stderr
    assert "evil" in done.stdout
    controls = [c for c in done.stdout if unicodedata.category(c) in ("Cc", "Cf") and c != "\n"]
    assert controls == []
    if output in ("md", "html"):
        assert "<script" not in done.stdout


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("fail_on", "exit_code"), [("critical", 0), ("high", 1), ("low", 1), (None, 0)]
)
def test_findings_at_or_above_the_level_end_with_1(
    rule: Path, fail_on: str | None, exit_code: int
) -> None:
    more = ["--fail-on", fail_on] if fail_on else []
    done = k8sidx("hunt", rule, "-o", "json", *more)
    assert done.exit_code == exit_code, done.stderr
    [result] = json.loads(done.stdout)
    assert set(result) == {
        "hunt", "title", "level", "engine", "exact", "events_judged", "first_event", "last_event",
        "newest_event", "clusters", "columns", "rows", "findings", "notes",
        "cannot_judge", "tags", "falsepositives",
    }  # fmt: skip
    [finding] = result["findings"]
    assert set(finding) == {
        "hunt", "level", "actor", "key", "count", "first_seen", "last_seen", "reason",
        "audit_ids", "outcome", "next",
    }  # fmt: skip
    assert finding["outcome"] == "success"
    assert finding["next"][0] == "k8sidx show audit-5"
    assert (finding["level"], finding["count"], finding["audit_ids"]) == ("high", 1, ["audit-5"])
    assert finding["first_seen"] == "2024-05-01T10:00:05.000000Z"


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("window", "exit_code"),
    [
        ([], 1),
        (["--since", "2024-05-01T10:00:05Z"], 1),
        (["--since", "2024-05-01T10:00:06Z"], 0),
        (["--until", "2024-05-01T10:00:05Z"], 0),
        (["--since", "1h"], 4),
    ],
)
def test_the_window_includes_its_start_and_not_its_end(
    rule: Path, window: list[str], exit_code: int
) -> None:
    done = k8sidx("hunt", rule, "-o", "json", "--fail-on", "low", *window)
    assert done.exit_code == exit_code, done.stderr


def test_input_is_hunted_without_a_store(log: Path, rule: Path, here: Path) -> None:
    before = set(here.iterdir())
    done = k8sidx("hunt", rule, "--input", log, "-o", "json", "--fail-on", "high")
    assert done.exit_code == 1, done.stderr
    assert set(here.iterdir()) == before


def test_files_of_a_glob_after_input_are_inputs(log: Path, rule: Path, here: Path) -> None:
    other = here / "other.log"
    other.write_text(json.dumps(audit_event(30, verb="delete")) + "\n")
    done = k8sidx("hunt", rule, "--input", log, other, "-o", "json")
    [result] = json.loads(done.stdout)
    assert sum(finding["count"] for finding in result["findings"]) == 2


def test_rejected_input_of_a_hunt_ends_with_4_and_is_named(here: Path, rule: Path) -> None:
    broken = here / "broken.log"
    broken.write_text(json.dumps(audit_event(1)) + "\n{\n")
    done = k8sidx("hunt", rule, "--input", broken)
    assert done.exit_code == 4
    assert "broken.log:2: " in done.stderr


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "no hunt is named"),
        (["no_such_hunt"], "no_such_hunt"),
        (["--all", TOP], "exclude each other"),
        ([TOP, "--since", "tomorrow"], "not a valid time"),
        ([TOP, "--since", "2024-05-02", "--until", "2024-05-01"], "--since is not before --until"),
        ([TOP, "--baseline", "long"], "not a valid length of time"),
        (["--all", "--tag", "t0000"], "no hunt is tagged t0000"),
        (["missing.yml"], "missing.yml"),
    ],
)
def test_wrong_usage_ends_with_2_and_one_line(arguments: list[str], said: str) -> None:
    done = k8sidx("hunt", *arguments)
    assert done.exit_code == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_a_missing_store_ends_with_3() -> None:
    done = k8sidx("hunt", TOP, "--store", "nowhere")
    assert done.exit_code == 3
    assert "nowhere" in done.stderr
    assert not Path("nowhere").exists()


@pytest.mark.usefixtures("store")
def test_the_whole_library_runs_in_every_format() -> None:
    done = k8sidx("hunt", "--all", "-o", "json")
    assert done.exit_code == 0, done.stderr
    everything = json.loads(done.stdout)
    assert TOP in [result["hunt"] for result in everything]
    rows = list(csv.DictReader(io.StringIO(k8sidx("hunt", "--all").stdout)))
    assert {row["hunt"] for row in rows} == {
        result["hunt"] for result in everything if result["rows"] or result["findings"]
    }
    table = k8sidx("hunt", "--all", "-v", "-o", "table").stdout
    assert re.match(r"\d+ findings? ", table.splitlines()[0])


@pytest.mark.usefixtures("store")
def test_level_and_tag_select_from_the_library() -> None:
    listed = {hunt["id"]: hunt for hunt in json.loads(k8sidx("hunts", "-o", "json").stdout)}
    high = json.loads(k8sidx("hunt", "--all", "--level", "high", "-o", "json").stdout)
    assert {result["level"] for result in high} <= {"high", "critical"}
    none = k8sidx("hunt", "new_user_agent", "--level", "critical", "-o", "json")
    assert (none.exit_code, none.stdout) == (0, "[]\n")
    assert none.stderr == "no selected hunt has level critical or above.\n"
    tagged = json.loads(k8sidx("hunt", "--tag", "t1609", "-o", "json").stdout)
    names = [result["hunt"] for result in tagged]
    assert names == [name for name, hunt in listed.items() if "T1609" in hunt["attack"]]
    assert "pod_exec" in names


@pytest.mark.usefixtures("store")
def test_the_report_contains_its_scope_and_command(here: Path) -> None:
    done = k8sidx("report", "--since", "2024-05-01")
    assert (done.exit_code, done.stdout) == (0, ""), done.stderr
    text = (here / "report.html").read_text("utf-8")
    assert "7 events in ./k8sidx-store" in text
    assert "from 2024-05-01 10:00:00Z to 2024-05-01 10:00:06Z" in text
    assert "k8sidx report --store ./k8sidx-store -o report.html --since 2024-05-01" in text
    assert "<script>alert(1)" not in text
    assert "&lt;script&gt;alert(1)" in text
    executable = re.findall(r"<script(?! type=\"application/json\")", text)
    assert len(executable) == 3, "Chart.js and ours"
    assert [path.name for path in here.iterdir() if "tmp" in path.name] == []


@pytest.mark.usefixtures("store")
def test_a_report_that_cannot_be_written_is_wrong_usage() -> None:
    done = k8sidx("report", "-o", "nowhere/report.html")
    assert done.exit_code == 2
    assert "cannot be written" in done.stderr
