"""Records of saved findings: ECS names and stable ids.

The id is a digest of the hunt, the finding's key and the UTC day on which it was first seen.
A later run over the same time, or over more of it, updates the finding; on another day a new
one begins.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from k8sidx.backends.finding_record import Record, evidence_query, merged
from k8sidx.backends.result import Value
from k8sidx.events.fields.findings import FROM_EVENTS
from k8sidx.events.fields.lookup import BY_NAME
from k8sidx.events.normalize.event_id import canonical_json
from k8sidx.hunt.attack.tags import tactics_of, techniques_of
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.impersonators import ACTING, CALLER, EFFECTIVE
from k8sidx.hunt.result import Finding

SEVERITY = {"informational": 0, "low": 25, "medium": 50, "high": 75, "critical": 100}
_FROM_KEY = frozenset(FROM_EVENTS) - {"event.id", "@timestamp", "message"}


def record_of(finding: Finding, hunt: Hunt, now: datetime) -> Record:
    """Return the fields of a finding.

    :param hunt: the hunt that found it.
    :param now: the time at which it is saved.
    """
    record: Record = {
        "event.id": finding_id(finding),
        "@timestamp": finding.last_seen or now,
        "message": finding.reason,
        "event.kind": "alert",
        "event.severity": SEVERITY.get(finding.level, SEVERITY["low"]),
        "event.start": finding.first_seen,
        "event.end": finding.last_seen,
        "event.created": now,
        "rule.id": finding.hunt,
        "rule.uuid": hunt.uuid or None,
        "rule.name": hunt.title,
        "rule.level": finding.level,
        "threat.tactic.name": list(tactics_of(hunt)),
        "threat.technique.id": list(techniques_of(hunt)),
        "finding.actor": finding.actor or None,
        "finding.count": finding.count,
        "finding.audit_ids": list(finding.audit_ids),
        "finding.query": evidence_query(finding.audit_ids),
        "finding.key": canonical_json(_plain(finding.key)).decode(),
    }
    record |= {
        name: _as_stored(name, value) for name, value in finding.key.items() if name in _FROM_KEY
    }
    if EFFECTIVE in finding.key and ACTING not in finding.key:
        record[CALLER] = finding.key[EFFECTIVE]
    return {name: value for name, value in record.items() if value not in (None, [], "")}


def finding_id(finding: Finding) -> str:
    """Return the id of a finding: 128 bits, as 32 hexadecimal digits."""
    day = f"{finding.first_seen:%Y-%m-%d}" if finding.first_seen else ""
    parts = canonical_json([finding.hunt, identity_of(finding.key), day])
    return hashlib.sha256(parts).hexdigest()[:32]


def identity_of(key: Mapping[str, Value]) -> dict[str, Any]:
    """Return the part of a key that tells the finding from others, as JSON: what its evidence adds
    can grow from one run to the next."""
    return _plain({name: value for name, value in key.items() if not isinstance(value, list)})


def _as_stored(name: str, value: Value) -> Value:
    """Return a value as the field has it: a list only where the field has several."""
    if isinstance(value, list) and not BY_NAME[name].many:
        return value[0] if value else None
    return value


def records_of(
    findings: Sequence[Finding], hunts: Mapping[str, Hunt], now: datetime
) -> dict[str, Record]:
    """Return the records of a run by id; findings with the same id are merged."""
    records: dict[str, Record] = {}
    for finding in findings:
        record = record_of(finding, hunts[finding.hunt], now)
        records[record["event.id"]] = merged(records.get(record["event.id"]), record)
    return records


def _plain(key: Mapping[str, Value]) -> dict[str, Any]:
    return {name: _text(value) for name, value in key.items()}


def _text(value: Value) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return [_text(item) for item in value] if isinstance(value, list) else value
