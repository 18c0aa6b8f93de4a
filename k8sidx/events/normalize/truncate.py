"""Truncation of values that are longer than an index accepts, in every kind of store.

So the same query gives the same rows wherever the events are. What was cut stays whole in
the event's ``rest``; derived values and those promoted from bodies are whole where they came
from.
"""

from __future__ import annotations

from k8sidx.events.fields.table import FIELDS, Kind
from k8sidx.events.normalize.json_tree import Fields

NESTED = ("user", "impersonatedUser", "objectRef", "responseStatus", "annotations")
"""Keys of an event whose members are fields, named by both."""
LENGTHS = {
    field.name: field.length for field in FIELDS if field.kind in (Kind.KEYWORD, Kind.ADDRESS)
}
"""Longest stored value of each field of text, in characters."""
_MOVED = frozenset(field.name for field in FIELDS if field.audit)


def cut(fields: Fields) -> Fields:
    """Cut what is too long, in place.

    :returns: the whole values of fields that are moved out of the event, under the event's
        own keys.
    """
    whole: Fields = {}
    for name, value in fields.items():
        kind = type(value)
        if kind is str:
            if len(value) <= LENGTHS[name]:
                continue
            fields[name] = value[: LENGTHS[name]]
        elif kind is list:
            length = LENGTHS[name]
            if all(len(item) <= length for item in value):
                continue
            fields[name] = [item[:length] for item in value]
        else:
            continue
        if name in _MOVED:
            put(whole, name, value)
    return whole


def put(event: Fields, name: str, value: object) -> None:
    """Put a field's value where an event has it."""
    head, _, tail = name.partition(".")
    if tail and head in NESTED:
        event.setdefault(head, {})[tail] = value
    else:
        event[name] = value


def merged(event: Fields, rest: Fields) -> Fields:
    """Lay the rest over an event, in place; members of nested objects join."""
    for key, value in rest.items():
        mine = event.get(key)
        if key in NESTED and type(mine) is dict and type(value) is dict:
            event[key] = {**mine, **value}
        else:
            event[key] = value
    return event
