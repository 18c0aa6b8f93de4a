"""Checks of the outer form of saved objects: types, versions and attributes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

JsonObject = dict[str, Any]

_TWO_UUIDS = re.compile(r"^[0-9a-f-]{36}_[0-9a-f-]{36}$")


@dataclass(frozen=True, slots=True)
class Form:
    """Saved objects that a product accepts.

    :param types: types of objects, each with the highest known version; ``None`` for types
        without versions.
    :param attributes: the permitted attributes of types that have a strict set of them.
    """

    product: str
    types: Mapping[str, str | None]
    attributes: Mapping[str, frozenset[str]]


CLASSIC = Form(
    "OpenSearch Dashboards",
    {
        "config": "7.9.0",
        "dashboard": "7.9.3",
        "index-pattern": "7.6.0",
        "search": "7.9.3",
        "visualization": "7.10.0",
        "query": None,
        "url": None,
        "augment-vis": None,
        "visualization-visbuilder": None,
    },
    {
        "dashboard": frozenset(
            {
                "title",
                "description",
                "hits",
                "panelsJSON",
                "optionsJSON",
                "version",
                "timeRestore",
                "timeFrom",
                "timeTo",
                "refreshInterval",
                "kibanaSavedObjectMeta",
            }
        ),
        "visualization": frozenset(
            {
                "title",
                "description",
                "visState",
                "uiStateJSON",
                "version",
                "savedSearchRefName",
                "kibanaSavedObjectMeta",
            }
        ),
        "search": frozenset(
            {"title", "description", "hits", "columns", "sort", "version", "kibanaSavedObjectMeta"}
        ),
    },
)
"""Rules of OpenSearch Dashboards 2.19.4, found by trying them out."""

KIBANA = Form(
    "Kibana",
    {
        "config": None,
        "dashboard": "10.2.0",
        "index-pattern": "8.0.0",
        "search": "10.5.0",
        "visualization": "8.5.0",
        "lens": "8.9.0",
        "map": None,
        "tag": None,
        "links": None,
        "query": None,
        "url": None,
    },
    {},
)


def check_form(obj: JsonObject, form: Form) -> Iterator[str]:
    """Yield what makes a server refuse the object."""
    kind = obj["type"]
    if _TWO_UUIDS.match(obj["id"]):
        yield "the id is two UUIDs joined by _: it is taken for the id of a data source"
    if kind not in form.types:
        yield f"{form.product} has no type {kind}: it refuses the object"
        return
    versions = obj.get("migrationVersion") or {}
    version = versions.get(kind) or obj.get("typeMigrationVersion")
    highest = form.types[kind]
    if version is None and highest is not None:
        yield "no version: every migration runs on it"
    elif version and highest and _version(version) > _version(highest):
        yield f"version {version} is newer than {highest}: the import refuses the whole file"
    allowed = form.attributes.get(kind)
    if allowed is not None:
        for name in sorted(set(obj["attributes"]) - allowed):
            yield f"unknown attribute {name}: the import refuses the object"
    if not obj["attributes"].get("title") and kind in form.attributes:
        yield "no title: it cannot be found in the list"


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text))
