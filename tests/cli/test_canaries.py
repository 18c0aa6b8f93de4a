"""A planted secret is in no file and no output of a command, but for the dead-letter file."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import k8sidx
from tests.events.canaries import ENVELOPES, base64_forms
from tests.events.normalize.test_redact_everywhere import PLACES

SECRET = "Q7HunterXabcdefgh9Z"  # noqa: S105
FORMS = (SECRET, *base64_forms(SECRET))
COMMANDS = (
    ("query", "fields @message | limit 1000", "-o", "json"),
    ("query", "fields @timestamp, requestURI, exec.command_line, pod.commands, rest", "-o", "csv"),
    ("query", "stats count(*) by requestURI, userAgent", "--explain"),
    ("hunt", "--all", "--save", "-o", "json"),
    ("report", "-o", "report.html"),
    ("doctor", "--secrets", "-o", "json"),
)


def leaks(text: str) -> list[str]:
    return [form for form in FORMS if form in text]


def test_no_output_and_no_file_has_the_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    names = sorted(ENVELOPES)
    lines = [
        ENVELOPES[names[number % len(names)]](PLACES[place](SECRET))
        for number, place in enumerate(sorted(PLACES))
    ]
    torn = json.dumps(PLACES["JSON text"](SECRET))[:-3]
    Path("log").write_text("\n".join([*lines, torn]) + "\n", "utf-8")
    shipped = k8sidx("ship", "log", "--store", "store", "--dead-letter", "dead.jsonl", "--debug")
    assert shipped.exit_code == 4, shipped.output
    assert not leaks(shipped.output)
    assert leaks(Path("dead.jsonl").read_text("utf-8")), "the record is kept as it was read"
    for command in COMMANDS:
        result = k8sidx(*command, "--store", "store", "--debug")
        assert result.exit_code == 0, result.output
        assert not leaks(result.output), command
    for path in tmp_path.rglob("*"):
        if path.is_dir() or path.name in ("log", "dead.jsonl"):
            continue
        parquet = path.suffix == ".parquet"
        text = (
            str(pq.read_table(path).to_pylist()) if parquet else path.read_bytes().decode("latin1")
        )
        assert not leaks(text), path
    assert not leaks(caplog.text)
