"""HTML output: one self-contained page."""

from __future__ import annotations

from collections.abc import Sequence

from k8sidx.backends.result import Result
from k8sidx.hunt.result import EventsJudged, HuntResult
from k8sidx.show.render.formats.base import Format
from k8sidx.show.render.hunts import by_urgency, counted, findings_sheet, sheet_of
from k8sidx.show.render.page import render_page
from k8sidx.show.render.sheet import Sheet


class HtmlFormat(Format):
    """HTML: a page that loads nothing and runs no script."""

    def sheet(self, sheet: Sheet) -> str:
        """Write a page with one table."""
        return render_page("sheet.html.j2", sheet.title, sheet=sheet)

    def hunts(self, results: Sequence[HuntResult]) -> str:
        """Write the findings, then the table of each hunt."""
        return render_page(
            "hunts.html.j2",
            "Hunt results",
            findings=findings_sheet(by_urgency(results)),
            caption=counted(results),
            hunts=[(result.hunt, sheet_of(result)) for result in results],
        )

    def query(self, result: Result, title: str, judged: EventsJudged | None = None) -> str:
        """Write a page with the rows of a query."""
        return self.sheet(Sheet(result.columns, result.rows, title or "Query"))


FORMAT = HtmlFormat()
