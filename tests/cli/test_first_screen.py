"""First screen of ``hunt --all`` on a terminal of 80 and of 200 columns."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import k8sidx
from tests.cli.sessions import LINES, PAGE, WIDTHS, page, screens


def test_hunt_all_prints_one_screen_at_any_width() -> None:
    shown = screens()
    for columns, screen in zip(WIDTHS, shown, strict=True):
        lines = screen.splitlines()
        assert lines[0].startswith("30,077 events of cluster")
        assert "Next:" in lines
        assert [line for line in lines if len(line) > columns or line != line.rstrip()] == []
        assert len(lines) <= LINES
        assert "\x1b" not in screen
    assert PAGE.read_text("utf-8") == page(shown), "python -m tests.cli.sessions"


def test_tables_and_lists_are_printed_with_verbose_or_by_name(store: Path) -> None:
    assert "Next:" in k8sidx("hunt", "--all", "-o", "table").stdout
    assert "Next:" not in k8sidx("hunt", "--all", "-v", "-o", "table").stdout
    named = k8sidx("hunt", "topn_user_agent", "pod_exec", "-o", "table").stdout
    assert "Next:" not in named
    assert "kubectl/v1.30.0" in named
