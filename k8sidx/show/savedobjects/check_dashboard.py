"""Checks of dashboards: their grid, and their embedded panels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from k8sidx.show.panels.panel import WIDTH
from k8sidx.show.savedobjects.check_fields import FieldType, check_field
from k8sidx.show.savedobjects.embedded import Embedded

JsonObject = dict[str, Any]


def check_dashboard(
    obj: JsonObject, embedded: Embedded, known: Mapping[str, FieldType]
) -> Iterator[str]:
    """Yield faults of a dashboard's grid, embedded panels and controls."""
    panels = embedded.values.get("panelsJSON")
    if not isinstance(panels, list):
        return
    yield from _grid([panel for panel in panels if isinstance(panel, dict)])
    names = {reference.get("name") for reference in obj.get("references", [])}
    for panel in panels:
        if isinstance(panel, dict) and panel.get("type") == "lens":
            title = _attributes(panel).get("title")
            for text in _lens(panel, names, known):
                yield f"panel {title!r}: {text}"
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


def _attributes(panel: JsonObject) -> JsonObject:
    attributes: JsonObject = panel.get("embeddableConfig", {}).get("attributes", {})
    return attributes


def _lens(panel: JsonObject, names: set[Any], known: Mapping[str, FieldType]) -> Iterator[str]:
    attributes = _attributes(panel)
    if not attributes:
        return  # by reference: it is another object
    state = attributes.get("state", {})
    layers = state.get("datasourceStates", {}).get("formBased", {}).get("layers", {})
    own = {reference.get("name") for reference in attributes.get("references", [])}
    used = set(_column_ids(state.get("visualization", {})))
    defined: set[str] = set()
    for identifier, layer in layers.items():
        name = f"indexpattern-datasource-layer-{identifier}"
        if name not in own or f"{panel.get('panelIndex')}:{name}" not in names:
            yield f"the layer {identifier} references no data view"
        columns = layer.get("columns", {})
        defined |= set(columns)
        if sorted(layer.get("columnOrder", [])) != sorted(columns):
            yield "columnOrder does not list the columns"
        for column in columns.values():
            yield from _column(column, columns, known)
    for missing in sorted(used - defined):
        yield f"it shows the column {missing}, which does not exist"


def _column(
    column: JsonObject, columns: JsonObject, known: Mapping[str, FieldType]
) -> Iterator[str]:
    field = column.get("sourceField")
    if field and field != "___records___":
        wanted = ("date",) if column.get("operationType") == "date_histogram" else ()
        yield from check_field(str(field), known, wanted=wanted)
    ordered = column.get("params", {}).get("orderBy", {}).get("columnId")
    if ordered and ordered not in columns:
        yield f"it is ordered by the column {ordered}, which does not exist"


_ACCESSORS = (
    "xAccessor", "yAccessor", "valueAccessor", "splitAccessor", "metricAccessor", "columnId",
)  # fmt: skip
_LISTS = ("accessors", "primaryGroups", "secondaryGroups", "metrics")


def _column_ids(value: Any) -> Iterator[str]:
    """Yield the ids of the columns that a visualization shows."""
    if isinstance(value, list):
        for item in value:
            yield from _column_ids(item)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key in _ACCESSORS and isinstance(inner, str):
                yield inner
            elif key in _LISTS and isinstance(inner, list):
                yield from (item for item in inner if isinstance(item, str))
            else:
                yield from _column_ids(inner)
