"""Documents of single events, with their neighbours and findings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from k8sidx.hunt.result import Finding
from k8sidx.investigate.lookup import Neighbours
from k8sidx.investigate.requests import Request
from k8sidx.investigate.saved import SavedFinding
from k8sidx.show.render.formats.json import followed_up
from k8sidx.show.render.requests import caller


def event_document(
    events: Sequence[dict[str, Any]],
    requests: Sequence[Request],
    near: Neighbours | None,
    saved: Sequence[SavedFinding],
    findings: Sequence[Finding],
) -> dict[str, Any]:
    """Return events in full as one document.

    :param events: as the API server wrote them, one for each stage.
    :param findings: of hunts that ran over these events.
    """
    return {
        "summary": [f"{caller(request)} {request.text}" for request in requests],
        "events": list(events),
        "findings": [followed_up(finding) for finding in findings],
        "saved_findings": [item.document() for item in saved],
        "before": [_line(request) for request in near.before] if near else [],
        "after": [_line(request) for request in near.after] if near else [],
    }


def without_managed_fields(events: Sequence[dict[str, Any]]) -> bool:
    """Remove ``metadata.managedFields`` from the bodies of events, as kubectl does.

    :returns: whether there were any.
    """
    removed = False
    for event in events:
        for body in (event.get("requestObject"), event.get("responseObject")):
            items = body.get("items") if isinstance(body, dict) else None
            objects = [body, *items] if isinstance(items, list) else [body]
            for item in objects:
                metadata = item.get("metadata") if isinstance(item, dict) else None
                if isinstance(metadata, dict) and metadata.pop("managedFields", None):
                    removed = True
    return removed


def _line(request: Request) -> dict[str, Any]:
    return {
        "time": request.time,
        "who": caller(request),
        "from": request.address or None,
        "did": request.text,
        "auditID": request.audit_id,
    }
