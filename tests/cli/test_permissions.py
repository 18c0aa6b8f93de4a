"""Permissions of every file that k8sidx makes: whatever the umask, only its owner may read it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from k8sidx.cli import app
from k8sidx.cli.prompt.history import FILE_NAME, kept_history
from tests.demo import demo_lines


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def run(*arguments: str) -> int:
    return CliRunner().invoke(app, list(arguments)).exit_code


def test_no_file_can_be_read_by_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_umask: None
) -> None:
    folder = tmp_path / "made"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in ("HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(folder / "home"))
    given = folder / "audit.log"
    given.write_bytes(b"\n".join(demo_lines()[-3000:]) + b'\n{"auditID": \n')
    options = ("--state", "state/state.json", "--spool", "spool", "audit.log")
    assert run("ship", "--store", "store", *options) == 4
    assert run("hunt", "--all", "--store", "store", "--save") in (0, 4)
    assert run("report", "--store", "store", "-o", "report.html") in (0, 4)
    assert run("hunt", "--all", "--store", "store", "--suggest-allow") == 0
    kept_history().append_string('filter user.username = "alice"')
    made = [path for path in folder.rglob("*") if path != given]
    names = {path.name for path in made}
    assert {
        "manifest.json",
        "state.json",
        "report.html",
        "spool",
        "dead-letter",
        "findings",
        FILE_NAME,
    } <= names
    shared = {
        str(path.relative_to(folder)): oct(stat.S_IMODE(path.lstat().st_mode))
        for path in made
        if stat.S_IMODE(path.lstat().st_mode) & 0o077
    }
    assert not shared
