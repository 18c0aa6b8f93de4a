"""Given the demo's log in OpenSearch, a dashboard's panel shows the numbers of its query: the
ones that hunts and reports show, too."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.index.target import parse_target
from k8sidx.backends.cluster.store import ClusterStore
from k8sidx.backends.connection import ConnectionSettings
from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Value
from k8sidx.query.algebra import DateHistogram
from k8sidx.show.panels.library import dashboards
from k8sidx.show.panels.panel import Panel
from k8sidx.show.savedobjects.export import dashboard_objects
from k8sidx.show.savedobjects.identifiers import Names
from tests.demo import DEMO
from tests.servers.cleaning import remove_all
from tests.servers.fixtures import unique_prefix
from tests.shipping.clusters import shipped
from tests.show.panels.test_panels import MAY_BE_ZERO
from tests.show.savedobjects.browser import shown

CASES = [
    (dashboard.id, panel)
    for dashboard in dashboards()
    if not dashboard.findings
    for panel in dashboard.panels
    if isinstance(panel, Panel)
]
TOLERANCE = {"count_distinct": 0.02, "percentile": 0.5}
"""What dashboards estimate where hunts count: percentiles of few values are far apart, since
the one interpolates between them otherwise than the other."""
COMPARED = 10
"""Rows of a table that a person sees first."""


class Demo(NamedTuple):
    """The demo's log in a cluster."""

    cluster: Cluster
    prefix: str
    engine: Engine


@pytest.fixture(scope="module")
def demo(opensearch: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    prefix = unique_prefix()
    folder = tmp_path_factory.mktemp("numbers")
    shipped(opensearch.url, prefix, Path(DEMO), folder=folder, cluster="demo")
    opensearch.request("POST", f"/{prefix}-*/_refresh")
    store = ClusterStore(opensearch.url, parse_target(prefix), ConnectionSettings())
    with store.engine() as engine:
        yield Demo(opensearch, prefix, engine)
    remove_all(opensearch, prefix)


@pytest.mark.parametrize(("dashboard", "panel"), CASES, ids=lambda one: getattr(one, "id", one))
def test_a_panel_shows_the_numbers_of_its_query(dashboard: str, panel: Panel, demo: Demo) -> None:
    names = Names(demo.prefix)
    of = next(one for one in dashboards() if one.id == dashboard)
    objects = dashboard_objects(of, "opensearch", names)
    visualization = next(one for one in objects if one["id"] == names.panel(panel.id))
    seen = shown(demo.cluster, names.pattern(findings=False), visualization)
    width = len(panel.query.group_by)
    asked = [
        (_key(row[:width]), [_number(value) for value in row[width:]])
        for row in demo.engine.run(panel.query).rows
    ]
    if panel.id not in MAY_BE_ZERO:
        assert asked
    over_time = bool(width) and isinstance(panel.query.group_by[0], DateHistogram)
    compared = 0
    for key, numbers in asked if over_time else asked[:COMPARED]:
        if over_time and key not in seen:
            continue  # a series beyond those that are told apart by colour
        for metric, one, other in zip(panel.query.metrics, seen[key], numbers, strict=True):
            assert _number(one) == pytest.approx(other, rel=TOLERANCE.get(metric.kind, 0)), key
        compared += 1
    assert compared or not asked


def _key(values: tuple[Value, ...]) -> tuple[Any, ...]:
    return tuple(_number(one) if isinstance(one, datetime) else one for one in values)


def _number(value: Any) -> Any:
    """Times as milliseconds, as dashboards have them."""
    if isinstance(value, datetime):
        return int(value.timestamp() * 1000)
    return 0 if value is None else value
