"""Export of dashboards as NDJSON files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from k8sidx.show.panels.library import dashboards
from k8sidx.show.panels.panel import Dashboard
from k8sidx.show.savedobjects.classic_objects import classic_objects
from k8sidx.show.savedobjects.identifiers import Names
from k8sidx.show.savedobjects.lens_objects import lens_objects
from k8sidx.show.savedobjects.search_source import Flavor, JsonObject, ndjson

FLAVORS: tuple[Flavor, ...] = ("opensearch", "kibana", "kibana-8")


def dashboard_objects(
    dashboard: Dashboard, flavor: Flavor, names: Names | None = None
) -> list[JsonObject]:
    """Return the saved objects of one dashboard, complete without another file."""
    names = names or Names()
    if flavor == "kibana":
        return lens_objects(dashboard, dashboards(), names)
    return classic_objects(dashboard, dashboards(), names, flavor)


def export(chosen: Sequence[Dashboard], flavor: Flavor, names: Names | None = None) -> bytes:
    """Return one file with the dashboards, each object once."""
    objects: dict[tuple[str, str], JsonObject] = {}
    for dashboard in chosen:
        for obj in dashboard_objects(dashboard, flavor, names):
            objects.setdefault((obj["type"], obj["id"]), obj)
    return ndjson(list(objects.values()))


def write_all(folder: Path) -> None:
    """Write the shipped files, one per dashboard: ``dashboards/<flavor>/<id>.ndjson``."""
    for flavor in FLAVORS:
        target = folder / flavor
        target.mkdir(parents=True, exist_ok=True)
        for dashboard in dashboards():
            (target / f"{dashboard.id}.ndjson").write_bytes(export([dashboard], flavor))


if __name__ == "__main__":
    write_all(Path(sys.argv[1]))
