"""The JSON inside the JSON of saved objects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

JsonObject = dict[str, Any]

_TEXTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "visualization": (
        ("visState",),
        ("uiStateJSON",),
        ("kibanaSavedObjectMeta", "searchSourceJSON"),
    ),
    "search": (("kibanaSavedObjectMeta", "searchSourceJSON"),),
    "dashboard": (
        ("panelsJSON",),
        ("optionsJSON",),
        ("kibanaSavedObjectMeta", "searchSourceJSON"),
        ("controlGroupInput", "panelsJSON"),
        ("controlGroupInput", "ignoreParentSettingsJSON"),
    ),
    "index-pattern": (("fields",), ("fieldFormatMap",)),
}
"""Attributes that hold JSON as text, by type."""
_NEEDED = {("visState",), ("panelsJSON",)}
_REFERENCE_NAMES = ("indexRefName", "panelRefName", "indexPatternRefName", "savedSearchRefName")


@dataclass(slots=True)
class Embedded:
    """What an object holds as JSON text.

    :ivar values: the parsed values, by attribute (``visState``, ``panelsJSON``, …).
    :ivar names: names of references that it uses.
    :ivar faults: what cannot be read.
    """

    values: dict[str, Any] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)


def read_embedded(one: JsonObject) -> Embedded:
    """Parse all JSON text in an object's attributes."""
    found = Embedded()
    for path in _TEXTS.get(one["type"], ()):
        value: Any = one["attributes"]
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        name = ".".join(path)
        if value is None:
            if path in _NEEDED:
                found.faults.append(f"no {name}: it opens empty")
            continue
        if not isinstance(value, str):
            found.faults.append(f"{name} is no text: the import refuses the object")
            continue
        try:
            found.values[name] = orjson.loads(value)
        except orjson.JSONDecodeError as error:
            found.faults.append(f"{name} is no JSON ({error}): the import takes it, it never opens")
    for value in (one["attributes"], *found.values.values()):
        found.names.update(_named(value))
    return found


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _named(one)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key in _REFERENCE_NAMES and isinstance(inner, str):
                # Newer dashboards say panel_x and mean the reference x:panel_x.
                index = value.get("panelIndex")
                prefixed = key == "panelRefName" and index and inner == f"panel_{index}"
                yield f"{index}:{inner}" if prefixed and "type" in value else inner
            else:
                yield from _named(inner)
