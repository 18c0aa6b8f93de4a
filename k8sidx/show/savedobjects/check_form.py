"""Checks of the outer form of saved objects: types, versions and attributes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from k8sidx.show.savedobjects.products import MEMBERS, Attributes, Kind, Product

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
        yield from _refused(attributes, known, version or "0", "attribute")
        for name, members in MEMBERS.items():
            value = attributes.get(name)
            if name in known.kinds and isinstance(value, dict):
                yield from _refused(value, members, version or "0", f"member of {name}")
    if not attributes.get("title") and kind in product.types:
        yield "no title: it cannot be found in the list"


def _refused(attributes: JsonObject, known: Attributes, version: str, what: str) -> Iterator[str]:
    """Yield unknown names, names of later versions, missing ones and values of other kinds."""
    refusal = f"the import refuses the object ({known.source})"
    for name in sorted(attributes):
        introduced = known.introduced(name)
        if introduced is None:
            yield f"unknown {what} {name}: {refusal}"
            continue
        since, kind = introduced
        if since and _version(version) < _version(since):
            yield (
                f"the {what} {name} came with version {since}, the object has {version}: {refusal}"
            )
        elif not _is_of(attributes[name], kind):
            yield f"the {what} {name} is not {_KINDS[kind]}: {refusal}"
    for name in sorted(known.required - attributes.keys()):
        if name != "title":
            yield f"no {what} {name}: {refusal}"


_KINDS: dict[Kind, str] = {
    "text": "a text",
    "any text": "a text",
    "number": "a number",
    "flag": "true or false",
    "list": "a list",
    "object": "an object",
}


def _is_of(value: Any, kind: Kind) -> bool:
    """Whether a value is accepted as one of a kind; both products convert text."""
    match kind:
        case "text":
            return isinstance(value, str)
        case "any text":
            return not isinstance(value, dict)
        case "number":
            return not isinstance(value, bool) and _is_number(value)
        case "flag":
            return value in (True, False, "true", "false")
        case "list":
            return isinstance(value, list)
    return isinstance(value, dict)


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text))
