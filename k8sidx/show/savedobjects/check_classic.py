"""Checks of classic visualizations and searches, as the browser reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from k8sidx.show.savedobjects.check_fields import check_field
from k8sidx.show.savedobjects.check_looks import (
    check_colors,
    check_columns,
    check_controls,
    check_note,
    check_order,
    table_of,
)
from k8sidx.show.savedobjects.columns import stream_columns
from k8sidx.show.savedobjects.embedded import Embedded
from k8sidx.show.savedobjects.mapped import FieldType
from k8sidx.show.savedobjects.products import Product

JsonObject = dict[str, Any]

_KEYED = frozenset({"terms", "date_histogram", "histogram", "range", "date_range", "ip_range",
                    "filters", "significant_terms", "geohash_grid"})  # fmt: skip
_XY = frozenset({"metric", "segment", "group", "split", "radius"})
SCHEMAS: dict[str, frozenset[str]] = {
    "metric": frozenset({"metric", "group"}),
    "table": frozenset({"metric", "bucket", "split"}),
    "pie": frozenset({"metric", "segment", "split"}),
    "histogram": _XY,
    "horizontal_bar": _XY,
    "line": _XY,
    "area": _XY,
    "heatmap": frozenset({"metric", "segment", "group", "split"}),
    "gauge": frozenset({"metric", "group"}),
    "goal": frozenset({"metric", "group"}),
    "tagcloud": frozenset({"metric", "segment"}),
    "region_map": frozenset({"metric", "segment"}),
    "tile_map": frozenset({"metric", "segment"}),
}
"""Permitted roles of aggregations, by kind of visualization."""
OTHERS = frozenset({"markdown", "input_control_vis", "metrics", "vega", "timelion"})
"""Kinds without aggregations of this form."""
_TEXT = FieldType("string", aggregatable=True)
_NUMBERS = frozenset({"sum", "avg", "percentiles", "percentile_ranks", "median", "std_dev"})


def check_visualization(
    embedded: Embedded,
    known: Mapping[str, FieldType],
    product: Product,
    size: tuple[int, int] | None,
) -> Iterator[str]:
    """Yield faults of a visualization: its kind, aggregations, fields, and what people see.

    :param size: columns and rows of the grid that it has on its dashboard, if it is on one.
    """
    state = embedded.values.get("visState")
    if not isinstance(state, dict):
        return
    kind = state.get("type")
    interface = embedded.values.get("uiStateJSON")
    width, height = size or (None, None)
    if kind == "markdown":
        yield from check_note(state, product)
    if kind == "input_control_vis":
        yield from check_controls(state, height)
        for control in state.get("params", {}).get("controls", []):
            yield from check_field(str(control.get("fieldName")), known)
        return
    if kind in OTHERS:
        return
    if kind not in SCHEMAS:
        yield f"{kind} is not a kind of visualization: the panel shows an error"
        return
    aggregations = [agg for agg in state.get("aggs", []) if isinstance(agg, dict)]
    ids = [str(agg.get("id")) for agg in aggregations]
    if len(set(ids)) != len(ids):
        yield "two aggregations have the same id"
    if not any(agg.get("schema") == "metric" for agg in aggregations):
        yield "no aggregation has the schema metric: the panel shows nothing"
    for agg in aggregations:
        yield from _aggregation(agg, kind, set(ids), known)
    yield from check_order(state, interface, product)
    yield from check_colors(state, interface)
    if kind == "table":
        yield from check_columns(table_of(state, known), width)


def _aggregation(
    agg: JsonObject, kind: str, ids: set[str], known: Mapping[str, FieldType]
) -> Iterator[str]:
    subject = f"aggregation {agg.get('id')}"
    if agg.get("schema") not in SCHEMAS[kind]:
        yield f"{subject}: a {kind} has no schema {agg.get('schema')}"
    parameters = agg.get("params", {})
    aggregation = str(agg.get("type"))
    field = parameters.get("field")
    if field is not None:
        wanted: tuple[str, ...] = ()
        if aggregation == "date_histogram":
            wanted = ("date",)
        elif aggregation in _NUMBERS:
            wanted = ("number",)
        for text in check_field(str(field), known, wanted=wanted):
            yield f"{subject}: {text}"
    elif aggregation != "count" and aggregation != "filters":
        yield f"{subject}: {aggregation} names no field"
    if parameters.get("missingBucket") and known.get(str(field), _TEXT).kind != "string":
        yield f"{subject}: missingBucket works for text only; for {field} the search fails"
    if aggregation == "terms":
        ordered = str(parameters.get("orderBy", "_key"))
        if ordered not in ("_key", "_term", "custom") and ordered.split(".")[0] not in ids:
            yield f"{subject}: ordered by {ordered}, which does not exist"
    if aggregation in _KEYED and agg.get("schema") == "metric":
        yield f"{subject}: {aggregation} is not a metric"


def check_search(
    attributes: JsonObject, known: Mapping[str, FieldType], size: tuple[int, int] | None
) -> Iterator[str]:
    """Yield unknown columns and sort fields of a saved search, which silently show nothing, and
    columns that its panel hides.

    :param size: columns and rows of the grid that it has on its dashboard, if it is on one.
    """
    columns = [column for column in attributes.get("columns", []) if isinstance(column, str)]
    kinds = {name: known[name].kind for name in columns if name in known}
    yield from check_columns(stream_columns(columns, kinds), size[0] if size else None)
    for column in columns:
        if column not in known and column != "_source":
            yield f"no field {column} in the mapping: its column stays empty"
    for entry in attributes.get("sort", []):
        name = entry[0] if isinstance(entry, list) and entry else entry
        if isinstance(name, str) and name in ("asc", "desc"):
            continue
        if name not in known:
            yield f"no field {name} to sort by in the mapping"
