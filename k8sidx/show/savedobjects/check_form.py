"""The outer form of saved objects: kinds, versions and attributes that a server takes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

JsonObject = dict[str, Any]

_TWO_UUIDS = re.compile(r"^[0-9a-f-]{36}_[0-9a-f-]{36}$")


@dataclass(frozen=True, slots=True)
class Form:
    """What a product takes.

    :param types: kinds of objects, each with the highest version known; ``None`` for those
        that have none.
    :param attributes: of kinds whose attributes are strict: all that they may have.
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
"""OpenSearch Dashboards 2.19.4, tried out: what it refuses, it refuses by these."""

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


def check_form(one: JsonObject, form: Form) -> Iterator[str]:
    """Whether a server would take the object at all."""
    kind = one["type"]
    if _TWO_UUIDS.match(one["id"]):
        yield "the id is two UUIDs joined by _: it is read as the id of a data source"
    if kind not in form.types:
        yield f"{form.product} does not know the type {kind}: it refuses the object"
        return
    versions = one.get("migrationVersion") or {}
    said = versions.get(kind) or one.get("typeMigrationVersion")
    highest = form.types[kind]
    if said is None and highest is not None:
        yield "no version of its form: every migration is run over it"
    elif said and highest and _version(said) > _version(highest):
        yield f"version {said} is newer than {highest}: the import refuses the whole file"
    allowed = form.attributes.get(kind)
    if allowed is not None:
        for name in sorted(set(one["attributes"]) - allowed):
            yield f"the attribute {name} is not known: the import refuses the object"
    if not one["attributes"].get("title") and kind in form.attributes:
        yield "no title: nobody will find it"


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text))
