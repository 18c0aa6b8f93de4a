"""The fields of k8sidx's own indices that panels can show, for the checker."""

from __future__ import annotations

from functools import cache

from k8sidx.backends.cluster.index.mapping import flat_properties
from k8sidx.events.fields.findings import FINDING_ONLY
from k8sidx.events.fields.table import Kind
from k8sidx.show.savedobjects.check_fields import FieldType, mapped_fields
from k8sidx.show.savedobjects.common import field_type


@cache
def known_fields() -> dict[str, FieldType]:
    """By path: what the mapping of events has, ECS names included, and the fields of findings."""
    found = mapped_fields(flat_properties())
    for field in FINDING_ONLY:
        if field.kind is not Kind.JSON:
            found[field.name] = FieldType(field_type(field.name), aggregatable=True)
    return found
