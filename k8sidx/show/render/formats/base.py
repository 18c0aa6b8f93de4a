"""Base class of output formats."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from k8sidx.backends.result import Result
from k8sidx.hunt.actor_timeline import ActorTimeline
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.result import EventsJudged, HuntResult
from k8sidx.show.render.hunt_details import HuntDetails, details_sheet
from k8sidx.show.render.library import library_sheet
from k8sidx.show.render.sheet import Sheet
from k8sidx.show.render.ship_summary import shipped_sheet
from k8sidx.show.render.stories import stories_sheet
from k8sidx.show.render.view import View

if TYPE_CHECKING:
    from rich.console import Console

    from k8sidx.shipping.pipeline import ShipReport

Document: TypeAlias = "str | Callable[[Console], None]"
"""A text in a file format, or a function that prints on a console."""


class Format(ABC):
    """Writers of one output format, one for each kind of data that commands print.

    What a format has no form of its own for is written as a sheet.
    """

    shows_notes: ClassVar[bool] = True
    """Whether the notes of a hunt are part of the document; else they belong on stderr."""

    @abstractmethod
    def sheet(self, sheet: Sheet) -> Document:
        """Write a table."""

    @abstractmethod
    def hunts(self, results: Sequence[HuntResult]) -> Document:
        """Write hunt results."""

    def stories(self, stories: Sequence[ActorTimeline]) -> Document:
        """Write findings grouped by actor."""
        return self.sheet(stories_sheet(stories))

    def query(self, result: Result, title: str, judged: EventsJudged | None = None) -> Document:
        """Write the rows of a query.

        :param title: of a saved query, else empty.
        :param judged: the events of the time range.
        """
        return self.sheet(Sheet(result.columns, result.rows, title))

    def view(self, view: View) -> Document:
        """Write the result of an investigation."""
        return self.sheet(view.sheet)

    def library(self, hunts: Sequence[Hunt]) -> Document:
        """Write a list of hunts."""
        return self.sheet(library_sheet(hunts))

    def hunt_details(self, hunts: Sequence[HuntDetails]) -> list[Document]:
        """Write hunts in full, one document each."""
        return [self.sheet(details_sheet(details)) for details in hunts]

    def shipped(self, report: ShipReport) -> Document:
        """Write the counts of a ship run."""
        return self.sheet(shipped_sheet(report))
