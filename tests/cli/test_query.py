"""``k8sidx query``: inputs, outputs and errors."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from typer.testing import CliRunner

from k8sidx.cli import app
from tests.cli.conftest import audit_event, k8sidx

BY_AGENT = "stats count(*) as n by userAgent | sort n desc"


@pytest.mark.usefixtures("store")
def test_csv_has_the_columns_as_the_query_names_them() -> None:
    done = k8sidx("query", BY_AGENT)
    assert done.exit_code == 0, done.stderr
    header, first, *_ = csv.reader(io.StringIO(done.stdout))
    assert (header, first) == (["userAgent", "n"], ["kubectl/v1.30.0", "5"])


@pytest.mark.usefixtures("store")
def test_csv_calls_the_events_time_by_its_name_and_escapes_other_headers() -> None:
    query = "fields @timestamp, verb as `@SUM(1)`, verb as `=1` | limit 1"
    assert k8sidx("query", query).stdout.splitlines()[0] == "@timestamp,'@SUM(1),'=1"


@pytest.mark.usefixtures("store")
def test_query_json_contains_the_engine_and_exactness() -> None:
    done = k8sidx("query", f"{BY_AGENT} | limit 1", "-o", "json")
    assert json.loads(done.stdout) == {
        "engine": "duckdb",
        "exact": True,
        "columns": ["userAgent", "n"],
        "rows": [["kubectl/v1.30.0", 5]],
        "events_judged": 7,
        "first_event": "2024-05-01T10:00:00.000000Z",
        "last_event": "2024-05-01T10:00:06.000000Z",
        "newest_event": "2024-05-01T10:00:06.000000Z",
        "clusters": ["(unnamed)"],
    }


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("output", ["table", "csv", "md", "html", "json", "chart"])
def test_client_text_is_escaped_in_every_output(output: str) -> None:
    how = ["--chart"] if output == "chart" else ["-o", output]
    done = k8sidx("query", BY_AGENT, *how)
    assert done.exit_code == 0, done.stderr
    assert "evil" in done.stdout
    controls = [c for c in done.stdout if unicodedata.category(c) in ("Cc", "Cf") and c != "\n"]
    assert controls == []
    if output in ("md", "html"):
        assert "<script" not in done.stdout


@pytest.mark.usefixtures("store")
def test_lists_are_json_in_a_cell_and_formulas_stay_text() -> None:
    done = k8sidx("query", 'fields sourceIPs, "=1+1" as formula | limit 1')
    _, row = csv.reader(io.StringIO(done.stdout))
    assert row == ['["203.0.113.7"]', "'=1+1"]


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("window", "count"),
    [
        ([], 7),
        (["--since", "2024-05-01T10:00:05Z"], 2),
        (["--until", "2024-05-01T10:00:05Z"], 5),
        (["--since", "1h"], 0),
    ],
)
def test_the_window_includes_its_start_and_not_its_end(window: list[str], count: int) -> None:
    done = k8sidx("query", "stats count(*) as n", *window)
    assert done.stdout == f"n\n{count}\n"


def test_files_are_asked_without_a_store(log: Path, here: Path) -> None:
    before = set(here.iterdir())
    done = k8sidx("query", BY_AGENT, "--input", log)
    assert done.stdout.splitlines()[1] == "kubectl/v1.30.0,5"
    assert set(here.iterdir()) == before


def test_files_are_asked_for_whole_events(here: Path) -> None:
    path = here / "bodies.log"
    body = {"kind": "Pod", "spec": {"containers": [{"image": "evil/miner"}]}}
    path.write_text(json.dumps(audit_event(1, level="Request", requestObject=body)))
    done = k8sidx(
        "query", "stats count(*) as n by requestObject.spec.containers.0.image", "--input", path
    )
    assert done.stdout.splitlines()[1:] == ["evil/miner,1"]
    done = k8sidx("query", "fields @message | limit 1", "--input", path)
    assert "evil/miner" in done.stdout


def test_files_of_a_glob_after_input_are_inputs(log: Path, here: Path) -> None:
    other = here / "other.log"
    other.write_text(json.dumps(audit_event(30)) + "\n")
    done = k8sidx("query", "stats count(*) as n", "--input", log, other)
    assert done.stdout == "n\n8\n"


def test_a_text_longer_than_a_path_is_not_a_file(log: Path) -> None:
    listed = ", ".join(f'"agent-{number}"' for number in range(500))
    done = k8sidx("query", f"filter userAgent in [{listed}] | stats count(*) as n", "--input", log)
    assert done.stdout == "n\n0\n"


def test_a_query_error_is_reported_before_files_are_read() -> None:
    done = k8sidx("query", "filter vreb = 1", "--input", "missing.log")
    assert done.exit_code == 2
    assert "verb" in done.stderr


def test_rejected_input_ends_with_4_after_the_answer(here: Path) -> None:
    broken = here / "broken.log"
    broken.write_text(json.dumps(audit_event(1)) + "\n{\n")
    done = k8sidx("query", "stats count(*) as n", "--input", broken)
    assert (done.exit_code, done.stdout) == (4, "n\n1\n")
    assert "broken.log:2: " in done.stderr


@pytest.mark.usefixtures("store")
def test_a_query_is_read_from_a_file_or_stdin(here: Path) -> None:
    (here / "mine.txt").write_text("# mine\nstats count(*) as n\n")
    assert k8sidx("query", "-f", "mine.txt").stdout == "n\n7\n"
    done = CliRunner().invoke(app, ["query", "--file", "-"], input="stats count(*) as n")
    assert done.stdout == "n\n7\n"


@pytest.mark.usefixtures("store")
def test_a_saved_query_runs_by_name() -> None:
    done = k8sidx("query", "@top-user-agents", "-o", "md")
    assert done.exit_code == 0, done.stderr
    assert "kubectl/v1.30.0" in done.stdout


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("named", ["environment", "configuration"])
def test_saved_queries_of_the_user_are_read_from_the_configured_folder(
    named: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "own").mkdir()
    (here / "own" / "mine.cwli").write_text("# Mine\x1b[2J\nstats count(*) as n\n")
    if named == "environment":
        monkeypatch.setenv("K8SIDX_QUERY_FOLDER", str(here / "own"))
    else:
        (here / "k8sidx.toml").write_text('[query]\nfolder = "own"\n')
    assert k8sidx("query", "@mine").stdout == "n\n7\n"
    listed = k8sidx("query", "--saved", "-o", "json")
    assert {"name": "mine", "title": "Mine\x1b[2J", "source": str(here / "own" / "mine.cwli")} in (
        json.loads(listed.stdout)
    )
    assert k8sidx("query", "--saved", "@mine").stdout == "# Mine\\x1b[2J\nstats count(*) as n\n"


@pytest.mark.parametrize(
    ("words", "position", "offered"),
    [
        ("k8sidx query @status-c", 2, ["@status-codes"]),
        # What bash makes of @status-c: two words.
        ("k8sidx query @ status-c", 3, ["status-codes"]),
        ("k8sidx query 'stats count(*)' ", 3, []),
    ],
)
def test_a_shell_completes_names_of_saved_queries(
    words: str, position: int, offered: list[str]
) -> None:
    asked = {"_K8SIDX_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(position)}
    done = subprocess.run(
        [sys.executable, "-m", "k8sidx"],
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == offered


@pytest.mark.usefixtures("store")
def test_explain_prints_the_plan_without_running_the_query() -> None:
    done = k8sidx("query", BY_AGENT, "--explain")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.strip()
    assert "kubectl" not in done.stdout


@pytest.mark.usefixtures("store")
def test_a_chart_is_drawn_instead_of_a_table() -> None:
    done = k8sidx("query", BY_AGENT, "--chart")
    assert done.exit_code == 0, done.stderr
    assert "█" in done.stdout.splitlines()[1]


@pytest.mark.usefixtures("store")
def test_a_query_without_rows_succeeds() -> None:
    for how in (["-o", "table"], ["--chart"]):
        done = k8sidx("query", 'filter verb = "none"', *how)
        assert (done.exit_code, done.stdout) == (0, "")
        assert "no rows." in done.stderr
    assert k8sidx("query", 'filter verb = "none" | fields verb').stdout == "verb\n"
    assert k8sidx("query", 'filter verb = "none"', "-q", "-o", "table").stderr == ""


@pytest.mark.usefixtures("store")
def test_a_query_error_is_shown_with_a_caret() -> None:
    done = k8sidx("query", "fields verb\n| filter userAgen\x1b = 1")
    assert (done.exit_code, done.stdout) == (2, "")
    message, line, caret, *_ = done.stderr.splitlines()
    assert message.startswith("k8sidx: line 2, column ")
    assert line == "  | filter userAgen\\x1b = 1"
    assert caret.strip() == "^"


@pytest.mark.usefixtures("store")
def test_a_misspelt_saved_query_name_is_an_error_with_a_suggestion() -> None:
    done = k8sidx("query", "filter vreb = 1")
    assert done.exit_code == 2
    assert "  filter vreb = 1\n         ^\n" in done.stderr
    assert "verb" in done.stderr.splitlines()[-1]


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "no query is given. Give it in quotes"),
        (
            ["stats", "count(*)"],
            "expected one query, got 2. Give a file, one @name",
        ),
        (["stats count(*)", "-f", "x"], "expected one query, got 2"),
        (["@none-such"], "no query is saved as 'none-such'"),
        (["-f", "missing"], "missing: cannot be read"),
        (["stats count(*)", "--since", "tomorrow"], "not a valid time"),
        (["stats count(*)", "--timeout", "soon"], "not a valid length of time"),
        (["stats count(*)", "--chart", "-o", "csv"], "exclude each other"),
        (["fields verb", "--chart"], "no column of numbers"),
        ([""], "empty"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_to_do(arguments: list[str], said: str) -> None:
    done = k8sidx("query", *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr


def test_without_a_store_it_ends_with_3() -> None:
    done = k8sidx("query", "stats count(*)")
    assert done.exit_code == 3
    assert "Traceback" not in done.stderr
