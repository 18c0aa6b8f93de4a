"""Sheets as GitHub-flavoured Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from k8sidx.show.render.escape import markdown_text
from k8sidx.show.render.sheet import Sheet, readable


def markdown_table(sheet: Sheet) -> str:
    """A title, the notes and a table; without rows one sentence in its place."""
    parts = []
    if sheet.title:
        level = f" ({markdown_text(sheet.level)})" if sheet.level else ""
        parts.append(f"## {markdown_text(sheet.title)}{level}")
    parts += [f"> {markdown_text(note)}" for note in sheet.notes]
    parts.append(_table(sheet) if sheet.rows else "No rows.")
    return "\n\n".join(parts) + "\n"


def _table(sheet: Sheet) -> str:
    marks = ["---:" if sheet.is_number(at) else "---" for at in range(len(sheet.columns))]
    lines = [_line([markdown_text(name) for name in sheet.columns]), _line(marks)]
    lines += [_line([markdown_text(readable(cell)) for cell in row]) for row in sheet.rows]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
