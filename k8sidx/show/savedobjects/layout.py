"""Where panels lie on a dashboard's grid, 48 columns wide in both products."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from k8sidx.show.panels.panel import WIDTH, Dashboard, Events, Panel

NOTE_HEIGHT = 4
CONTROLS_HEIGHT = 7


class Place(NamedTuple):
    """A rectangle of the grid."""

    x: int
    y: int
    width: int
    height: int

    def grid(self, index: str) -> dict[str, int | str]:
        """``gridData`` of a panel."""
        return {"x": self.x, "y": self.y, "w": self.width, "h": self.height, "i": index}


def note_place() -> Place:
    """The note with the links, at the top."""
    return Place(0, 0, WIDTH, NOTE_HEIGHT)


def controls_place() -> Place:
    """The classic form's lists to filter by, under the note."""
    return Place(0, NOTE_HEIGHT, WIDTH, CONTROLS_HEIGHT)


def placed(dashboard: Dashboard, top: int) -> Iterator[tuple[Panel | Events, Place]]:
    """Each panel with its place, the first row at ``top``."""
    y = top
    for row in dashboard.rows:
        edges = [WIDTH * at // len(row.panels) for at in range(len(row.panels) + 1)]
        for panel, left, right in zip(row.panels, edges, edges[1:], strict=False):
            yield panel, Place(left, y, right - left, row.height)
        y += row.height
