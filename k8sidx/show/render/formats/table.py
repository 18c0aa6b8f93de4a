"""Table output: text on a terminal, for people to read."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from k8sidx.backends.result import Result
from k8sidx.hunt.actor_timeline import ActorTimeline
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.result import EventsJudged, HuntResult
from k8sidx.show.render.formats.base import Document, Format
from k8sidx.show.render.hunt_details import HuntDetails, print_details
from k8sidx.show.render.hunts import print_hunts
from k8sidx.show.render.library import print_library
from k8sidx.show.render.sheet import Sheet
from k8sidx.show.render.stories import print_stories
from k8sidx.show.render.terminal import print_sheet
from k8sidx.show.render.view import View

if TYPE_CHECKING:
    from rich.console import Console


class TableFormat(Format):
    """Tables in the width of the terminal, long lists cut."""

    def sheet(self, sheet: Sheet) -> Document:
        """Print a table."""
        return partial(print_sheet, sheet=sheet)

    def hunts(self, results: Sequence[HuntResult]) -> Document:
        """Print the findings, then the table of each hunt."""
        return partial(print_hunts, results=results)

    def stories(self, stories: Sequence[ActorTimeline]) -> Document:
        """Print each story under its actor."""
        return partial(print_stories, stories=stories)

    def query(self, result: Result, title: str, judged: EventsJudged | None = None) -> Document:
        """Print the rows of a query; without rows, nothing."""
        return self.sheet(Sheet(result.columns, result.rows, title)) if result.rows else _nothing

    def view(self, view: View) -> Document:
        """Print a result in its own form; without one, as a table."""
        return view.draw or self.sheet(view.sheet)

    def library(self, hunts: Sequence[Hunt]) -> Document:
        """Print two lines per hunt."""
        return partial(print_library, hunts=hunts)

    def hunt_details(self, hunts: Sequence[HuntDetails]) -> list[Document]:
        """Print each hunt in full."""
        return [partial(print_details, details=details) for details in hunts]


FORMAT = TableFormat()


def _nothing(console: Console) -> None:
    """Print nothing."""
