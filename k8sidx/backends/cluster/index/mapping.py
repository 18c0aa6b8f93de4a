"""The mapping of our indices, from the field table.

Nothing is mapped by guessing: ``dynamic`` is false, so an unknown field is kept in the source
and never adds to the mapping, and what holds JSON lies in one object that is not read at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from k8sidx.backends.cluster.index.document import AUDIT, ORDER, epoch_path, position_path
from k8sidx.events.fields.lookup import BY_NAME
from k8sidx.events.fields.table import FIELDS, Field, Kind

Properties = dict[str, Any]

AS_TEXT = "keyword"
"""Subfield that holds an address as the audit log has it."""

WORDS = "words"
"""Subfield of ``message`` that finds the words of a line."""

_RARELY_ASKED = frozenset({ORDER, "event.duration", "requestReceivedTimestamp", "stageTimestamp"})
"""Numbers that are sorted and grouped by, and seldom a condition: those are answered by doc
values then, which saves 28 bytes an event."""

_FROM_ID = "event.id"
"""The one field that is no field of a document: it is the document's id."""


def mapping(meta: Mapping[str, Any]) -> Properties:
    """The whole mapping.

    :param meta: what it says of itself.
    """
    return {"_meta": dict(meta), "dynamic": False, "properties": _nested(flat_properties())}


def mapping_of(fields: Iterable[Field], meta: Mapping[str, Any]) -> Properties:
    """The mapping of an index that has these fields and no others; JSON is kept, not read."""
    kept = {"type": "object", "enabled": False}
    flat = {one.name: kept if one.kind is Kind.JSON else _property(one) for one in fields}
    return {"_meta": dict(meta), "dynamic": False, "properties": _nested(flat)}


def flat_properties() -> Properties:
    """What is mapped, by dotted name."""
    found: Properties = {AUDIT: {"type": "object", "enabled": False}}
    for field in FIELDS:
        if field.kind is Kind.JSON or field.name == _FROM_ID:
            continue
        found[field.name] = _property(field)
        if field.kind is Kind.TIME:
            found[epoch_path(field.name)] = _number(field.name)
        for position in range(field.positions):
            found[position_path(field.name, position)] = _keyword(field.length)
    found[ORDER] = _number(ORDER)
    for field in FIELDS:
        if field.ecs and field.ecs not in BY_NAME:
            found[field.ecs] = {"type": "alias", "path": field.name}
    return found


def field_count(properties: Properties) -> int:
    """Fields as a server counts them against ``index.mapping.total_fields.limit``: objects,
    aliases and subfields count as well."""
    count = 0
    for one in properties.values():
        count += 1 + field_count(one.get("properties", {})) + len(one.get("fields", {}))
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
    """A keyword for values of so many characters: servers count UTF-16 units, and a character
    can take two."""
    return {"type": "keyword", "ignore_above": 2 * length}


def _words() -> Properties:
    return {"type": "text", "norms": False}


def _nested(flat: Properties) -> Properties:
    tree: Properties = {}
    for name, one in flat.items():
        *above, last = name.split(".")
        level = tree
        for step in above:
            level = level.setdefault(step, {}).setdefault("properties", {})
        level[last] = one
    return tree
