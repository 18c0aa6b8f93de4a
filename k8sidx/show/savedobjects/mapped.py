"""Fields of a mapping, as index patterns list them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldType:
    """A field of a mapping.

    :param kind: ``string``, ``number``, ``date``, ``boolean``, ``ip`` or another.
    :param aggregatable: whether it has doc values.
    :param mapped: its type in the mapping, for example ``keyword``.
    """

    kind: str
    aggregatable: bool
    mapped: str = ""


_KINDS = {
    "keyword": "string", "constant_keyword": "string", "wildcard": "string", "text": "text",
    "match_only_text": "text", "long": "number", "integer": "number", "short": "number",
    "double": "number", "float": "number", "date": "date", "date_nanos": "date",
    "boolean": "boolean", "ip": "ip",
}  # fmt: skip


def field_of(kinds: Collection[str]) -> FieldType | None:
    """Return a field from its types in the mappings of all indices; ``None`` for an object."""
    if len(kinds) != 1:
        return FieldType("conflict", aggregatable=False) if kinds else None
    (mapped,) = kinds
    if mapped in ("object", "nested"):
        return None
    kind = _KINDS.get(mapped, mapped)
    return FieldType(kind, kind != "text", mapped)


def mapped_fields(properties: Mapping[str, Any], above: str = "") -> dict[str, FieldType]:
    """Return all fields of a mapping's ``properties`` by path, with multi-fields and aliases."""
    fields: dict[str, FieldType] = {}
    aliases: dict[str, str] = {}
    for name, value in properties.items():
        path = f"{above}{name}"
        if "properties" in value:
            fields |= mapped_fields(value["properties"], f"{path}.")
        kind = value.get("type")
        if kind == "alias":
            aliases[path] = value["path"]
        elif kind in _KINDS:
            fields[path] = _type(value)
        for more, inner in value.get("fields", {}).items():
            fields[f"{path}.{more}"] = _type(inner)
    fields |= {path: fields[target] for path, target in aliases.items() if target in fields}
    # An alias may point to a field elsewhere in the mapping: only the caller has all of it.
    fields |= {
        path: FieldType(f"alias:{target}", aggregatable=False)
        for path, target in aliases.items()
        if target not in fields
    }
    return fields if above else _resolved(fields)


def _resolved(fields: dict[str, FieldType]) -> dict[str, FieldType]:
    return {
        path: fields.get(field.kind.removeprefix("alias:"), field)
        if field.kind.startswith("alias:")
        else field
        for path, field in fields.items()
    }


def _type(value: Mapping[str, Any]) -> FieldType:
    kind = _KINDS.get(value["type"], value["type"])
    aggregatable = kind != "text" and value.get("doc_values", True) is not False
    return FieldType(kind, aggregatable, value["type"])
