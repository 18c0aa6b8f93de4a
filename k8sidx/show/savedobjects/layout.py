"""Layout of panels on a dashboard's grid, 48 columns wide in both products."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from k8sidx.show.panels.panel import WIDTH, Dashboard, Item

NOTE_HEIGHT = 4
CONTROLS_HEIGHT = 9
"""Two rows of lists; see :func:`k8sidx.show.savedobjects.check_controls.rows_needed`."""


class Rectangle(NamedTuple):
    """A rectangle of the grid."""

    x: int
    y: int
    width: int
    height: int

    def grid(self, index: str) -> dict[str, int | str]:
        """Return the ``gridData`` of a panel."""
        return {"x": self.x, "y": self.y, "w": self.width, "h": self.height, "i": index}


def note_position() -> Rectangle:
    """Return the position of the note with the links, at the top."""
    return Rectangle(0, 0, WIDTH, NOTE_HEIGHT)


def controls_position() -> Rectangle:
    """Return the position of the classic form's controls, under the note."""
    return Rectangle(0, NOTE_HEIGHT, WIDTH, CONTROLS_HEIGHT)


def positions(dashboard: Dashboard, top: int) -> Iterator[tuple[Item, Rectangle]]:
    """Yield each panel with its position, the first row at ``top``."""
    y = top
    for row in dashboard.rows:
        edges = row.edges()
        for panel, left, right in zip(row.panels, edges, edges[1:], strict=False):
            yield panel, Rectangle(left, y, right - left, row.height)
        y += row.height
