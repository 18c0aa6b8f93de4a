"""Checks of what people see: order, colours and widths."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from k8sidx.show.panels.colors import colors_of
from k8sidx.show.savedobjects.columns import SCREEN, column_width, too_wide
from k8sidx.show.savedobjects.mapped import FieldType
from k8sidx.show.savedobjects.products import Product

JsonObject = dict[str, Any]

_CONTROL_WIDTH = 250 + 16
"""Least width of a list, with its margin (src/plugins/input_control_vis/public/components/vis/
input_control_vis.tsx)."""
_ROWS_OF_LISTS = {1: 6, 2: 9}
"""Rows of the grid for so many rows of lists, of 20 pixels and a margin of 8
(src/plugins/dashboard/public/application/embeddable/dashboard_constants.ts). Tried in OpenSearch
Dashboards 2.8: 7 rows cut off the second row of lists."""
_BY_ID = re.compile(r"\]\(#/(?:view|dashboard)/([^)?]+)")
_UNKNOWN = FieldType("string", aggregatable=True)


def rows_needed(lists: int) -> int:
    """Return the height of a panel with so many drop-down lists, in rows of the grid."""
    rows = -(-lists // (SCREEN // _CONTROL_WIDTH))
    return _ROWS_OF_LISTS.get(rows, 3 + 3 * rows)


def check_controls(state: JsonObject, height: int | None) -> Iterator[str]:
    """Yield whether the lists of a control panel do not fit into it."""
    needed = rows_needed(len(state.get("params", {}).get("controls", [])))
    if height is not None and height < needed:
        yield f"the panel is {height} rows high, its lists need {needed}: the last ones are cut off"


def check_note(state: JsonObject, product: Product) -> Iterator[str]:
    """Yield links that an import into a second space breaks."""
    markdown = str(state.get("params", {}).get("markdown", ""))
    linked = sorted(set(_BY_ID.findall(markdown)))
    if product.new_ids and linked:
        yield (
            f"links to {', '.join(linked)} by id: {product.name} gives new ids where another "
            "space has them, and the links are dead. Link to #/list?title=…"
        )


def check_order(state: JsonObject, interface: Any, product: Product) -> Iterator[str]:
    """Yield whether a table of terms opens unsorted."""
    if state.get("type") != "table" or not _keys(state):
        return
    path, key = product.sort
    value = interface
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(value.get(key), int):
        yield f"{product.name} reads the order from {'.'.join(path)}: the table is not sorted"


def check_colors(state: JsonObject, interface: Any) -> Iterator[str]:
    """Yield a series that means good or bad and has no fixed colours."""
    told_apart = [
        agg
        for agg in state.get("aggs", [])
        if agg.get("type") == "terms"
        and agg.get("schema") == ("segment" if state.get("type") == "pie" else "group")
    ]
    vis = interface.get("vis") if isinstance(interface, dict) else None
    colors = vis.get("colors") if isinstance(vis, dict) else None
    for agg in told_apart[:1]:
        field = str(agg.get("params", {}).get("field"))
        yield from missing_colors(field, colors or {})


def missing_colors(field: str, assigned: Mapping[str, str]) -> Iterator[str]:
    """Yield the values of a field that have no colour of their own.

    :param assigned: colours by value.
    """
    missing = [value for value in colors_of(field) if value not in assigned]
    if missing:
        yield f"no fixed colour for {field} {', '.join(missing)}: it changes with what is shown"


def check_columns(
    columns: Sequence[tuple[str, str, str]], panel_columns: int | None
) -> Iterator[str]:
    """Yield the columns of a table that its panel hides.

    :param columns: field, type and heading of each.
    :param panel_columns: width of the panel in columns of the grid; ``None`` if it is unknown.
    """
    if panel_columns is None:
        return
    widths: dict[str, int] = {}
    for at, (field, kind, heading) in enumerate(columns):
        widths[heading or f"column {at + 1}"] = column_width(field, kind, heading)
    hidden = too_wide(widths, panel_columns)
    if hidden:
        yield f"the table is too wide for {panel_columns} columns of the grid: {hidden} is hidden"


def table_of(state: JsonObject, known: Mapping[str, FieldType]) -> list[tuple[str, str, str]]:
    """Return field, type and heading of the columns of a classic table: keys, then metrics."""
    metrics = [agg for agg in state.get("aggs", []) if agg.get("schema") == "metric"]
    columns = []
    for agg in (*_keys(state), *metrics):
        parameters = agg.get("params", {})
        kept = agg.get("schema") != "metric" or agg.get("type") in ("min", "max")
        field = str(parameters.get("field") or "") if kept else ""
        kind = known.get(field, _UNKNOWN).kind if kept else "number"
        columns.append((field, kind, str(parameters.get("customLabel") or "")))
    return columns


def _keys(state: JsonObject) -> list[JsonObject]:
    return [agg for agg in state.get("aggs", []) if agg.get("schema") == "bucket"]
