"""Names in a query → what they read of an event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from k8sidx.errors import UnknownField
from k8sidx.events.fields.lookup import ALIASES, BY_NAME, ECS, FieldPath, resolve
from k8sidx.events.fields.table import FIELDS, Field, Kind
from k8sidx.events.normalize.reconstruct import MOVED, REST
from k8sidx.insights.language.ast import MESSAGE, Name
from k8sidx.insights.language.diagnostics import QueryError, nearest
from k8sidx.insights.language.functions import plain_json
from k8sidx.insights.plan.logical import (
    Inside,
    Plan,
    Source,
    Stored,
    Whole,
    event_expressions,
    sources_of,
)

_OPEN = (
    *(field.name for field in MOVED if field.kind is Kind.JSON),
    "responseStatus.metadata",
    "authenticationMetadata",
)
"""Objects of an Event whose members are anything; the last two have no field."""
_EVENT = frozenset({"kind", "apiVersion", "objectRef", "user", "impersonatedUser"})
"""Parts of an Event that are no fields themselves."""
CLOUDWATCH: dict[str, str | None] = {
    "@logStream": "kube-apiserver-audit",
    "@log": None,
    "@ingestionTime": None,
    "@ptr": None,
}
"""Fields that CloudWatch adds, and what they are here: all events are those of the audit log, as
in the streams that EKS calls ``kube-apiserver-audit-…``; the others are missing."""


def event_source(name: Name) -> Source:
    """What a name reads of an event, as CloudWatch finds fields in JSON.

    :raises QueryError: when an event has no such field; names the nearest.
    """
    text = name.text
    if text == MESSAGE:
        return Whole()
    path = _field(text)
    if path is None:
        return _inside(name)
    if path.field.kind is Kind.JSON:
        return Inside(path.field.name)
    if path.field not in FIELDS:
        raise _unknown(name)
    return Stored(path, text)


def _field(text: str) -> FieldPath | None:
    try:
        return resolve(text)
    except UnknownField:
        return None


def _inside(name: Name) -> Inside:
    text = name.text
    if text in _EVENT or any(text.startswith(f"{one}.") for one in _OPEN):
        return Inside(text)
    head, _, last = text.rpartition(".")
    if last.isdecimal() and (field := BY_NAME.get(head)) is not None and field.many and field.audit:
        return Inside(text)
    raise _unknown(name)


def _unknown(name: Name) -> QueryError:
    return QueryError(
        f"there is no field {name.text!r}",
        name.place,
        nearest=nearest(name.text, [MESSAGE, *BY_NAME, *ALIASES, *ECS]),
        remedy="All fields are in docs/fields.md; a text stands in quotes.",
    )


def columns_of(source: Source) -> tuple[str, ...] | None:
    """Stored fields that a source is read from; none for all that make up the whole event."""
    if isinstance(source, Stored):
        return (source.name,)
    if not isinstance(source, Inside):
        return None
    return (*(one.name for one in MOVED if _touches(one, source.path)), REST)


def _touches(field: Field, path: str) -> bool:
    return (
        path == field.name or path.startswith(f"{field.name}.") or field.name.startswith(f"{path}.")
    )


WHOLE_EVENT = (*(field.name for field in MOVED), REST)
"""Stored fields that make up the whole event."""


def columns_needed(plan: Plan) -> frozenset[str] | None:
    """Stored fields that a query reads; none when it reads whole events."""
    needed: set[str] = set()
    for one in event_expressions(plan):
        for source in sources_of(one):
            columns = columns_of(source)
            if columns is None:
                return None
            needed.update(resolve(name).field.name for name in columns)
    return frozenset(needed)


def value_inside(event: Any, path: str) -> Any:
    """The value at a JSON path; keys may hold dots, digits are places in arrays."""
    return plain_json(_walk(event, path))


def _walk(value: Any, path: str) -> Any:
    if isinstance(value, list):
        head, _, tail = path.partition(".")
        if not head.isdecimal() or len(head) > 9 or int(head) >= len(value):
            return None
        return _walk(value[int(head)], tail) if tail else value[int(head)]
    if not isinstance(value, Mapping):
        return None
    for end in _ends(path):
        if path[:end] in value:
            found = value[path[:end]]
            found = _walk(found, path[end + 1 :]) if end < len(path) else found
            if found is not None:
                return found
    return None


def _ends(path: str) -> Iterable[int]:
    """Where a key can end that begins a path, longest first."""
    yield len(path)
    for place in range(len(path) - 1, 0, -1):
        if path[place] == ".":
            yield place
