"""Requests behind findings, for sentences about what happened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from k8sidx.backends.protocol import Engine
from k8sidx.hunt.result import Finding
from k8sidx.investigate.requests import Request, read_requests
from k8sidx.investigate.scope import Period
from k8sidx.query.algebra import OneOf

MOST = 400
"""Findings whose requests are looked up: more than a screen shows."""


def requests_behind(engine: Engine, findings: Iterable[Finding]) -> Mapping[str, Request]:
    """Return the requests of findings about a single request, by auditID.

    An auditID that several requests have is left out: clients can choose it.

    :raises StoreError: when the store cannot be read.
    """
    ids = dict.fromkeys(
        finding.audit_ids[0]
        for finding in findings
        if finding.count == 1 and len(finding.audit_ids) == 1
    )
    chosen = tuple(ids)[:MOST]
    if not chosen:
        return {}
    by_id: dict[str, list[Request]] = {}
    for request in read_requests(engine, OneOf("auditID", chosen), Period()).rows:
        by_id.setdefault(request.audit_id, []).append(request)
    return {key: requests[0] for key, requests in by_id.items() if len(requests) == 1}
