"""Dashboards over an index that another program filled show its own fields, or are left out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.show.panels.library import dashboards
from k8sidx.show.savedobjects.check import check_file
from k8sidx.show.savedobjects.index_fields import IndexFields, read_fields
from k8sidx.show.savedobjects.search_source import Flavor
from tests.backends.cluster.shippers import LAYOUTS, fill
from tests.building import event
from tests.cli.conftest import k8sidx
from tests.servers.cleaning import remove_all
from tests.servers.fixtures import unique_prefix
from tests.show.savedobjects.browser import shown

OF_EVENTS = [dashboard.id for dashboard in dashboards() if not dashboard.has_findings]


@pytest.fixture(scope="module")
def filebeat(opensearch: Cluster) -> Iterator[str]:
    """An index of Filebeat's, with events below ``json``; two of them by an impersonated user."""
    prefix = unique_prefix()
    shape = LAYOUTS["Filebeat, under json"]
    bodies = [
        event(["get", "create", "delete"][n % 3], ["pods", "secrets"][n % 2], seconds=n,
              code=[200, 403][n % 2], name=f"n{n}")
        for n in range(12)
    ]  # fmt: skip
    bodies += [event(seconds=20 + n, impersonatedUser={"username": "carol"}) for n in range(2)]
    fill(opensearch, f"{prefix}-1", [shape.document(body) for body in bodies], shape)
    yield f"{prefix}-*"
    remove_all(opensearch, prefix)


@pytest.fixture(scope="module")
def fields(opensearch: Cluster, filebeat: str) -> IndexFields:
    found = read_fields(opensearch, filebeat)
    assert found is not None
    return found


@pytest.mark.parametrize("flavor", ["opensearch", "kibana"])
def test_exported_panels_name_only_fields_of_the_index(
    opensearch: Cluster, filebeat: str, fields: IndexFields, flavor: Flavor
) -> None:
    words = ["--store", opensearch.url, "--index", filebeat, "--flavor", flavor]
    ended = k8sidx("dashboards", "export", *OF_EVENTS, *words)
    assert ended.exit_code == 0, ended.stderr
    assert "panels left out: " in ended.stderr
    assert "-v lists them" in ended.stderr
    problems = check_file("x.ndjson", ended.stdout.encode(), fields.listed(), flavor)
    assert [problem.text for problem in problems] == []


def test_exported_panels_show_the_events_of_the_index(opensearch: Cluster, filebeat: str) -> None:
    words = ["--store", opensearch.url, "--index", filebeat]
    ended = k8sidx("dashboards", "export", "overview", *words, "-v")
    objects = [orjson.loads(line) for line in ended.stdout.splitlines()]
    panels = [obj for obj in objects if is_panel_of_events(obj)]
    assert len(panels) >= 5
    filled = [obj for obj in panels if shown(opensearch, filebeat, obj)]
    assert len(filled) >= 5
    assert "left out: Kubernetes audit: overview / " in ended.stderr
    assert "user.username instead of user.effective.name" in ended.stderr


def is_panel_of_events(obj: dict[str, Any]) -> bool:
    return (
        obj.get("type") == "visualization"
        and any(reference["id"].endswith("events-pattern") for reference in obj["references"])
        and bool(orjson.loads(obj["attributes"]["visState"])["aggs"])
    )


def test_export_for_a_pattern_that_was_not_looked_at_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = k8sidx("dashboards", "export", "overview", "--index", "filebeat-*")
    assert ended.exit_code == 0
    assert "filebeat-* was not looked at" in ended.stderr


def test_export_for_an_index_without_audit_fields_is_refused(
    opensearch: Cluster, prefix: str
) -> None:
    shape = LAYOUTS["Fluent Bit, raw"]
    fill(opensearch, f"{prefix}-1", [shape.document(event())], shape)
    words = ["--store", opensearch.url, "--index", f"{prefix}-*"]
    ended = k8sidx("dashboards", "export", *words)
    assert ended.exit_code == 3
    assert "holds no audit events that can be searched" in ended.stderr
