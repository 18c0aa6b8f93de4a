"""Evidence of findings: their requests, for display."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from k8sidx.backends.protocol import Engine
from k8sidx.hunt.result import Finding
from k8sidx.query.algebra import OneOf, Order, Query

MAX_IDS = 5000
"""auditIDs that are looked up; those of the first findings, by urgency."""

_FIELDS = ("auditID", "@timestamp", "message", "source.ip", "userAgent")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A request of a finding.

    :param message: caller, verb, object and response code as text.
    """

    audit_id: str
    time: datetime | None
    message: str
    address: str
    agent: str


def evidence_of(engine: Engine, findings: Iterable[Finding]) -> Mapping[str, Evidence]:
    """Return the last event of each request, by auditID.

    auditIDs may repeat, since clients can choose them; the latest event counts.

    :raises StoreError: when the store cannot be read.
    """
    ids = list(dict.fromkeys(audit_id for finding in findings for audit_id in finding.audit_ids))[
        :MAX_IDS
    ]
    if not ids:
        return {}
    query = Query(where=OneOf("auditID", tuple(ids)), select=_FIELDS, order=(Order("@timestamp"),))
    evidence: dict[str, Evidence] = {}
    for identifier, time, message, address, agent in engine.run(query).rows:
        evidence[str(identifier)] = Evidence(
            str(identifier),
            time if isinstance(time, datetime) else None,
            str(message or ""),
            str(address or ""),
            str(agent or ""),
        )
    return evidence
