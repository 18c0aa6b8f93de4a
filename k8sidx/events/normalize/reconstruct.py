"""Reconstruction of the whole event from its stored fields: the inverse of normalization.

What redaction replaced stays replaced; keys come in another order than they were sent.
"""

from __future__ import annotations

from typing import Any

import msgspec

from k8sidx.events.decode.event_model import V1
from k8sidx.events.fields.moment import text_of
from k8sidx.events.fields.table import FIELDS, Kind
from k8sidx.events.normalize.truncate import merged, put

REST = "rest"
MOVED = tuple(field for field in FIELDS if field.audit and field.name != REST)
"""Fields that values of an event are moved to; :data:`REST` has the others."""


def whole_event(row: dict[str, Any]) -> dict[str, Any]:
    """An audit.k8s.io/v1 Event as a JSON object.

    :param row: stored fields (moments as microseconds since 1970, JSON as text or bytes);
        missing values may be absent or ``None``.
    """
    event: dict[str, Any] = {"kind": "Event", "apiVersion": V1}
    for field in MOVED:
        value = row.get(field.name)
        if value is None or (field.many and not value):
            continue
        if field.kind is Kind.TIME:
            value = text_of(value)
        elif field.kind is Kind.JSON:
            value = msgspec.json.decode(value)
        if field.name == "annotations":
            event.setdefault("annotations", {}).update(value)
        else:
            put(event, field.name, value)
    if event.get("objectRef", {}).get("apiGroup") == "core":
        del event["objectRef"]["apiGroup"]
    rest = row.get(REST)
    return merged(event, msgspec.json.decode(rest)) if rest else event
