"""Panels as aggregation-based visualizations: OpenSearch Dashboards, and Kibana up to 8.

The form of ``visState`` is that of OpenSearch Dashboards' own editor (saved objects of
version 7.10): a list of aggregations with their roles (``schema``) and the parameters of
the chart.
"""

from __future__ import annotations

from typing import Any

from k8sidx.query.algebra import DateHistogram, Key, Metric, Query, Terms
from k8sidx.show.panels.colors import MISSING, colors_of
from k8sidx.show.panels.panel import Drawn, Panel
from k8sidx.show.savedobjects.columns import fixed_widths
from k8sidx.show.savedobjects.index_fields import OWN_FIELDS, TIME, IndexFields
from k8sidx.show.savedobjects.search_source import size_of, table_columns

JsonObject = dict[str, Any]

_KINDS: dict[str, str] = {
    "count": "count",
    "count_distinct": "cardinality",
    "min": "min",
    "max": "max",
    "sum": "sum",
    "avg": "avg",
    "percentile": "percentiles",
}
_TYPES: dict[Drawn, str] = {
    "number": "metric",
    "bars": "horizontal_bar",
    "pie": "pie",
    "table": "table",
    "timeline": "histogram",
    "lines": "line",
    "heatmap": "heatmap",
}
_SCHEMAS: dict[Drawn, tuple[str, str]] = {
    "number": ("group", "group"),
    "bars": ("segment", "group"),
    "pie": ("segment", "segment"),
    "table": ("bucket", "bucket"),
    "timeline": ("segment", "group"),
    "lines": ("segment", "group"),
    "heatmap": ("segment", "group"),
}
"""Role of the first key, and of the others."""


def visualization_state(panel: Panel, fields: IndexFields = OWN_FIELDS) -> JsonObject:
    """Return ``visState``."""
    aggregations = _aggregations(panel, fields)
    return {
        "title": panel.title,
        "type": _TYPES[panel.drawn],
        "aggs": aggregations,
        "params": _parameters(panel, aggregations),
    }


def interface_state(panel: Panel, fields: IndexFields = OWN_FIELDS) -> JsonObject:
    """Return ``uiStateJSON``: fixed colours, and the order and widths of a table's columns.

    OpenSearch Dashboards and Kibana read the latter two at different places
    (src/plugins/vis_type_table/public/utils/get_table_ui_state.ts and
    src/plugins/vis_types/table/public/utils/use/use_ui_state.ts): both are set.
    """
    if panel.drawn == "table":
        return {"vis": _table_state(panel, fields)} if panel.query.order else {}
    colors = colors_of(_told_apart(panel))
    return {"vis": {"colors": dict(colors)}} if colors else {}


def _table_state(panel: Panel, fields: IndexFields) -> JsonObject:
    first = panel.query.order[0]
    at = panel.query.columns.index(first.column)
    direction = "desc" if first.descending else "asc"
    widths = [
        {"colIndex": position, "width": width}
        for position, width in fixed_widths(table_columns(panel, fields)).items()
    ]
    return {
        "sortColumn": {"colIndex": at, "direction": direction},
        "columnsWidth": widths,
        "params": {
            "sort": {"columnIndex": at, "direction": direction},
            "colWidth": widths,
        },
    }


def _told_apart(panel: Panel) -> str:
    """Return the field whose values have colours of their own; empty for none."""
    keys = [key for key in panel.query.group_by if isinstance(key, Terms)]
    if panel.drawn in ("timeline", "lines") and keys:
        return keys[0].field
    return keys[0].field if panel.drawn == "pie" else ""


def _aggregations(panel: Panel, fields: IndexFields) -> list[JsonObject]:
    query = panel.query
    metrics = [_metric(at, metric, fields) for at, metric in enumerate(_shown(panel), 1)]
    ranked = _ranked(query, metrics)
    first, further = _SCHEMAS[panel.drawn]
    keys = [
        _key(
            len(metrics) + at + 1,
            key,
            further if at else first,
            size_of(panel, at),
            ranked,
            fields,
        )
        for at, key in enumerate(query.group_by)
    ]
    return metrics + keys


def _shown(panel: Panel) -> list[Metric]:
    """Return the metrics in the query's order; charts show the first."""
    return [metric for metric in panel.query.metrics if metric.kind in _KINDS]


def _metric(at: int, metric: Metric, fields: IndexFields) -> JsonObject:
    parameters: JsonObject = {"customLabel": metric.name}
    if metric.field:
        parameters["field"] = fields.path(metric.field)
    if metric.kind == "percentile":
        parameters["percents"] = [metric.argument]
    return {
        "id": str(at),
        "enabled": True,
        "type": _KINDS[metric.kind],
        "schema": "metric",
        "params": parameters,
    }


def _ranked(query: Query, metrics: list[JsonObject]) -> tuple[str, str]:
    """Return the id of the metric that terms are ordered by, and the direction."""
    for order in query.order:
        for metric in metrics:
            if metric["params"]["customLabel"] == order.column:
                direction = "desc" if order.descending else "asc"
                percents = metric["params"].get("percents")
                by = f"{metric['id']}.{percents[0]:g}" if percents else metric["id"]
                return by, direction
    return metrics[0]["id"], "desc"


def _key(
    at: int, key: Key, schema: str, size: int, ranked: tuple[str, str], fields: IndexFields
) -> JsonObject:
    common = {"id": str(at), "enabled": True, "schema": schema}
    if isinstance(key, DateHistogram):
        parameters: JsonObject = {
            "field": fields.path(TIME),
            "interval": "auto",
            "useNormalizedOpenSearchInterval": True,
            "drop_partials": False,
            "min_doc_count": 1,
            "extended_bounds": {},
            "customLabel": key.name,
        }
        return {**common, "type": "date_histogram", "params": parameters}
    parameters = {
        "field": fields.path(key.field),
        "orderBy": ranked[0],
        "order": ranked[1],
        "size": size,
        "otherBucket": False,
        "otherBucketLabel": "Other",
        "missingBucket": fields.keeps_missing(key),
        "missingBucketLabel": MISSING,
        "customLabel": key.column,
    }
    return {**common, "type": "terms", "params": parameters}


def _parameters(panel: Panel, aggregations: list[JsonObject]) -> JsonObject:
    match panel.drawn:
        case "number":
            return _number()
        case "pie":
            return _pie()
        case "table":
            return _table()
        case "heatmap":
            return _heatmap()
        case _:
            return _axes(panel, aggregations)


def _number() -> JsonObject:
    style = {"bgFill": "#000", "bgColor": False, "labelColor": False, "subText": "", "fontSize": 36}
    metric = {
        "percentageMode": False,
        "useRanges": False,
        "colorSchema": "Green to Red",
        "metricColorMode": "None",
        "colorsRange": [{"from": 0, "to": 10000}],
        "labels": {"show": True},
        "invertColors": False,
        "style": style,
    }
    return {"addTooltip": True, "addLegend": False, "type": "metric", "metric": metric}


def _pie() -> JsonObject:
    return {
        "type": "pie",
        "addTooltip": True,
        "addLegend": True,
        "legendPosition": "right",
        "isDonut": True,
        "labels": {"show": False, "values": True, "last_level": True, "truncate": 100},
    }


def _table() -> JsonObject:
    return {
        "perPage": 10,
        "showPartialRows": False,
        "showMetricsAtAllLevels": False,
        "sort": {"columnIndex": None, "direction": None},
        "showTotal": False,
        "totalFunc": "sum",
        "percentageCol": "",
    }


def _heatmap() -> JsonObject:
    return {
        "type": "heatmap",
        "addTooltip": True,
        "addLegend": True,
        "enableHover": False,
        "legendPosition": "right",
        "times": [],
        "colorsNumber": 4,
        "colorSchema": "Blues",
        "setColorRange": False,
        "colorsRange": [],
        "invertColors": False,
        "percentageMode": False,
        "valueAxes": [
            {
                "show": False,
                "id": "ValueAxis-1",
                "type": "value",
                "scale": {"type": "linear", "defaultYExtents": False},
                "labels": {"show": False, "rotate": 0, "overwriteColor": False, "color": "black"},
            }
        ],
    }


def _axes(panel: Panel, aggregations: list[JsonObject]) -> JsonObject:
    horizontal = panel.drawn == "bars"
    drawn = "line" if panel.drawn == "lines" else "histogram"
    label = aggregations[0]["params"]["customLabel"]
    return {
        "type": drawn,
        "grid": {"categoryLines": False},
        "categoryAxes": [
            {
                "id": "CategoryAxis-1",
                "type": "category",
                "position": "left" if horizontal else "bottom",
                "show": True,
                "style": {},
                "scale": {"type": "linear"},
                "labels": {
                    "show": True,
                    "filter": not horizontal,
                    "truncate": 40 if horizontal else 100,
                },
                "title": {},
            }
        ],
        "valueAxes": [
            {
                "id": "ValueAxis-1",
                "name": "BottomAxis-1" if horizontal else "LeftAxis-1",
                "type": "value",
                "position": "bottom" if horizontal else "left",
                "show": True,
                "style": {},
                "scale": {"type": "linear", "mode": "normal"},
                "labels": {"show": True, "rotate": 0, "filter": horizontal, "truncate": 100},
                "title": {"text": label},
            }
        ],
        "seriesParams": [
            {
                "show": True,
                "type": drawn,
                "mode": "normal" if drawn == "line" or horizontal else "stacked",
                "data": {"label": label, "id": "1"},
                "valueAxis": "ValueAxis-1",
                "drawLinesBetweenPoints": True,
                "lineWidth": 2,
                "interpolate": "linear",
                "showCircles": True,
            }
        ],
        "addTooltip": True,
        "addLegend": len(panel.query.group_by) > 1,
        "legendPosition": "right",
        "times": [],
        "addTimeMarker": False,
        "labels": {"show": False},
        "thresholdLine": {
            "show": False,
            "value": 10,
            "width": 1,
            "style": "full",
            "color": "#E7664C",
        },
    }
