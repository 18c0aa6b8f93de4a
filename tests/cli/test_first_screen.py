"""First screen of ``hunt --all`` on a terminal of 80 and of 200 columns."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli import terminal
from tests.cli.conftest import EVENTS, k8sidx
from tests.cli.terminal import k8sidx_on_terminal


@pytest.mark.parametrize("columns", [80, 200])
def test_hunt_all_prints_one_screen(
    columns: int, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "COLUMNS", columns)
    with k8sidx_on_terminal("hunt", "--all", "--store", store.name, "-q") as screen:
        assert screen.ended() == 0
    text = re.sub(r"\x1b\[[0-9;]*m", "", screen.shown)
    lines = text.splitlines()
    assert lines[0].startswith(f"{len(EVENTS)} events of cluster")
    assert "Next:" in lines
    assert [line for line in lines if len(line) > columns] == []
    assert len(lines) <= 60
    assert "\x1b[2J" not in screen.shown


def test_tables_and_lists_are_printed_with_verbose_or_by_name(store: Path) -> None:
    assert "Next:" in k8sidx("hunt", "--all", "-o", "table").stdout
    assert "Next:" not in k8sidx("hunt", "--all", "-v", "-o", "table").stdout
    named = k8sidx("hunt", "topn_user_agent", "pod_exec", "-o", "table").stdout
    assert "Next:" not in named
    assert "kubectl/v1.30.0" in named
