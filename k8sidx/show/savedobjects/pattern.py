"""Index patterns (data views in Kibana): the indices, their fields, and how values look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from k8sidx.backends.cluster.index.mapping import mapping_of
from k8sidx.backends.finding_record import FIELDS as FIELDS_OF_FINDINGS
from k8sidx.events.fields.table import Kind
from k8sidx.show.panels import hunts
from k8sidx.show.panels.panel import Dashboard, Note
from k8sidx.show.savedobjects.discover import discover_url
from k8sidx.show.savedobjects.identifiers import Names
from k8sidx.show.savedobjects.index_fields import TIME as TIME_FIELD
from k8sidx.show.savedobjects.links import address
from k8sidx.show.savedobjects.mapped import FieldType, mapped_fields
from k8sidx.show.savedobjects.search_source import Flavor, JsonObject, json_text

PATTERN = "index-pattern"

TIME = "MMM D HH:mm:ss"
"""Format of times in tables: a dashboard may show several days."""
_INTEGER = {"id": "number", "params": {"pattern": "0"}}
_TIME = {"id": "date", "params": {"pattern": TIME}}
_SHARED: dict[str, JsonObject] = {
    "@timestamp": _TIME,
    # The API server logs requests that it cannot understand with an empty verb.
    "verb": {"id": "static_lookup", "params": {"lookupEntries": [{"key": "", "value": "(none)"}]}},
}
_OF_EVENTS: dict[str, JsonObject] = {
    **_SHARED,
    "event.duration": {
        "id": "duration",
        "params": {
            "inputFormat": "nanoseconds",
            "outputFormat": "asMilliseconds",
            "outputPrecision": 1,
        },
    },
    "event.bytes": {"id": "bytes", "params": {}},
    "responseStatus.code": _INTEGER,
}
_OF_FINDINGS: dict[str, JsonObject] = {
    **_SHARED,
    "event.start": _TIME,
    "event.end": _TIME,
    "event.created": _TIME,
}
_META = {"_id": "string", "_index": "string", "_score": "number", "_source": "_source"}
"""Fields of every document. The products keep them in the list of an index pattern."""


def patterns_of(dashboard: Dashboard) -> tuple[bool, ...]:
    """Return the patterns that a dashboard's file contains: events first, then findings.

    Findings link to their events, so that pattern is always there.
    """
    if all(isinstance(item, Note) for item in dashboard.panels):
        return ()
    return (False, True) if dashboard.has_findings else (False,)


def pattern_attributes(names: Names, flavor: Flavor, *, findings: bool) -> JsonObject:
    """Return the attributes of an index pattern.

    It lists its fields: without them, the first view asks the indices, and fails or reports
    conflicts while there are none.
    """
    formats = dict(_OF_FINDINGS if findings else _OF_EVENTS)
    if findings:
        formats |= _links(names, flavor)
    fields = names.fields_of(findings=findings)
    listed = mapped_fields(_finding_properties()) if findings else fields.listed()
    return {
        "title": names.pattern(findings=findings),
        "timeFieldName": fields.path(TIME_FIELD),
        "fields": json_text(list(_listed(listed))),
        "fieldFormatMap": json_text(
            {name: made for name, made in formats.items() if name in listed or findings}
        ),
        "allowNoIndex": True,
    }


def _links(names: Names, flavor: Flavor) -> dict[str, JsonObject]:
    """Return formats that make links of a finding's events and of its hunt."""
    return {
        "finding.query": {
            "id": "url",
            "params": {
                "type": "a",
                "urlTemplate": discover_url(names.pattern_id(findings=False)),
                "labelTemplate": "show events",
            },
        },
        "rule.id": {
            "id": "url",
            "params": {
                "type": "a",
                "urlTemplate": f"../app/dashboards{address(hunts.ID, hunts.TITLE, names, flavor)}",
                "labelTemplate": "{{value}}",
            },
        },
    }


def _listed(fields: Mapping[str, FieldType]) -> Iterator[JsonObject]:
    """Yield the fields in the form of OpenSearch Dashboards' index patterns."""
    for name, kind in _META.items():
        yield _field(name, kind, name, searchable=name != "_source", aggregatable=False)
    for path, field in sorted(fields.items()):
        kind = "string" if field.kind == "text" else field.kind
        yield _field(path, kind, field.mapped, searchable=True, aggregatable=field.aggregatable)


def _finding_properties() -> dict[str, Any]:
    stored = [field for field in FIELDS_OF_FINDINGS if field.kind is not Kind.JSON]
    properties: dict[str, Any] = mapping_of(stored, {})["properties"]
    return properties


def _field(
    name: str, kind: str, mapped: str, *, searchable: bool, aggregatable: bool
) -> JsonObject:
    return {
        "name": name,
        "type": kind,
        "esTypes": [mapped],
        "count": 0,
        "scripted": False,
        "searchable": searchable,
        "aggregatable": aggregatable,
        "readFromDocValues": aggregatable,
    }
