"""The files that come with k8sidx: current, the same bytes each time, nothing wrong in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import orjson
import pytest

from k8sidx.backends.cluster.index.mapping import flat_properties
from k8sidx.show.panels.library import dashboards
from k8sidx.show.panels.panel import Dashboard
from k8sidx.show.savedobjects.check import check_file
from k8sidx.show.savedobjects.export import FLAVORS, export
from k8sidx.show.savedobjects.field_names import known_fields
from k8sidx.show.savedobjects.identifiers import Names
from k8sidx.show.savedobjects.mapped import mapped_fields
from k8sidx.show.savedobjects.search_source import Flavor

OVERVIEW = dashboards()[0]
FOLDER = Path(__file__).parents[3] / "dashboards"
EACH = [(flavor, dashboard) for flavor in FLAVORS for dashboard in dashboards()]
FILES = pytest.mark.parametrize(
    ("flavor", "dashboard"), EACH, ids=lambda one: getattr(one, "id", one)
)


@FILES
def test_a_file_is_current(flavor: Flavor, dashboard: Dashboard) -> None:
    shipped = (FOLDER / flavor / f"{dashboard.id}.ndjson").read_bytes()
    assert shipped == export([dashboard], flavor), "run: make generated"


def test_there_are_no_other_files() -> None:
    found = {one.relative_to(FOLDER).as_posix() for one in FOLDER.rglob("*.ndjson")}
    assert found == {f"{flavor}/{dashboard.id}.ndjson" for flavor, dashboard in EACH}


@FILES
def test_nothing_is_wrong_in_a_file(flavor: Flavor, dashboard: Dashboard) -> None:
    content = export([dashboard], flavor)
    assert check_file(f"{dashboard.id}.ndjson", content, known_fields()) == []


@pytest.mark.parametrize("flavor", FLAVORS)
def test_all_dashboards_in_one_file_are_right_and_each_object_stands_once(flavor: Flavor) -> None:
    content = export(dashboards(), flavor)
    assert check_file("all.ndjson", content, known_fields()) == []
    objects = [orjson.loads(line) for line in content.splitlines()]
    assert objects[-1]["exportedCount"] == len(objects) - 1


def objects_of(dashboard: Dashboard, flavor: Flavor, names: Names | None = None) -> list[Any]:
    return [orjson.loads(line) for line in export([dashboard], flavor, names).splitlines()[:-1]]


def test_other_indices_have_objects_of_their_own() -> None:
    others = objects_of(OVERVIEW, "opensearch", Names("prod_audit"))
    titles = [one["attributes"]["title"] for one in others if one["type"] == "index-pattern"]
    assert titles == ["prod_audit-*", "findings-prod_audit*"]
    ids = {one["id"] for one in others}
    assert not ids & {one["id"] for one in objects_of(OVERVIEW, "opensearch")}
    assert not any("_" in one for one in ids)


@pytest.mark.parametrize("flavor", FLAVORS)
def test_titles_tell_the_objects_of_two_prefixes_apart(flavor: Flavor) -> None:
    def titles(names: Names) -> set[tuple[str, str]]:
        return {(o["type"], o["attributes"]["title"]) for o in objects_of(OVERVIEW, flavor, names)}

    usual, others = titles(Names()), titles(Names("prod"))
    assert ("dashboard", "Kubernetes audit: overview") in usual
    assert ("dashboard", "Kubernetes audit: overview (prod)") in others
    assert not usual & others


@pytest.mark.parametrize("flavor", ["opensearch", "kibana-8"])
def test_a_panel_shows_its_title_without_the_prefix(flavor: Flavor) -> None:
    [*_, dashboard] = objects_of(OVERVIEW, flavor, Names("prod"))
    [_, *panels] = orjson.loads(dashboard["attributes"]["panelsJSON"])
    assert {panel["title"] for panel in panels} >= {"Denied", "By verb", "Events"}


@FILES
def test_no_object_refers_to_anything_outside_its_file(
    flavor: Flavor, dashboard: Dashboard
) -> None:
    objects = [orjson.loads(line) for line in export([dashboard], flavor).splitlines()[:-1]]
    inside = {(one["type"], one["id"]) for one in objects}
    assert {(r["type"], r["id"]) for one in objects for r in one["references"]} <= inside


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield value


def test_links_between_dashboards_lead_to_dashboards() -> None:
    ids = {Names().dashboard(one.id) for one in dashboards()}
    for dashboard in dashboards():
        for text in texts(objects_of(dashboard, "opensearch")):
            for part in text.split("#/view/")[1:]:
                assert re.split(r'[)\\"]', part)[0] in ids


@pytest.mark.parametrize("flavor", ["kibana", "kibana-8"])
def test_links_in_kibana_lead_to_titles(flavor: Flavor) -> None:
    titles = {one.title for one in dashboards()}
    linked = set()
    for dashboard in dashboards():
        for text in texts(objects_of(dashboard, flavor)):
            assert "#/view/" not in text
            linked |= {
                unquote(re.split(r'[)\\"]', part)[0]) for part in text.split("#/list?title=")[1:]
            }
    assert linked == titles


def pattern(flavor: Flavor, *, findings: bool) -> Any:
    identifier = Names().pattern_id(findings=findings)
    dashboard = next(one for one in dashboards() if one.findings)
    return next(o for o in objects_of(dashboard, flavor) if o["id"] == identifier)["attributes"]


@pytest.mark.parametrize("flavor", FLAVORS)
def test_a_finding_leads_to_its_events_and_to_its_hunt(flavor: Flavor) -> None:
    formats = orjson.loads(pattern(flavor, findings=True)["fieldFormatMap"])
    events = formats["finding.query"]["params"]["urlTemplate"]
    assert events.startswith("../app/discover#/?")
    assert f"index:'{Names().pattern_id(findings=False)}'" in events
    assert "query:'{{value}}'" in events
    assert "hunts" in formats["rule.id"]["params"]["urlTemplate"]


def test_a_pattern_lists_the_fields_of_its_indices() -> None:
    listed = {field["name"]: field for field in orjson.loads(
        pattern("opensearch", findings=False)["fields"])}  # fmt: skip
    assert listed.keys() - {"_id", "_index", "_score", "_source"} == set(
        mapped_fields(flat_properties())
    )
    assert listed["source.ip"]["type"] == "ip"
    assert listed["url.original"]["esTypes"] == ["keyword"]
    assert not listed["message.words"]["aggregatable"]
