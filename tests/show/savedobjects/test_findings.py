"""Given findings that were saved to OpenSearch, every panel of the findings dashboard shows
something of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.index.target import findings_index, parse_target
from k8sidx.backends.cluster.store import ClusterStore
from k8sidx.backends.connection import ConnectionSettings
from k8sidx.hunt.findings.saving import save
from k8sidx.hunt.library.load import load_hunts
from k8sidx.hunt.result import Finding, HuntResult
from k8sidx.show.panels.library import dashboards
from k8sidx.show.panels.panel import Dashboard, Panel
from k8sidx.show.savedobjects.export import dashboard_objects
from k8sidx.show.savedobjects.identifiers import Names
from tests.building import START
from tests.servers.fixtures import unique_prefix
from tests.show.savedobjects.browser import shown

HUNTS = load_hunts(["secret_read_burst", "cluster_admin_binding", "pod_exec"])
PANELS = [
    (dashboard, panel)
    for dashboard in dashboards()
    for panel in dashboard.panels
    if isinstance(panel, Panel) and dashboard.about_findings(panel)
]
NONE_CRITICAL = "findings-critical-total"


@pytest.fixture(scope="module")
def saved(opensearch: Cluster) -> Iterator[str]:
    prefix = unique_prefix()
    store = ClusterStore(opensearch.url, parse_target(prefix), ConnectionSettings())
    results = []
    for hunt in HUNTS:
        key = {"user.effective.name": "erin", "source.ip": "192.0.2.7"}
        finding = Finding(hunt.id, "high", dict(key), 3, START, START, "It happened.", ("a",))
        results.append(
            HuntResult(hunt.id, hunt.title, "high", "opensearch", True, (), [], [finding])
        )
    save(store, HUNTS, results, datetime.now(UTC))
    yield prefix
    opensearch.request("DELETE", f"/{findings_index(prefix)}")


@pytest.mark.parametrize(("dashboard", "panel"), PANELS, ids=lambda one: one.id)
def test_a_panel_shows_saved_findings(
    dashboard: Dashboard, panel: Panel, saved: str, opensearch: Cluster
) -> None:
    names = Names(saved)
    objects = dashboard_objects(dashboard, "opensearch", names)
    visualization = next(one for one in objects if one["id"] == names.panel(panel.id))
    rows = shown(opensearch, names.pattern(findings=True), visualization)
    assert rows
    assert all(all(values) for values in rows.values()) or panel.id == NONE_CRITICAL
