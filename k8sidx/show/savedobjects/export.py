"""Dashboards → NDJSON files for import."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from k8sidx.show.panels.library import dashboards
from k8sidx.show.panels.panel import Dashboard
from k8sidx.show.savedobjects.classic_objects import classic_objects
from k8sidx.show.savedobjects.common import Flavor, JsonObject, ndjson
from k8sidx.show.savedobjects.identifiers import Names
from k8sidx.show.savedobjects.lens_objects import lens_objects

FLAVORS: tuple[Flavor, ...] = ("opensearch", "kibana", "kibana-8")


def dashboard_objects(
    dashboard: Dashboard, flavor: Flavor, names: Names | None = None
) -> list[JsonObject]:
    """The saved objects of one dashboard; they need no other file."""
    names = names or Names()
    if flavor == "kibana":
        return lens_objects(dashboard, dashboards(), names)
    return classic_objects(dashboard, dashboards(), names, flavor)


def export(chosen: Sequence[Dashboard], flavor: Flavor, names: Names | None = None) -> bytes:
    """One file with the dashboards; each object once."""
    objects: dict[tuple[str, str], JsonObject] = {}
    for dashboard in chosen:
        for one in dashboard_objects(dashboard, flavor, names):
            objects.setdefault((one["type"], one["id"]), one)
    return ndjson(list(objects.values()))


def write_all(folder: Path) -> None:
    """The files that come with k8sidx, a dashboard each: ``dashboards/<flavor>/<id>.ndjson``."""
    for flavor in FLAVORS:
        target = folder / flavor
        target.mkdir(parents=True, exist_ok=True)
        for dashboard in dashboards():
            (target / f"{dashboard.id}.ndjson").write_bytes(export([dashboard], flavor))


if __name__ == "__main__":
    write_all(Path(sys.argv[1]))
