"""Saved objects of OpenSearch Dashboards and Kibana: what both products have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import orjson

from k8sidx.backends.cluster.engine.filters import ConditionCompiler
from k8sidx.backends.cluster.index.mapping import mapping_of
from k8sidx.backends.cluster.schema.profile import OwnProfile
from k8sidx.events.fields.findings import FINDING_ONLY, FROM_EVENTS
from k8sidx.events.fields.lookup import BY_NAME, resolve
from k8sidx.events.fields.table import FIELDS, Field, Kind
from k8sidx.query.algebra import Always, Condition, DateHistogram, OneOf, Terms
from k8sidx.show.panels.conditions import PEOPLE
from k8sidx.show.panels.panel import Dashboard, Panel
from k8sidx.show.savedobjects.filter_labels import condition_text
from k8sidx.show.savedobjects.identifiers import Names

Flavor: TypeAlias = Literal["opensearch", "kibana", "kibana-8"]
"""``kibana-8`` is the classic form for Kibana 8; ``kibana`` the Lens form for Kibana 9."""

JsonObject: TypeAlias = dict[str, Any]

PATTERN = "index-pattern"
FIELDS_OF_FINDINGS = tuple(
    field
    for field in (*(BY_NAME[name] for name in FROM_EVENTS), *FINDING_ONLY)
    if field.kind is not Kind.JSON
)
SOURCE = "kibanaSavedObjectMeta.searchSourceJSON"
PLATFORM = "Hide the platform's own identities"
"""Label of the filter that every dashboard of events has, switched off."""
OUTER = 100
"""Values of each key but the last in nested aggregations: so many that the most frequent
combinations are among them."""
SERIES = 10
"""Values that are told apart by colour."""

_FORMATS: dict[str, JsonObject] = {
    "event.duration": {
        "id": "duration",
        "params": {
            "inputFormat": "nanoseconds",
            "outputFormat": "humanizePrecise",
            "outputPrecision": 1,
            "useShortSuffix": True,
        },
    },
    "event.bytes": {"id": "bytes", "params": {}},
    "responseStatus.code": {"id": "number", "params": {"pattern": "0"}},
}


def json_text(value: Any) -> str:
    """JSON inside JSON, as saved objects hold it; the same bytes each time."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def ndjson(objects: Sequence[JsonObject]) -> bytes:
    """An export file: an object a line, and the summary that both products end it with."""
    summary = {"exportedCount": len(objects), "missingRefCount": 0, "missingReferences": []}
    return b"".join(
        orjson.dumps(one, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
        for one in (*objects, summary)
    )


def pattern_attributes(names: Names, *, findings: bool) -> JsonObject:
    """Attributes of an index pattern (a data view, in Kibana's words).

    That of events lists no fields: both products then ask the indices. That of findings lists
    its own, so that the dashboard opens before any were saved.
    """
    known = {field.name for field in (FINDING_ONLY if findings else FIELDS)}
    formats = {name: form for name, form in _FORMATS.items() if name in known}
    attributes: JsonObject = {
        "title": names.pattern(findings=findings),
        "timeFieldName": "@timestamp",
    }
    if findings:
        attributes["fields"] = json_text([_listed(field) for field in FIELDS_OF_FINDINGS])
        attributes["allowNoIndex"] = True
    if formats:
        attributes["fieldFormatMap"] = json_text(formats)
    return attributes


def _listed(field: Field) -> JsonObject:
    """A field as OpenSearch Dashboards keeps it in an index pattern."""
    mapped = mapping_of([field], {})["properties"]
    for step in field.name.split("."):
        mapped = mapped[step] if step in mapped else mapped["properties"][step]
    return {
        "name": field.name,
        "type": field_type(field.name),
        "esTypes": [mapped["type"]],
        "count": 0,
        "scripted": False,
        "searchable": True,
        "aggregatable": True,
        "readFromDocValues": True,
    }


def pattern_reference(names: Names, name: str, *, findings: bool) -> JsonObject:
    """A reference to the index pattern."""
    return {"name": name, "type": PATTERN, "id": names.pattern_id(findings=findings)}


def empty_query() -> JsonObject:
    """What stands in the search bar at first."""
    return {"query": "", "language": "kuery"}


def source_of(
    where: Condition, names: Names, *, findings: bool
) -> tuple[JsonObject, list[JsonObject]]:
    """What a saved object searches, and its references to the index pattern."""
    index = f"{SOURCE}.index"
    filtered = f"{SOURCE}.filter[0].meta.index"
    filters = filters_of(where, filtered)
    references = [
        pattern_reference(names, name, findings=findings)
        for name in (index, *([filtered] if filters else []))
    ]
    return {"query": empty_query(), "filter": filters, "indexRefName": index}, references


def shown_filter(
    condition: Condition, index_reference: str, *, label: str = "", disabled: bool = False
) -> JsonObject:
    """A filter of the search bar that holds what the condition says, as the hunts ask it.

    :param index_reference: name of the reference to the index pattern.
    :param label: what it is called; what it says, without one.
    """
    query = ConditionCompiler(OwnProfile()).condition(condition).to_dict()
    return {
        "$state": {"store": "appState"},
        "meta": {
            "alias": label or condition_text(condition),
            "disabled": disabled,
            "indexRefName": index_reference,
            "key": "query",
            "negate": False,
            "type": "custom",
            "value": json_text(query),
        },
        "query": query,
    }


def filters_of(condition: Condition, index_reference: str) -> list[JsonObject]:
    """The filters of a panel."""
    if isinstance(condition, Always):
        return []
    return [shown_filter(condition, index_reference)]


def switch(index_reference: str) -> JsonObject:
    """The filter of a dashboard that leaves people, when it is switched on."""
    people = OneOf("user.kind", (*_values(PEOPLE), "unknown"))
    return shown_filter(people, index_reference, label=PLATFORM, disabled=True)


def _values(condition: Condition) -> tuple[Any, ...]:
    if not isinstance(condition, OneOf):
        raise TypeError("people are told by a list of kinds")
    return condition.values


def links(dashboards: Sequence[Dashboard], here: Dashboard, names: Names) -> str:
    """What a dashboard is for, and the way to the others, as Markdown."""
    others = " · ".join(
        f"**{_short(one)}**"
        if one is here
        else f"[{_short(one)}](#/view/{names.dashboard(one.id)})"
        for one in dashboards
    )
    return f"{others}\n\n{here.about}"


def _short(dashboard: Dashboard) -> str:
    name = dashboard.title.partition(": ")[2] or dashboard.title
    return name[0].upper() + name[1:]


def size_of(panel: Panel, at: int) -> int:
    """How many values of a key a panel asks for.

    :param at: which key, from 0.
    """
    keys = panel.query.group_by
    if at + 1 < len(keys) and not isinstance(keys[0], DateHistogram):
        return OUTER
    return panel.query.limit or SERIES


def shown_field(name: str) -> str:
    """The path that dashboards aggregate by; for an element of a list, that element's."""
    path = resolve(name)
    return path.field.name if path.position is None else OwnProfile().paths(path).group


def keeps_missing(key: Terms) -> bool:
    """Whether events without the field get a row: both products have that for text only."""
    return key.keep_missing and field_type(key.field) == "string"


def field_type(name: str) -> str:
    """Type of a field in index patterns: string, number, date, boolean or ip."""
    return {
        "keyword": "string",
        "address": "ip",
        "integer": "number",
        "boolean": "boolean",
        "time": "date",
    }[resolve(name).field.kind.value]
