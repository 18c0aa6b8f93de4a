"""The events behind findings, for people to read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from k8sidx.backends.protocol import Engine
from k8sidx.hunt.result import Finding
from k8sidx.query.algebra import OneOf, Order, Query

MOST_IDS = 5000
"""auditIDs that are looked up; the most urgent findings' first."""

_FIELDS = ("auditID", "@timestamp", "message", "source.ip", "userAgent")


@dataclass(frozen=True, slots=True)
class Evidence:
    """One request of a finding.

    :param message: who did what to which object, and the answer.
    """

    audit_id: str
    time: datetime | None
    message: str
    address: str
    agent: str


def evidence_of(engine: Engine, findings: Iterable[Finding]) -> Mapping[str, Evidence]:
    """The last event of each request, by auditID.

    auditIDs may repeat, since clients can choose them; the latest event counts.

    :raises StoreError: when the store cannot be read.
    """
    ids = list(dict.fromkeys(one for finding in findings for one in finding.audit_ids))[:MOST_IDS]
    if not ids:
        return {}
    query = Query(where=OneOf("auditID", tuple(ids)), select=_FIELDS, order=(Order("@timestamp"),))
    found: dict[str, Evidence] = {}
    for identifier, time, message, address, agent in engine.run(query).rows:
        found[str(identifier)] = Evidence(
            str(identifier),
            time if isinstance(time, datetime) else None,
            str(message or ""),
            str(address or ""),
            str(agent or ""),
        )
    return found
