"""Fields that saved objects name, against the mapping of the indices they are about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FieldType:
    """A field of a mapping.

    :param kind: ``string``, ``number``, ``date``, ``boolean``, ``ip`` or another.
    :param aggregatable: it has doc values.
    """

    kind: str
    aggregatable: bool


_KINDS = {
    "keyword": "string", "constant_keyword": "string", "wildcard": "string", "text": "text",
    "match_only_text": "text", "long": "number", "integer": "number", "short": "number",
    "double": "number", "float": "number", "date": "date", "date_nanos": "date",
    "boolean": "boolean", "ip": "ip",
}  # fmt: skip


def mapped_fields(properties: Mapping[str, Any], above: str = "") -> dict[str, FieldType]:
    """All fields of a mapping's ``properties``, by path, multi-fields and aliases included."""
    found: dict[str, FieldType] = {}
    aliases: dict[str, str] = {}
    for name, value in properties.items():
        path = f"{above}{name}"
        if "properties" in value:
            found |= mapped_fields(value["properties"], f"{path}.")
        kind = value.get("type")
        if kind == "alias":
            aliases[path] = value["path"]
        elif kind in _KINDS:
            found[path] = _type(value)
        for more, inner in value.get("fields", {}).items():
            found[f"{path}.{more}"] = _type(inner)
    found |= {path: found[target] for path, target in aliases.items() if target in found}
    # An alias may point to a field elsewhere in the mapping: the caller sees the whole.
    found |= {
        path: FieldType(f"alias:{target}", aggregatable=False)
        for path, target in aliases.items()
        if target not in found
    }
    return found if above else _resolved(found)


def _resolved(found: dict[str, FieldType]) -> dict[str, FieldType]:
    return {
        path: found.get(one.kind.removeprefix("alias:"), one)
        if one.kind.startswith("alias:")
        else one
        for path, one in found.items()
    }


def _type(value: Mapping[str, Any]) -> FieldType:
    kind = _KINDS.get(value["type"], value["type"])
    return FieldType(kind, kind != "text" and value.get("doc_values", True) is not False)


def check_field(
    name: str, known: Mapping[str, FieldType], *, wanted: tuple[str, ...] = ()
) -> Iterator[str]:
    """Whether a panel can aggregate by a field.

    :param wanted: kinds that will do; empty for any.
    """
    field = known.get(name)
    if field is None:
        yield f"no field {name} in the mapping: the panel shows an error"
    elif not field.aggregatable:
        yield f"the field {name} cannot be aggregated: the panel shows an error"
    elif wanted and field.kind not in wanted:
        yield f"the field {name} is a {field.kind}, not a {' or '.join(wanted)}"


def check_pattern(attributes: JsonObject) -> Iterator[str]:
    """An index pattern names indices, and a time field when it has events."""
    if not attributes.get("title"):
        yield "no title: an index pattern is its title"
    if not attributes.get("timeFieldName"):
        yield "no timeFieldName: the time picker does not work"
