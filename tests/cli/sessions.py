"""Terminal sessions of ``docs/first-screen.md``, written by ``python -m tests.cli.sessions``.

The screen is what a pseudo-terminal received, without colours.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from k8sidx.api import open_store, ship
from tests.cli.terminal import k8sidx_on_terminal
from tests.demo import DEMO

PAGE = Path(__file__).parents[2] / "docs" / "first-screen.md"
WIDTHS = (80, 200)
LINES = 60
_INTRODUCTION = """\
# The first screen

`k8sidx hunt --all` over the log of the demo, on a terminal of 80 and of 200 columns, written by
`python -m tests.cli.sessions`. [Your first hour](first-hour.md#3-the-first-screen) explains it.
"""
_STYLE = re.compile(r"\x1b\[[0-9;]*m")


def screens(widths: Sequence[int] = WIDTHS) -> list[str]:
    """Return what the terminals show, without colours."""
    before = Path.cwd()
    with TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            ship([str(DEMO)], open_store("k8sidx-store", create=True))
            return [_shown(columns) for columns in widths]
        finally:
            os.chdir(before)


def _shown(columns: int) -> str:
    with k8sidx_on_terminal("hunt", "--all", "-q", columns=columns) as terminal:
        if terminal.ended():
            raise RuntimeError(terminal.shown)
    return _STYLE.sub("", terminal.shown).replace("\r\n", "\n")


def page(shown: Sequence[str]) -> str:
    """Return the page with these screens."""
    parts = [_INTRODUCTION]
    for columns, screen in zip(WIDTHS, shown, strict=True):
        command = "$ k8sidx hunt --all -q"
        parts.append(f"## {columns} columns\n\n```text\n{command}\n{screen.rstrip()}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(screens()), encoding="utf-8")
    sys.stdout.write(f"{PAGE} is written\n")
