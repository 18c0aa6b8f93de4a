"""JSON Lines output: one JSON value per line, for streams (docs/cli.md)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from k8sidx.backends.result import Result
from k8sidx.hunt.actor_timeline import ActorTimeline
from k8sidx.hunt.result import EventsJudged, HuntResult
from k8sidx.show.render.escape import json_line
from k8sidx.show.render.formats.base import Document, Format
from k8sidx.show.render.formats.json import hunt_object, story_object
from k8sidx.show.render.hunt_details import HuntDetails, details_object
from k8sidx.show.render.sheet import Sheet
from k8sidx.show.render.ship_summary import shipped_object
from k8sidx.show.render.view import records

if TYPE_CHECKING:
    from k8sidx.shipping.pipeline import ShipReport


class JsonLinesFormat(Format):
    """JSON Lines: what is an element of a list in JSON is a line."""

    def sheet(self, sheet: Sheet) -> str:
        """Write an object per row, keyed by column."""
        return _lines(records(sheet))

    def hunts(self, results: Sequence[HuntResult]) -> str:
        """Write an object per hunt."""
        return _lines(hunt_object(result) for result in results)

    def stories(self, stories: Sequence[ActorTimeline]) -> str:
        """Write an object per story."""
        return _lines(story_object(story) for story in stories)

    def query(self, result: Result, title: str, judged: EventsJudged | None = None) -> str:
        """Write an object per row; of columns with the same name, later ones get a number."""
        names: list[str] = []
        for column in result.columns:
            number = 2
            name = column
            while name in names:
                name = f"{column} ({number})"
                number += 1
            names.append(name)
        return _lines(dict(zip(names, row, strict=True)) for row in result.rows)

    def hunt_details(self, hunts: Sequence[HuntDetails]) -> list[Document]:
        """Write an object per hunt."""
        return [_lines(details_object(details) for details in hunts)]

    def shipped(self, report: ShipReport) -> str:
        """Write one object."""
        return _lines([shipped_object(report)])


FORMAT = JsonLinesFormat()


def _lines(objects: Iterable[object]) -> str:
    return "".join(f"{json_line(item)}\n" for item in objects)
