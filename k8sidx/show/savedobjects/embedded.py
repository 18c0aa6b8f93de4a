"""JSON embedded as text in the JSON of saved objects."""

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
"""Attributes that contain JSON as text, by type."""
_NEEDED = {("visState",), ("panelsJSON",)}
_REFERENCE_NAMES = ("indexRefName", "panelRefName", "indexPatternRefName", "savedSearchRefName")


@dataclass(slots=True)
class Embedded:
    """Values that an object contains as JSON text.

    :ivar values: the parsed values, by attribute (``visState``, ``panelsJSON``, …).
    :ivar names: names of the references in use.
    :ivar faults: a sentence for each value that cannot be parsed.
    """

    values: dict[str, Any] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)


def read_embedded(obj: JsonObject) -> Embedded:
    """Parse all JSON text in an object's attributes."""
    embedded = Embedded()
    for path in _TEXTS.get(obj["type"], ()):
        value: Any = obj["attributes"]
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        name = ".".join(path)
        if value is None:
            if path in _NEEDED:
                embedded.faults.append(f"no {name}: it opens empty")
            continue
        if not isinstance(value, str):
            embedded.faults.append(f"{name} is not a string: the import refuses the object")
            continue
        try:
            embedded.values[name] = orjson.loads(value)
        except orjson.JSONDecodeError as error:
            embedded.faults.append(f"{name} is not JSON ({error}): it is imported but never opens")
    for value in (obj["attributes"], *embedded.values.values()):
        embedded.names.update(_named(value))
    return embedded


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _named(item)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key in _REFERENCE_NAMES and isinstance(inner, str):
                # Newer dashboards name panel_x for the reference x:panel_x.
                index = value.get("panelIndex")
                prefixed = key == "panelRefName" and index and inner == f"panel_{index}"
                yield f"{index}:{inner}" if prefixed and "type" in value else inner
            else:
                yield from _named(inner)
