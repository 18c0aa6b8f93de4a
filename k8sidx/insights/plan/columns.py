"""Source columns: the parts of an event that names in a query read."""

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
    JsonPath,
    Plan,
    RawMessage,
    Source,
    Stored,
    event_expressions,
    sources_of,
)

_OPEN = (
    *(field.name for field in MOVED if field.kind is Kind.JSON),
    "responseStatus.metadata",
    "authenticationMetadata",
)
"""Objects of an Event with arbitrary members; the last two have no field."""
_EVENT = frozenset({"kind", "apiVersion", "objectRef", "user", "impersonatedUser"})
"""Parts of an Event that are not fields themselves."""
_NAMES = (MESSAGE, *(field.name for field in FIELDS), *ALIASES, *ECS)
"""Names that may have been meant: those of events, not those of findings alone."""
CLOUDWATCH: dict[str, str | None] = {
    "@logStream": "kube-apiserver-audit",
    "@log": None,
    "@ingestionTime": None,
    "@ptr": None,
}
"""Fields that CloudWatch adds, with their values here: all events are of the audit log, as
in the streams that EKS calls ``kube-apiserver-audit-…``; the others are missing."""


def source_of_name(name: Name) -> Source:
    """Return the source that a name reads of an event, found as CloudWatch finds fields in JSON.

    :raises QueryError: when an event has no such field; suggests the nearest.
    """
    text = name.text
    if text == MESSAGE:
        return RawMessage()
    path = _field(text)
    if path is None:
        return _json_path(name)
    if path.field.kind is Kind.JSON:
        return JsonPath(path.field.name)
    if path.field not in FIELDS:
        raise _unknown(name)
    return Stored(path, text)


def _field(text: str) -> FieldPath | None:
    try:
        return resolve(text)
    except UnknownField:
        return None


def _json_path(name: Name) -> JsonPath:
    text = name.text
    if text in _EVENT or any(text.startswith(f"{item}.") for item in _OPEN):
        return JsonPath(text)
    head, _, last = text.rpartition(".")
    if last.isdecimal() and (field := BY_NAME.get(head)) is not None and field.many and field.audit:
        return JsonPath(text)
    raise _unknown(name)


def _unknown(name: Name) -> QueryError:
    return QueryError(
        f"there is no field {name.text!r}",
        name.position,
        nearest=nearest(name.text, _NAMES),
        remedy="All fields are in docs/fields.md; a text stands in quotes.",
    )


def columns_of(source: Source) -> tuple[str, ...] | None:
    """Return the stored fields that a source is read from; ``None`` for the whole event."""
    if isinstance(source, Stored):
        return (source.name,)
    if not isinstance(source, JsonPath):
        return None
    return (*(field.name for field in MOVED if _touches(field, source.path)), REST)


def _touches(field: Field, path: str) -> bool:
    return (
        path == field.name or path.startswith(f"{field.name}.") or field.name.startswith(f"{path}.")
    )


WHOLE_EVENT = (*(field.name for field in MOVED), REST)
"""Stored fields that make up the whole event."""


def columns_needed(plan: Plan) -> frozenset[str] | None:
    """Return the stored fields that a query reads; ``None`` when it reads whole events."""
    needed: set[str] = set()
    for expression in event_expressions(plan):
        for source in sources_of(expression):
            columns = columns_of(source)
            if columns is None:
                return None
            needed.update(resolve(name).field.name for name in columns)
    return frozenset(needed)


def value_at_path(event: Any, path: str) -> Any:
    """Return the value at a JSON path; keys may contain dots, digits are places in arrays."""
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
            inner = value[path[:end]]
            inner = _walk(inner, path[end + 1 :]) if end < len(path) else inner
            if inner is not None:
                return inner
    return None


def _ends(path: str) -> Iterable[int]:
    """Yield where a key that begins a path can end, longest first."""
    yield len(path)
    for position in range(len(path) - 1, 0, -1):
        if path[position] == ".":
            yield position
