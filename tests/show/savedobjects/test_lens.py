"""Lens panels have the form that Kibana's own builder gives them.

No Kibana runs here. kb-dashboard-core's output is compared with Kibana's LensConfigBuilder by
its authors; it needs Python 3.12, so this runs there only.
"""

from __future__ import annotations

import sys
from typing import Any

import orjson
import pytest

from k8sidx.query.algebra import DateHistogram, Metric
from k8sidx.show.panels.library import dashboards
from k8sidx.show.panels.panel import Panel
from k8sidx.show.savedobjects.index_fields import OWN_FIELDS
from k8sidx.show.savedobjects.lens import LAYER, lens_columns, lens_state, lens_type

PANELS = [p for d in dashboards() for p in d.panels if isinstance(p, Panel)]
EACH = pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.id)
needs_builder = pytest.mark.skipif(
    sys.version_info < (3, 12), reason="kb-dashboard-core, the reference, needs Python 3.12"
)


@EACH
def test_every_column_that_is_shown_is_there(panel: Panel) -> None:
    columns = lens_columns(panel)
    shown = orjson.dumps(lens_state(panel, [])["visualization"]).decode()
    first = len(panel.query.group_by)
    assert all(f'"k{at}"' in shown for at in range(first))
    assert '"m0"' in shown
    assert list(columns) == [f"k{at}" for at in range(first)] + [
        f"m{at}" for at in range(len(panel.query.metrics))
    ]


@EACH
def test_the_columns_ask_what_the_query_asks(panel: Panel) -> None:
    columns = list(lens_columns(panel).values())
    keys, metrics = panel.query.group_by, panel.query.metrics
    for key, column in zip(keys, columns, strict=False):
        field = "@timestamp" if isinstance(key, DateHistogram) else OWN_FIELDS.path(key.field)
        assert (column["sourceField"], column["label"]) == (field, key.column)
        if not isinstance(key, DateHistogram):
            assert column["params"]["missingBucket"] == OWN_FIELDS.keeps_missing(key)
    for metric, column in zip(metrics, columns[len(keys) :], strict=True):
        assert column["label"] == metric.name


@needs_builder
def test_panels_have_the_form_of_the_builder() -> None:
    for panel in PANELS:
        compare(panel)


def compare(panel: Panel) -> None:
    ours, theirs = lens_state(panel, []), built(panel)
    assert lens_type(panel) == theirs["visualizationType"], panel.id
    their_layers = theirs["state"]["datasourceStates"]["formBased"]["layers"]
    [their_layer] = their_layers.values()
    our_layer = ours["datasourceStates"]["formBased"]["layers"][LAYER]
    assert our_layer.keys() == their_layer.keys(), panel.id
    shown = [name for name in our_layer["columnOrder"] if name in their_layer["columns"]]
    assert shown == their_layer["columnOrder"], panel.id
    for name in shown:
        one, other = our_layer["columns"][name], their_layer["columns"][name]
        assert shape(one) == shape(other), (panel.id, name)
    assert ours.keys() == theirs["state"].keys(), panel.id
    mine, other = ours["visualization"], theirs["state"]["visualization"]
    assert set(other) - {"secondaryLabelPosition", "applyColorTo"} <= set(mine), panel.id


def shape(column: dict[str, Any]) -> dict[str, Any]:
    """What Kibana reads of a column, without labels and what is a matter of taste."""
    kept = ("dataType", "operationType", "isBucketed", "scale", "sourceField")
    found = {name: column.get(name) for name in kept}
    if column["sourceField"] == "@timestamp" and column["operationType"] in ("min", "max"):
        del found["dataType"]  # a date; the reference says number
    if column["operationType"] == "terms":
        del found["dataType"]  # the reference does not know the fields' types
    return {**found, "parameters": sorted(column["params"])}


def built(panel: Panel) -> dict[str, Any]:
    """The panel as kb-dashboard-core makes it."""
    from kb_dashboard_core.dashboard.compile import compile_dashboard
    from kb_dashboard_core.loader import DashboardConfig

    chart = reference_chart(panel)
    page = {
        "name": "reference",
        "panels": [
            {"title": panel.title, "size": {"w": 24, "h": 12}, "position": {"x": 0, "y": 0},
             "lens": chart}
        ],
    }  # fmt: skip
    [dashboard] = DashboardConfig.model_validate({"dashboards": [page]}).dashboards
    made = orjson.loads(compile_dashboard(dashboard).model_dump_json(by_alias=True))
    panels = made["attributes"]["panelsJSON"]
    panels = orjson.loads(panels) if isinstance(panels, str) else panels
    found: dict[str, Any] = panels[0]["embeddableConfig"]["attributes"]
    return found


def reference_chart(panel: Panel) -> dict[str, Any]:
    keys = [reference_key(panel, at) for at in range(len(panel.query.group_by))]
    metrics = [reference_metric(at, one) for at, one in enumerate(panel.query.metrics)]
    chart: dict[str, Any] = {"data_view": "k8s-audit"}
    match panel.drawn:
        case "number":
            return {**chart, "type": "metric", "primary": metrics[0]}
        case "table":
            return {**chart, "type": "datatable", "breakdowns": keys, "metrics": metrics}
        case "pie":
            return {**chart, "type": "pie", "breakdowns": keys, "metrics": metrics}
        case "heatmap":
            return {**chart, "type": "heatmap", "x_axis": keys[0], "y_axis": keys[1],
                    "metric": metrics[0]}  # fmt: skip
    chart |= {"type": "line" if panel.drawn == "lines" else "bar", "dimension": keys[0]}
    if len(keys) > 1:
        chart["breakdown"] = keys[1]
    return {**chart, "metrics": metrics[:1]}


def reference_key(panel: Panel, at: int) -> dict[str, Any]:
    key = panel.query.group_by[at]
    if isinstance(key, DateHistogram):
        return {"type": "date_histogram", "field": "@timestamp", "id": f"k{at}"}
    return {"type": "values", "field": OWN_FIELDS.path(key.field), "id": f"k{at}"}


def reference_metric(at: int, metric: Metric) -> dict[str, Any]:
    made: dict[str, Any] = {"id": f"m{at}"}
    kinds = {"count_distinct": "unique_count", "avg": "average"}
    made["aggregation"] = kinds.get(metric.kind, metric.kind)
    if metric.field:
        made["field"] = OWN_FIELDS.path(metric.field)
    if metric.kind == "percentile":
        made["percentile"] = int(metric.argument)
    return made
