"""Fields of k8sidx's own indices, for the checker."""

from __future__ import annotations

from functools import cache

from k8sidx.backends.cluster.index.mapping import flat_properties
from k8sidx.events.fields.findings import FINDING_ONLY
from k8sidx.events.fields.table import Kind
from k8sidx.show.savedobjects.index_fields import field_type
from k8sidx.show.savedobjects.mapped import FieldType, mapped_fields


@cache
def known_fields() -> dict[str, FieldType]:
    """Return the fields of events, including ECS names, and of findings, by path."""
    fields = mapped_fields(flat_properties())
    for field in FINDING_ONLY:
        if field.kind is not Kind.JSON:
            fields[field.name] = FieldType(field_type(field.name), aggregatable=True)
    return fields
