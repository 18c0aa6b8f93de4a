"""The mapping of our indices, from the field table.

Nothing is mapped by guessing: ``dynamic`` is false, so an unknown field is kept in the source
and never adds to the mapping, and what holds JSON lies in one object that is not read at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from k8sidx.backends.cluster.index.document import (
    AUDIT,
    ORDER,
    epoch_path,
    position_path,
    text_path,
)
from k8sidx.events.fields.lookup import BY_NAME
from k8sidx.events.fields.table import FIELDS, Field, Kind

Properties = dict[str, Any]

AS_TEXT = "keyword"
"""Subfield with an address exactly as in the audit log."""

WORDS = "words"
"""Subfield of ``message`` for full-text search."""

_RARELY_ASKED = frozenset({ORDER, "event.duration", "requestReceivedTimestamp", "stageTimestamp"})
"""Numbers that are sorted and grouped by, and seldom filtered: filters use doc values, which saves
28 bytes per event."""

_FROM_ID = "event.id"
"""The only field that is not a field of documents, but their id."""


def mapping(meta: Mapping[str, Any]) -> Properties:
    """Return the complete mapping.

    :param meta: its ``_meta``.
    """
    return {"_meta": dict(meta), "dynamic": False, "properties": _nested(flat_properties())}


def mapping_of(fields: Iterable[Field], meta: Mapping[str, Any]) -> Properties:
    """Return the mapping of an index with these fields only; JSON is stored, not indexed."""
    kept = {"type": "object", "enabled": False}
    flat = {field.name: kept if field.kind is Kind.JSON else _property(field) for field in fields}
    return {"_meta": dict(meta), "dynamic": False, "properties": _nested(flat)}


def flat_properties() -> Properties:
    """Return the properties by dotted name."""
    flat: Properties = {AUDIT: {"type": "object", "enabled": False}}
    for field in FIELDS:
        if field.kind is Kind.JSON or field.name == _FROM_ID:
            continue
        flat[field.name] = _property(field)
        if field.kind is Kind.TIME:
            flat[epoch_path(field.name)] = _number(field.name)
        if field.point:
            flat[text_path(field.name)] = _keyword(field.length)
            flat[field.name] = {"type": "geo_point", "ignore_malformed": True}
        for position in range(field.positions):
            flat[position_path(field.name, position)] = _keyword(field.length)
    flat[ORDER] = _number(ORDER)
    for field in FIELDS:
        if field.ecs and field.ecs not in BY_NAME:
            flat[field.ecs] = {"type": "alias", "path": field.name}
    return flat


def field_count(properties: Properties) -> int:
    """Return the number of fields as a server counts them against
    ``index.mapping.total_fields.limit``: objects, aliases and subfields count as well."""
    count = 0
    for mapped in properties.values():
        count += 1 + field_count(mapped.get("properties", {})) + len(mapped.get("fields", {}))
    return count


def _property(field: Field) -> Properties:
    if field.name == "message":
        return {**_keyword(field.length), "fields": {WORDS: _words()}}
    if field.kind is Kind.KEYWORD:
        return _keyword(field.length)
    if field.kind is Kind.ADDRESS:
        as_text = {AS_TEXT: _keyword(field.length)}
        return {"type": "ip", "ignore_malformed": True, "fields": as_text}
    if field.kind is Kind.TIME:
        return {**_number(field.name), "type": "date", "ignore_malformed": True}
    if field.kind is Kind.BOOLEAN:
        return {"type": "boolean"}
    return _number(field.name)


def _number(name: str) -> Properties:
    return {"type": "long", "index": False} if name in _RARELY_ASKED else {"type": "long"}


def _keyword(length: int) -> Properties:
    """Return a keyword for values of a number of characters: servers count UTF-16 units, of which a
    character can have two."""
    return {"type": "keyword", "ignore_above": 2 * length}


def _words() -> Properties:
    return {"type": "text", "norms": False}


def _nested(flat: Properties) -> Properties:
    tree: Properties = {}
    for name, mapped in flat.items():
        *above, last = name.split(".")
        level = tree
        for step in above:
            level = level.setdefault(step, {}).setdefault("properties", {})
        level[last] = mapped
    return tree
