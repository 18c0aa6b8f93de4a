"""Search sources, filters, columns and NDJSON of saved objects, alike in both products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import orjson

from k8sidx.query.algebra import Always, Condition, DateHistogram, Metric, OneOf, Terms
from k8sidx.show.panels.conditions import PEOPLE
from k8sidx.show.panels.panel import Dashboard, Panel
from k8sidx.show.savedobjects.filter_labels import condition_text
from k8sidx.show.savedobjects.identifiers import Names
from k8sidx.show.savedobjects.index_fields import OWN_FIELDS, IndexFields

Flavor: TypeAlias = Literal["opensearch", "kibana", "kibana-8"]
"""``kibana-8`` is the classic form for Kibana 8; ``kibana`` the Lens form for Kibana 9."""

JsonObject: TypeAlias = dict[str, Any]


def _values(condition: Condition) -> tuple[Any, ...]:
    if not isinstance(condition, OneOf):
        raise TypeError("the condition for people is not a list of kinds")
    return condition.values


ALL_PEOPLE = OneOf("user.kind", (*_values(PEOPLE), "unknown"))
"""The condition of the filter :data:`PLATFORM`."""
SOURCE = "kibanaSavedObjectMeta.searchSourceJSON"
PLATFORM = "Hide the platform's own identities"
"""Label of the filter that every dashboard of events has, disabled."""
OUTER_SIZE = 100
"""Values per key, except the last, in nested aggregations: enough to include the most
frequent combinations."""
SERIES = 10
"""Values that colours can distinguish."""


def json_text(value: Any) -> str:
    """Return JSON for a string member of a saved object; the same bytes each time."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def ndjson(objects: Sequence[JsonObject]) -> bytes:
    """Return an export file: one object per line, and the summary line of both products."""
    summary = {"exportedCount": len(objects), "missingRefCount": 0, "missingReferences": []}
    return b"".join(
        orjson.dumps(line, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
        for line in (*objects, summary)
    )


def pattern_reference(names: Names, name: str, *, findings: bool) -> JsonObject:
    """Return a reference to the index pattern."""
    return {"name": name, "type": "index-pattern", "id": names.pattern_id(findings=findings)}


def empty_query() -> JsonObject:
    """Return the initial content of the search bar."""
    return {"query": "", "language": "kuery"}


def source_of(
    where: Condition, names: Names, *, findings: bool
) -> tuple[JsonObject, list[JsonObject]]:
    """Return the search source of a saved object, and its references to the index pattern."""
    index = f"{SOURCE}.index"
    filtered = f"{SOURCE}.filter[0].meta.index"
    filters = filters_of(where, filtered, names.fields_of(findings=findings))
    references = [
        pattern_reference(names, name, findings=findings)
        for name in (index, *([filtered] if filters else []))
    ]
    return {"query": empty_query(), "filter": filters, "indexRefName": index}, references


def shown_filter(
    condition: Condition,
    index_reference: str,
    fields: IndexFields = OWN_FIELDS,
    *,
    label: str = "",
    disabled: bool = False,
) -> JsonObject:
    """Return a filter of the search bar for a condition, compiled as for hunts.

    :param index_reference: name of the reference to the index pattern.
    :param fields: of the indices.
    :param label: its name; without one, the text of the condition.
    """
    query = fields.search(condition)
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


def filters_of(
    condition: Condition, index_reference: str, fields: IndexFields = OWN_FIELDS
) -> list[JsonObject]:
    """Return the filters of a panel."""
    if isinstance(condition, Always):
        return []
    return [shown_filter(condition, index_reference, fields)]


def switches(dashboard: Dashboard, index_reference: str, fields: IndexFields) -> list[JsonObject]:
    """Return the filter of a dashboard of events that keeps only people when it is enabled."""
    if not dashboard.controls or dashboard.findings or fields.lack_of(ALL_PEOPLE):
        return []
    return [shown_filter(ALL_PEOPLE, index_reference, fields, label=PLATFORM, disabled=True)]


def size_of(panel: Panel, position: int) -> int:
    """Return the number of values that a panel requests for a key.

    :param position: of the key, from 0.
    """
    keys = panel.query.group_by
    if position + 1 < len(keys) and not isinstance(keys[0], DateHistogram):
        return OUTER_SIZE
    return panel.query.limit or SERIES


def table_columns(panel: Panel, fields: IndexFields = OWN_FIELDS) -> list[tuple[str, str, str]]:
    """Return field, type and heading of each column; numbers that are counted have no field."""
    keys = [
        (fields.path(key.field), fields.kind(key.field), key.column)
        for key in panel.query.group_by
        if isinstance(key, Terms)
    ]
    return keys + [_metric_column(metric, fields) for metric in panel.query.metrics]


def _metric_column(metric: Metric, fields: IndexFields) -> tuple[str, str, str]:
    kept = metric.kind in ("min", "max") and metric.field
    return (
        (fields.path(metric.field), fields.kind(metric.field), metric.name)
        if kept
        else ("", "number", metric.name)
    )
