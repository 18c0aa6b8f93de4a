"""Checks of Lens panels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from k8sidx.show.panels.colors import MISSING
from k8sidx.show.savedobjects.check_fields import check_field
from k8sidx.show.savedobjects.check_looks import check_columns, missing_colors
from k8sidx.show.savedobjects.mapped import FieldType

JsonObject = dict[str, Any]

RECORDS = "___records___"
"""Source field of a count."""


def attributes_of(panel: JsonObject) -> JsonObject:
    """Return the visualization that a panel contains; empty for one of another object."""
    attributes: JsonObject = panel.get("embeddableConfig", {}).get("attributes", {})
    return attributes


def check_lens(panel: JsonObject, names: set[Any], known: Mapping[str, FieldType]) -> Iterator[str]:
    """Yield faults of a Lens panel."""
    attributes = attributes_of(panel)
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
        yield from _looks(attributes, columns, panel.get("gridData", {}).get("w"))
    for missing in sorted(used - defined):
        yield f"it shows the column {missing}, which does not exist"


def _looks(attributes: JsonObject, columns: JsonObject, width: Any) -> Iterator[str]:
    """Yield what a visualization shows wrongly: N/A, hidden columns, changing colours."""
    kind = attributes.get("visualizationType")
    shown = attributes.get("state", {}).get("visualization", {})
    if kind == "lnsMetric":
        if columns.get(shown.get("metricAccessor"), {}).get("params", {}).get("emptyAsNull"):
            yield "emptyAsNull: without rows it shows N/A instead of 0"
    elif kind == "lnsDatatable":
        if not isinstance(shown.get("sorting"), dict):
            yield "no sorting: the table is not sorted"
        listed = [columns.get(column.get("columnId"), {}) for column in shown.get("columns", [])]
        yield from check_columns(
            [_column_form(column) for column in listed], width if isinstance(width, int) else None
        )
    else:
        for layer in shown.get("layers", []):
            groups = layer.get("primaryGroups") or [layer.get("splitAccessor")]
            field = str(columns.get(groups[0], {}).get("sourceField"))
            yield from missing_colors(field, _assigned(layer.get("colorMapping")))


def _column_form(column: JsonObject) -> tuple[str, str, str]:
    field = str(column.get("sourceField", ""))
    counted = field == RECORDS or column.get("operationType") == "unique_count"
    return "" if counted else field, str(column.get("dataType")), str(column.get("label", ""))


def _assigned(mapping: Any) -> dict[str, str]:
    """Return the colours of a mapping by value."""
    colors: dict[str, str] = {MISSING: ""}
    for assignment in mapping.get("assignments", []) if isinstance(mapping, dict) else []:
        color = assignment.get("color", {}).get("colorCode", "")
        rules = assignment.get("rules") or [assignment.get("rule", {})]
        for rule in rules:
            for value in rule.get("values") or [rule.get("value")]:
                colors[str(value)] = color
    return colors


def _column(
    column: JsonObject, columns: JsonObject, known: Mapping[str, FieldType]
) -> Iterator[str]:
    field = column.get("sourceField")
    if field and field != RECORDS:
        wanted = ("date",) if column.get("operationType") == "date_histogram" else ()
        yield from check_field(str(field), known, wanted=wanted)
    parameters = column.get("params", {})
    if parameters.get("missingBucket") and not parameters.get("otherBucket"):
        yield (
            f"missingBucket of {field} without otherBucket: Kibana drops what lacks the field "
            "(lens/public/datasources/form_based/operations/definitions/terms/index.tsx)"
        )
    ordered = parameters.get("orderBy", {}).get("columnId")
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
