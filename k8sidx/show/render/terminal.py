"""Sheets on a terminal."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import IO

from rich import box
from rich.cells import cell_len
from rich.console import Console, JustifyMethod
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from k8sidx.backends.result import Value
from k8sidx.show.render.escape import visible
from k8sidx.show.render.sheet import Sheet, readable

LEVEL_STYLES = {
    "critical": "bold white on red",
    "high": "bold red",
    "medium": "yellow",
    "low": "cyan",
    "informational": "dim",
    "fail": "bold red",
    "warn": "yellow",
    "ok": "green",
}
_LEVEL_COLUMNS = ("level", "state")
_WORD = 16
"""Words up to this length are not broken to fit a table."""


class _PipedConsole(Console):
    def on_broken_pipe(self) -> None:
        """Raise for a closed pipe; rich would exit with 1."""
        raise BrokenPipeError


def console_on(stream: IO[str]) -> Console:
    """Return a console that colours only on a terminal and never when ``NO_COLOR`` is set.

    It prints text as it is: no markup, emoji codes or highlighting.
    """
    terminal = stream.isatty()
    plain = not terminal or bool(os.environ.get("NO_COLOR"))
    return _PipedConsole(
        file=stream,
        force_terminal=terminal,
        color_system=None if plain else "auto",
        no_color=plain,
        markup=False,
        emoji=False,
        highlight=False,
    )


def print_sheet(console: Console, sheet: Sheet, *, most: int | None = None) -> None:
    """Print title, notes and rows; a table too wide for the console becomes records.

    :param most: maximum number of rows; a last line counts the others.
    """
    if sheet.title:
        console.print(heading(sheet))
    for note in sheet.notes:
        console.print(Padding(Text(visible(note), style="dim"), (0, 0, 0, 2)))
    if not sheet.rows:
        return
    shown = sheet.rows if most is None else sheet.rows[:most]
    part = Sheet(sheet.columns, shown)
    layout = _layout(part, console.width)
    if layout is None:
        _print_records(console, part)
    else:
        console.print(_table(part, layout))
    if len(shown) < len(sheet.rows):
        console.print(Text(f"  … {len(sheet.rows) - len(shown):,} more rows", style="dim"))


def heading(sheet: Sheet) -> Text:
    """Return the title and the level, or the title and ``no rows``."""
    if not sheet.rows:
        return Text(f"{visible(sheet.title)}: no rows", style="dim")
    text = Text().append(visible(sheet.title), style="bold")
    if sheet.level:
        text.append("  ").append(level_text(sheet.level))
    return text


def level_text(level: str) -> Text:
    return Text(visible(level), style=LEVEL_STYLES.get(level, ""))


@dataclass(frozen=True, slots=True)
class _Layout:
    """Headings of a table, and the blanks between its columns."""

    headings: tuple[str, ...]
    gap: int


def _layout(sheet: Sheet, width: int) -> _Layout | None:
    """Return the widest layout that fits; ``None`` if columns would not be readable."""
    names = tuple(visible(name) for name in sheet.columns)
    cells = [
        [visible(readable(row[position])) for row in sheet.rows] for position in range(len(names))
    ]
    longest = [max(map(cell_len, column), default=0) for column in cells]
    unbroken = sum(max(cell_len(name), size) for name, size in zip(names, longest, strict=True))
    if unbroken + 2 * (len(names) - 1) <= width:
        return _Layout(names, 2)
    narrowest = [
        size if sheet.is_number(position) else min(_longest_word(column), _WORD)
        for position, (column, size) in enumerate(zip(cells, longest, strict=True))
    ]
    headings = tuple(map(_broken, names, narrowest))
    needed = sum(
        max(size, *map(cell_len, heading.split("\n")))
        for heading, size in zip(headings, narrowest, strict=True)
    )
    for gap in (2, 1):
        if needed + gap * (len(names) - 1) <= width:
            return _Layout(headings, gap)
    return None


def _longest_word(cells: list[str]) -> int:
    return max((cell_len(word) for cell in cells for word in cell.split(" ")), default=0)


def _broken(name: str, width: int) -> str:
    """Return a field's path over several lines, broken after dots, no line wider than needed."""
    lines = [""]
    for part in re.findall(r"[^.]+\.?|\.", name):
        if lines[-1] and cell_len(lines[-1] + part) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def _table(sheet: Sheet, layout: _Layout) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, layout.gap - 1, 0, 0),
        header_style="bold",
    )
    for position, heading in enumerate(layout.headings):
        number = sheet.is_number(position)
        justify: JustifyMethod = "right" if number else "left"
        table.add_column(Text(heading), justify=justify, no_wrap=number, overflow="fold")
    for row in sheet.rows:
        table.add_row(*map(_cell, sheet.columns, row))
    return table


def _cell(column: str, value: Value) -> Text:
    text = visible(readable(value))
    return level_text(text) if column in _LEVEL_COLUMNS else Text(text)


def _print_records(console: Console, sheet: Sheet) -> None:
    for row in sheet.rows:
        record = Table.grid(padding=(0, 2))
        record.add_column(no_wrap=True, style="dim")
        record.add_column(overflow="fold")
        for name, value in zip(sheet.columns, row, strict=True):
            if value is not None:
                record.add_row(Text(visible(name)), _cell(name, value))
        console.print(Padding(record, (0, 0, 1, 2)))
