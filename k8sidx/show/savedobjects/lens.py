"""Panels as Kibana Lens visualizations (``state`` of a Lens embeddable, Kibana 8.12 and newer).

The form is that of Kibana's own configuration builder; a test compares it with a library
that is tested against that builder.
"""

from __future__ import annotations

from typing import Any

from k8sidx.query.algebra import DateHistogram, Key, Metric, Terms
from k8sidx.show.panels.colors import MISSING, colors_of
from k8sidx.show.panels.panel import Panel
from k8sidx.show.savedobjects.columns import fixed_widths
from k8sidx.show.savedobjects.index_fields import OWN_FIELDS, TIME, IndexFields
from k8sidx.show.savedobjects.search_source import (
    empty_query,
    size_of,
    table_columns,
)

JsonObject = dict[str, Any]

LAYER = "layer"
_OPERATIONS = {
    "count": "count",
    "count_distinct": "unique_count",
    "min": "min",
    "max": "max",
    "sum": "sum",
    "avg": "average",
    "percentile": "percentile",
}
_SERIES = {"bars": "bar_horizontal", "timeline": "bar_stacked", "lines": "line"}
PALETTE = "eui_amsterdam_color_blind"


def _colour_mapping(field: str = "") -> JsonObject:
    """Return the colours of a field's values; Kibana's palette for others.

    The form is that of Kibana 8.12, which later versions convert
    (lens/common/content_management/v1/transforms/raw_color_mappings/common/converter.ts).
    """
    return {
        "assignments": [
            {
                "rule": {"type": "matchExactly", "values": [value]},
                "color": {"type": "colorCode", "colorCode": color},
                "touched": True,
            }
            for value, color in colors_of(field).items()
            if value != MISSING
        ],
        "specialAssignments": [
            {"rule": {"type": "other"}, "color": {"type": "loop"}, "touched": False}
        ],
        "paletteId": PALETTE,
        "colorMode": {"type": "categorical"},
    }


def lens_type(panel: Panel) -> str:
    """Return ``visualizationType``."""
    kinds = {"number": "lnsMetric", "pie": "lnsPie", "table": "lnsDatatable"}
    return kinds.get(panel.drawn, "lnsHeatmap" if panel.drawn == "heatmap" else "lnsXY")


def lens_state(
    panel: Panel, filters: list[JsonObject], fields: IndexFields = OWN_FIELDS
) -> JsonObject:
    """Return the ``state`` of the visualization."""
    columns = lens_columns(panel, fields)
    layer = {
        "columns": columns,
        "columnOrder": list(columns),
        "incompleteColumns": {},
        "sampling": 1,
    }
    return {
        "visualization": _visualization(panel, fields),
        "query": empty_query(),
        "filters": filters,
        "datasourceStates": {
            "formBased": {"layers": {LAYER: layer}},
            "indexpattern": {"layers": {}},
            "textBased": {"layers": {}},
        },
        "internalReferences": [],
        "adHocDataViews": {},
    }


def lens_columns(panel: Panel, fields: IndexFields = OWN_FIELDS) -> dict[str, JsonObject]:
    """Return the columns by id: keys first, then metrics."""
    keys = panel.query.group_by
    columns = {f"k{at}": _key(panel, at, key, fields) for at, key in enumerate(keys)}
    columns |= {f"m{at}": _metric(metric, fields) for at, metric in enumerate(panel.query.metrics)}
    return columns


def _key(panel: Panel, at: int, key: Key, fields: IndexFields) -> JsonObject:
    common = {"label": key.column, "customLabel": True, "isBucketed": True}
    if isinstance(key, DateHistogram):
        return {
            **common,
            "dataType": "date",
            "operationType": "date_histogram",
            "scale": "interval",
            "sourceField": fields.path(TIME),
            "params": {"interval": "auto", "includeEmptyRows": True, "dropPartials": False},
        }
    ranked, direction = _ranked(panel)
    parameters = {
        "size": size_of(panel, at),
        "orderBy": {"type": "column", "columnId": ranked},
        "orderDirection": direction,
        # Lens asks for a missing value only together with the others
        # (lens/public/datasources/form_based/operations/definitions/terms/index.tsx).
        "otherBucket": fields.keeps_missing(key),
        "missingBucket": fields.keeps_missing(key),
        "parentFormat": {"id": "terms"},
        "include": [],
        "exclude": [],
        "includeIsRegex": False,
        "excludeIsRegex": False,
    }
    return {
        **common,
        "dataType": fields.kind(key.field),
        "operationType": "terms",
        "scale": "ordinal",
        "sourceField": fields.path(key.field),
        "params": parameters,
    }


def _ranked(panel: Panel) -> tuple[str, str]:
    names = [metric.name for metric in panel.query.metrics]
    for order in panel.query.order:
        if order.column in names:
            direction = "desc" if order.descending else "asc"
            return f"m{names.index(order.column)}", direction
    return "m0", "desc"


def _metric(metric: Metric, fields: IndexFields) -> JsonObject:
    column: JsonObject = {
        "label": metric.name,
        "customLabel": True,
        "dataType": "number",
        "operationType": _OPERATIONS[metric.kind],
        "isBucketed": False,
        "scale": "ratio",
        "sourceField": fields.path(metric.field) if metric.field else "___records___",
        "params": {"emptyAsNull": False},
    }
    if metric.kind == "percentile":
        column["params"] = {"percentile": metric.argument}
    if metric.kind in ("min", "max") and fields.kind(metric.field) == "date":
        column["dataType"] = "date"
    return column


def _visualization(panel: Panel, fields: IndexFields) -> JsonObject:
    keys = [f"k{at}" for at in range(len(panel.query.group_by))]
    metrics = [f"m{at}" for at in range(len(panel.query.metrics))]
    base: JsonObject = {"layerId": LAYER, "layerType": "data"}
    match panel.drawn:
        case "number":
            return {**base, "metricAccessor": metrics[0], "secondaryTrend": {"type": "none"}}
        case "table":
            ranked, direction = _ranked(panel)
            widths = fixed_widths(table_columns(panel, fields))
            listed: list[JsonObject] = [
                {"columnId": column, "isTransposed": False, "isMetric": column in metrics}
                for column in keys + metrics
            ]
            for at, width in widths.items():
                listed[at]["width"] = width
            sorting = {"columnId": ranked, "direction": direction}
            paging = {"size": 10, "enabled": True}
            return {**base, "columns": listed, "sorting": sorting, "paging": paging}
        case "pie":
            layer = {
                **base,
                "primaryGroups": keys,
                "metrics": metrics[:1],
                "colorMapping": _colour_mapping(_field_of(panel, 0)),
                "numberDisplay": "percent",
                "categoryDisplay": "default",
                "legendDisplay": "default",
                "legendPosition": "right",
                "nestedLegend": False,
            }
            return {"shape": "donut", "layers": [layer]}
        case "heatmap":
            return _heatmap(base, keys, metrics[0])
    layer = {
        **base,
        "accessors": metrics[:1],
        "seriesType": _SERIES[panel.drawn],
        "xAccessor": keys[0],
        "position": "top",
        "showGridlines": False,
        "colorMapping": _colour_mapping(_field_of(panel, 1)),
    }
    if len(keys) > 1:
        layer["splitAccessor"] = keys[1]
    return {
        "layers": [layer],
        "preferredSeriesType": _SERIES[panel.drawn],
        "legend": {"position": "right", "isVisible": len(keys) > 1},
        "valueLabels": "hide",
    }


def _field_of(panel: Panel, at: int) -> str:
    keys = panel.query.group_by
    key = keys[at] if at < len(keys) else None
    return key.field if isinstance(key, Terms) else ""


def _heatmap(base: JsonObject, keys: list[str], metric: str) -> JsonObject:
    return {
        **base,
        "shape": "heatmap",
        "xAccessor": keys[0],
        "yAccessor": keys[1],
        "valueAccessor": metric,
        "gridConfig": {
            "type": "heatmap_grid",
            "isCellLabelVisible": False,
            "isXAxisLabelVisible": True,
            "isXAxisTitleVisible": False,
            "isYAxisLabelVisible": True,
            "isYAxisTitleVisible": False,
        },
        "legend": {"type": "heatmap_legend", "isVisible": True, "position": "right"},
    }
