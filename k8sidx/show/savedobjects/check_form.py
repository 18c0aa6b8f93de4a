"""Checks of the outer form of saved objects: types, versions and attributes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from k8sidx.show.savedobjects.products import CONTROL_GROUP, Attributes, Product

JsonObject = dict[str, Any]

_TWO_UUIDS = re.compile(r"^[0-9a-f-]{36}_[0-9a-f-]{36}$")


def check_form(obj: JsonObject, product: Product) -> Iterator[str]:
    """Yield what makes a server refuse the object."""
    kind = obj["type"]
    if _TWO_UUIDS.match(obj["id"]):
        yield "the id is two UUIDs joined by _: it is taken for the id of a data source"
    if kind not in product.types:
        yield f"{product.name} has no type {kind}: it refuses the object"
        return
    versions = obj.get("migrationVersion") or {}
    version = versions.get(kind) or obj.get("typeMigrationVersion")
    highest = product.types[kind]
    if version is None and highest is not None:
        yield "no version: every migration runs on it"
    elif version and highest and _version(version) > _version(highest):
        yield f"version {version} is newer than {highest}: the import refuses the whole file"
    attributes = obj["attributes"]
    known = product.attributes.get(kind)
    if known is not None:
        yield from _unknown(attributes, known, version or "0", "attribute")
    controls = attributes.get("controlGroupInput")
    if isinstance(controls, dict):
        yield from _unknown(controls, CONTROL_GROUP, version or "0", "member of controlGroupInput")
    if not attributes.get("title") and kind in product.types:
        yield "no title: it cannot be found in the list"


def _unknown(attributes: JsonObject, known: Attributes, version: str, what: str) -> Iterator[str]:
    for name in sorted(attributes):
        since = known.introduced(name)
        if since is None:
            yield f"unknown {what} {name}: the import refuses the object ({known.source})"
        elif since and _version(version) < _version(since):
            yield (
                f"the {what} {name} came with version {since}, the object has {version}: the "
                f"import refuses the object ({known.source})"
            )


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text))
