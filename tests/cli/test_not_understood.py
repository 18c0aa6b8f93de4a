"""An input of which nothing was understood is no all-clear: exit code 4, and what it contains."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from k8sidx.cli.exit import EXIT_REJECTED
from tests.building import event, write_log
from tests.cli.conftest import k8sidx

NOISE = "I1123 12:00:00.000000 1 controller.go:42] hello\nplain \x1b[31mtext\n" + '{"msg": "x"}\n'
COMMANDS: dict[str, list[str]] = {
    "ship": ["ship", "{}"],
    "ship -q": ["ship", "{}", "-q"],
    "hunt": ["hunt", "--all", "--input", "{}"],
    "hunt -q": ["hunt", "--all", "--input", "{}", "-q"],
    "hunt --fail-on": ["hunt", "--all", "--fail-on", "critical", "--input", "{}"],
    "query": ["query", "stats count(*)", "--input", "{}"],
    "query -q": ["query", "stats count(*)", "--input", "{}", "-q"],
}


@pytest.fixture
def noise(here: Path) -> Path:
    path = here / "noise.log"
    path.write_text(NOISE)
    return path


@pytest.fixture(params=list(COMMANDS.values()), ids=list(COMMANDS))
def words(request: pytest.FixtureRequest) -> list[str]:
    command: list[str] = request.param
    return command


def run(words: list[str], given: object) -> Any:
    return k8sidx(*(word.format(given) for word in words))


def test_command_exits_with_4_for_a_file_without_audit_events(
    words: list[str], noise: Path
) -> None:
    result = run(words, noise)
    assert result.exit_code == EXIT_REJECTED
    assert f"k8sidx: {noise}: no audit event was found" in result.stderr
    assert "1 text line" in result.stderr
    assert f"for example {noise}:1: I1123 12:00:00" in result.stderr
    assert "\x1b" not in result.stderr


@pytest.mark.parametrize("given", ["logs", "logs/*.log", "logs/**"])
def test_command_exits_with_4_for_a_folder_or_glob_without_audit_events(
    words: list[str], here: Path, given: str
) -> None:
    (here / "logs").mkdir()
    for name in ("a.log", "b.log"):
        (here / "logs" / name).write_text(NOISE)
    good = write_log(here / "good.log", [event()])
    result = run([*words, str(good)] if words[0] == "ship" else words, given)
    assert result.exit_code == EXIT_REJECTED
    assert f"k8sidx: {given}: no audit event was found" in result.stderr
    assert "2 text lines" in result.stderr


def test_command_exits_with_4_for_a_binary_file(words: list[str], here: Path) -> None:
    (here / "image").write_bytes(bytes(range(256)) * 1000)
    result = run(words, "image")
    assert result.exit_code == EXIT_REJECTED
    assert "k8sidx: image: no audit event was found" in result.stderr


def test_command_exits_with_0_when_some_file_of_a_folder_has_events(
    words: list[str], here: Path
) -> None:
    (here / "logs").mkdir()
    (here / "logs" / "a.log").write_text(NOISE)
    write_log(here / "logs" / "b.log", [event()])
    result = run(words, "logs")
    assert result.exit_code == 0
    assert "no audit event" not in result.stderr


def test_an_empty_file_is_an_all_clear_for_nobody(words: list[str], here: Path) -> None:
    """With ``--fail-on``: no event was judged."""
    (here / "empty.log").touch()
    assert run(words, "empty.log").exit_code == (4 if "--fail-on" in words else 0)


def test_ship_exits_with_4_for_standard_input_without_audit_events(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.TextIOWrapper(io.BytesIO(NOISE.encode()))
    monkeypatch.setattr(sys, "stdin", stream)
    from k8sidx.api import open_store, ship

    report = ship(["-"], open_store("s", create=True))
    assert [one.input for one in report.not_understood] == ["-"]


def test_ship_exits_with_0_when_a_resumed_file_has_only_noise_since(here: Path) -> None:
    log = write_log(here / "a.log", [event()])
    assert k8sidx("ship", log, "--state", "state.json").exit_code == 0
    with log.open("a") as file:
        file.write(NOISE)
    result = k8sidx("ship", log, "--state", "state.json")
    assert result.exit_code == 0
    assert "1 text line" in result.stderr


def test_ship_summary_has_an_example_of_each_kind_that_was_skipped(here: Path) -> None:
    log = write_log(here / "a.log", [event()])
    with log.open("a") as file:
        file.write(NOISE + "second text\n" + "t" * 500 + "\n")
    result = k8sidx("ship", log)
    lines = result.stderr.splitlines()
    assert result.exit_code == 0
    assert f"  text line, for example {log}:3: plain \\x1b[31mtext" in lines
    assert f"  klog line, for example {log}:2: I1123 12:00:00.000000 1 controller.go:42] hello" in (
        lines
    )
    assert max(map(len, lines)) < 80 + len(str(log)) + 60


def test_ship_strict_rejects_what_would_be_skipped(here: Path) -> None:
    log = write_log(here / "a.log", [event()])
    with log.open("a") as file:
        file.write(NOISE + json.dumps([{"a": 1}] * 100) + "\n")
    (here / "image").write_bytes(bytes(range(256)) * 1000)
    result = k8sidx("ship", log, "image", "--strict", "--dead-letter", "dead.jsonl", "-o", "json")
    counts = json.loads(result.stdout)
    assert result.exit_code == EXIT_REJECTED
    assert (counts["indexed"], counts["rejected"], counts["skipped"]) == (1, 5, {})
    assert counts["read"] == counts["indexed"] + counts["duplicates"] + counts["rejected"]
    letters = [json.loads(line) for line in Path("dead.jsonl").read_text().splitlines()]
    assert {one["reason"] for one in letters} >= {"not an audit event: text line"}
    assert [one["record"] for one in letters if one["source"] == str(log)] == [2, 3, 4, 5]
    assert letters[1]["raw"] == "plain \x1b[31mtext"
