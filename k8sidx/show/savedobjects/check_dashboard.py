"""Checks of dashboards: their grid, and their embedded panels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from k8sidx.show.panels.panel import WIDTH
from k8sidx.show.savedobjects.check_fields import check_field
from k8sidx.show.savedobjects.check_lens import attributes_of, check_lens
from k8sidx.show.savedobjects.check_looks import check_note
from k8sidx.show.savedobjects.embedded import Embedded
from k8sidx.show.savedobjects.mapped import FieldType
from k8sidx.show.savedobjects.products import Product

JsonObject = dict[str, Any]


def check_dashboard(
    obj: JsonObject, embedded: Embedded, known: Mapping[str, FieldType], product: Product
) -> Iterator[str]:
    """Yield faults of a dashboard's grid, embedded panels and controls."""
    panels = embedded.values.get("panelsJSON")
    if not isinstance(panels, list):
        return
    yield from _grid([panel for panel in panels if isinstance(panel, dict)])
    names = {reference.get("name") for reference in obj.get("references", [])}
    for panel in panels:
        if not isinstance(panel, dict):
            continue
        title = attributes_of(panel).get("title")
        if panel.get("type") == "lens":
            for text in check_lens(panel, names, known):
                yield f"panel {title!r}: {text}"
        saved = panel.get("embeddableConfig", {}).get("savedVis")
        if isinstance(saved, dict) and saved.get("type") == "markdown":
            yield from check_note(saved, product)
    controls = embedded.values.get("controlGroupInput.panelsJSON")
    if isinstance(controls, dict):
        for index, control in controls.items():
            yield from check_field(str(control.get("explicitInput", {}).get("fieldName")), known)
            if f"controlGroup_{index}:optionsListDataView" not in names:
                yield f"the control {index} references no data view"


def _grid(panels: list[JsonObject]) -> Iterator[str]:
    rectangles: list[tuple[str, int, int, int, int]] = []
    for panel in panels:
        grid = panel.get("gridData", {})
        index = str(panel.get("panelIndex"))
        numbers = [grid.get(key) for key in ("x", "y", "w", "h")]
        if not all(isinstance(number, int) for number in numbers):
            yield f"panel {index} has no position on the grid"
            continue
        x, y, width, height = numbers
        if str(grid.get("i")) != index:
            yield f"panel {index}: gridData.i is {grid.get('i')}"
        if x < 0 or y < 0 or width < 1 or height < 1 or x + width > WIDTH:
            yield f"panel {index} is not within the grid of {WIDTH} columns"
        rectangles.append((index, x, y, x + width, y + height))
    if len({rectangle[0] for rectangle in rectangles}) != len(rectangles):
        yield "two panels have the same panelIndex"
    for a, b in combinations(rectangles, 2):
        if a[1] < b[3] and b[1] < a[3] and a[2] < b[4] and b[2] < a[4]:
            yield f"panels {a[0]} and {b[0]} overlap"
