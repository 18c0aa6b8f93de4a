"""The files that come with k8sidx: current, the same bytes each time, nothing wrong in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from k8sidx.show.panels.library import dashboards
from k8sidx.show.panels.panel import Dashboard
from k8sidx.show.savedobjects.check import check_file
from k8sidx.show.savedobjects.common import Flavor
from k8sidx.show.savedobjects.export import FLAVORS, export
from k8sidx.show.savedobjects.field_names import known_fields
from k8sidx.show.savedobjects.identifiers import Names

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


def test_other_indices_have_objects_of_their_own() -> None:
    names = Names("prod_audit")
    [pattern, *others] = [
        orjson.loads(line) for line in export([dashboards()[0]], "opensearch", names).splitlines()
    ]
    assert pattern["attributes"]["title"] == "prod_audit-*"
    ids = {one["id"] for one in others if "id" in one}
    usual = {
        orjson.loads(x).get("id") for x in export([dashboards()[0]], "opensearch").splitlines()
    }
    assert not ids & usual
    assert not any("_" in one for one in ids)


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
        for line in export([dashboard], "opensearch").splitlines():
            for text in texts(orjson.loads(line)):
                for part in text.split("#/view/")[1:]:
                    assert part.split(")")[0] in ids
