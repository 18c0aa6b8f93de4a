"""Given the demo's log in a cluster, a dashboard's panel shows the numbers of its query: the ones
that hunts and reports show, too; also where events lack a field."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.index.target import parse_target
from k8sidx.backends.cluster.store import ClusterStore
from k8sidx.backends.connection import ConnectionSettings
from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Value
from k8sidx.query.algebra import DateHistogram, Terms
from k8sidx.show.panels.library import dashboards
from k8sidx.show.panels.panel import Panel
from k8sidx.show.savedobjects.export import dashboard_objects
from k8sidx.show.savedobjects.identifiers import Names
from k8sidx.show.savedobjects.search_source import Flavor
from tests.building import event
from tests.demo import DEMO
from tests.servers.cleaning import remove_all
from tests.servers.fixtures import unique_prefix
from tests.shipping.clusters import shipped
from tests.show.panels.test_panels import MAY_BE_ZERO
from tests.show.savedobjects.browser import lens_shown, shown

CASES = [
    (dashboard.id, panel)
    for dashboard in dashboards()
    if not dashboard.findings
    for panel in dashboard.panels
    if isinstance(panel, Panel) and not panel.findings
]
EACH = pytest.mark.parametrize(
    ("dashboard", "panel"), CASES, ids=lambda one: getattr(one, "id", one)
)
TOLERANCE = {"count_distinct": 0.02, "percentile": 0.5}
"""What dashboards estimate where hunts count: percentiles of few values are far apart, since
the one interpolates between them otherwise than the other."""
COMPARED = 10
"""Rows of a table that a person sees first."""


INCOMPLETE = [
    event(seconds=at, name="", namespace="", resource="nodes", verb="list") for at in range(40)
]
"""Requests about objects of the cluster, without a namespace, a name, and a cluster's name."""


class Demo(NamedTuple):
    """The demo's log, and incomplete events, in a cluster."""

    cluster: Cluster
    prefix: str
    engine: Engine


def filled(cluster: Cluster, folder: Path) -> Iterator[Demo]:
    prefix = unique_prefix()
    shipped(cluster.url, prefix, Path(DEMO), folder=folder, cluster="demo")
    file = folder / "incomplete.jsonl"
    file.write_bytes(b"".join(orjson.dumps(one) + b"\n" for one in INCOMPLETE))
    shipped(cluster.url, prefix, file, folder=folder)
    cluster.request("POST", f"/{prefix}-*/_refresh")
    store = ClusterStore(cluster.url, parse_target(prefix), ConnectionSettings())
    with store.engine() as engine:
        yield Demo(cluster, prefix, engine)
    remove_all(cluster, prefix)


@pytest.fixture(scope="module")
def in_opensearch(opensearch: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    yield from filled(opensearch, tmp_path_factory.mktemp("numbers"))


@pytest.fixture(scope="module")
def in_elasticsearch(
    elasticsearch: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Demo]:
    yield from filled(elasticsearch, tmp_path_factory.mktemp("numbers"))


@cache
def objects_of(dashboard: str, flavor: Flavor, prefix: str) -> list[dict[str, Any]]:
    of = next(one for one in dashboards() if one.id == dashboard)
    return dashboard_objects(of, flavor, Names(prefix))


def compared(dashboard: str, panel: Panel, demo: Demo, flavor: Flavor) -> None:
    """Compare what a panel shows with the rows of its query."""
    names = Names(demo.prefix)
    objects = objects_of(dashboard, flavor, demo.prefix)
    index = names.pattern(findings=False)
    if flavor == "kibana":
        panels = orjson.loads(objects[-1]["attributes"]["panelsJSON"])
        lens = next(one["embeddableConfig"]["attributes"] for one in panels
                    if one["embeddableConfig"].get("title") == panel.title
                    and "attributes" in one["embeddableConfig"])  # fmt: skip
        seen = lens_shown(demo.cluster, index, lens)
    else:
        visualization = next(one for one in objects if one["id"] == names.panel(panel.id))
        seen = shown(demo.cluster, index, visualization)
    width = len(panel.query.group_by)
    asked = [
        (_key(row[:width]), [_number(value) for value in row[width:]])
        for row in demo.engine.run(panel.query).rows
    ]
    if panel.id not in MAY_BE_ZERO:
        assert asked
    over_time = bool(width) and isinstance(panel.query.group_by[0], DateHistogram)
    incomplete = [row for row in asked if None in row[0]][:COMPARED]
    found = 0
    for key, numbers in asked if over_time else asked[:COMPARED] + incomplete:
        if over_time and key not in seen:
            continue  # a series beyond those that are told apart by colour
        for metric, one, other in zip(panel.query.metrics, seen[key], numbers, strict=True):
            assert _number(one) == pytest.approx(other, rel=TOLERANCE.get(metric.kind, 0)), key
        found += 1
    assert found or not asked


@EACH
def test_a_panel_of_opensearch_dashboards_shows_the_numbers_of_its_query(
    dashboard: str, panel: Panel, in_opensearch: Demo
) -> None:
    compared(dashboard, panel, in_opensearch, "opensearch")


@EACH
def test_a_lens_panel_shows_the_numbers_of_its_query(
    dashboard: str, panel: Panel, in_elasticsearch: Demo
) -> None:
    compared(dashboard, panel, in_elasticsearch, "kibana")


def test_incomplete_events_are_in_the_tables(in_elasticsearch: Demo) -> None:
    """Kibana left them out until the panels asked for them as it wants."""
    panels = [
        panel
        for _, panel in CASES
        if any(isinstance(key, Terms) and key.keep_missing for key in panel.query.group_by)
    ]
    shown_missing = [
        panel.id
        for panel in panels
        if any(None in row[: len(panel.query.group_by)]
               for row in in_elasticsearch.engine.run(panel.query).rows)
    ]  # fmt: skip
    assert {"by-decision", "clusters", "deletions"} <= set(shown_missing)


def _key(values: tuple[Value, ...]) -> tuple[Any, ...]:
    return tuple(_number(one) if isinstance(one, datetime) else one for one in values)


def _number(value: Any) -> Any:
    """Times as milliseconds, as dashboards have them."""
    if isinstance(value, datetime):
        return int(value.timestamp() * 1000)
    return 0 if value is None else value
