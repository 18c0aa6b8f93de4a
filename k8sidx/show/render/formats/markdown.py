"""GitHub-flavoured Markdown output."""

from __future__ import annotations

from collections.abc import Sequence

from k8sidx.hunt.result import HuntResult
from k8sidx.show.render.escape import markdown_text
from k8sidx.show.render.formats.base import Format
from k8sidx.show.render.hunts import by_urgency, counted, findings_sheet, sheet_of
from k8sidx.show.render.sheet import Sheet, readable


class MarkdownFormat(Format):
    """Markdown: headings, quoted notes and tables."""

    def sheet(self, sheet: Sheet) -> str:
        """Write the title, the notes and a table, or a sentence when there are no rows."""
        parts = []
        if sheet.title:
            level = f" ({markdown_text(sheet.level)})" if sheet.level else ""
            parts.append(f"## {markdown_text(sheet.title)}{level}")
        parts += [f"> {markdown_text(note)}" for note in sheet.notes]
        parts.append(_table(sheet) if sheet.rows else "No rows.")
        return "\n\n".join(parts) + "\n"

    def hunts(self, results: Sequence[HuntResult]) -> str:
        """Write the findings, then the table of each hunt."""
        findings = by_urgency(results)
        parts = [f"# {counted(results)}\n"]
        if findings:
            parts.append(self.sheet(findings_sheet(findings)))
        parts += [self.sheet(sheet_of(result)) for result in results]
        return "\n".join(parts)


FORMAT = MarkdownFormat()


def _table(sheet: Sheet) -> str:
    columns = range(len(sheet.columns))
    marks = ["---:" if sheet.is_number(position) else "---" for position in columns]
    lines = [_line([markdown_text(name) for name in sheet.columns]), _line(marks)]
    lines += [_line([markdown_text(readable(cell)) for cell in row]) for row in sheet.rows]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
