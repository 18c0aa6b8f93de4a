"""Saved findings as a way into an investigation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from k8sidx.backends.finding_record import Record
from k8sidx.backends.store import Store
from k8sidx.errors import UsageError
from k8sidx.query.algebra import And, Compare, Condition, OneOf, Or

AROUND = timedelta(hours=1)
"""Time before and after a finding in which its caller's other requests belong to it."""
_CALLER = ("user.username", "impersonatedUser.username", "user.effective.name", "source.ip")


@dataclass(frozen=True, slots=True)
class SavedFinding:
    """A finding that was saved in the store.

    :param record: its stored fields.
    """

    record: Record

    @property
    def id(self) -> str:
        return str(self.record["event.id"])

    @property
    def audit_ids(self) -> Sequence[str]:
        return [str(item) for item in self.record.get("finding.audit_ids", ())]

    @property
    def key(self) -> Mapping[str, Any]:
        """The fields that identify it among the hunt's findings."""
        value = self.record.get("finding.key") or "{}"
        key: Mapping[str, Any] = json.loads(value) if isinstance(value, str | bytes) else value
        return key

    def evidence_of(self, identifier: str) -> Sequence[str]:
        """Return its auditIDs where the identifier is its own."""
        return self.audit_ids if self.id == identifier else ()

    def document(self) -> dict[str, Any]:
        """Return it as an object for JSON and YAML."""
        return {
            "id": self.id,
            "hunt": self.record.get("rule.id"),
            "level": self.record.get("rule.level"),
            "key": dict(self.key),
            "count": self.record.get("finding.count"),
            "first_seen": self.record.get("event.start"),
            "last_seen": self.record.get("event.end"),
            "reason": self.record.get("message"),
            "audit_ids": list(self.audit_ids),
        }


def saved_findings_with(store: Store, identifier: str) -> Sequence[SavedFinding]:
    """Return the saved findings that have an id, or the event with this auditID as evidence.

    :raises StoreError: when they cannot be read.
    """
    records = store.findings().load()
    return [
        SavedFinding(record)
        for key, record in records.items()
        if key == identifier or identifier in record.get("finding.audit_ids", ())
    ]


def saved_finding(store: Store, identifier: str) -> SavedFinding:
    """Return the saved finding with an id, or with an unambiguous beginning of it.

    :raises UsageError: when there is none, or several.
    :raises StoreError: when they cannot be read.
    """
    records = store.findings().load()
    ids = [key for key in records if key.startswith(identifier)]
    if len(ids) != 1 or not identifier:
        several = f"{len(ids):,} saved findings have ids that begin with"
        raise UsageError(
            f"{several if ids else 'no saved finding has the id'} {identifier!r}.",
            remedy="k8sidx findings list shows the ids."
            if ids or records
            else "Save some first: k8sidx hunt --all --save",
        )
    return SavedFinding(records[ids[0]])


def around(finding: SavedFinding) -> Condition:
    """Return the condition of a finding's evidence, and of its caller's requests around it."""
    evidence: Condition = OneOf("auditID", tuple(finding.audit_ids))
    caller = [
        Compare(field, "=", str(value))
        for field, value in finding.key.items()
        if field in _CALLER and value
    ]
    first, last = finding.record.get("event.start"), finding.record.get("event.end")
    if not caller or not isinstance(first, datetime) or not isinstance(last, datetime):
        return evidence
    times = (
        Compare("@timestamp", ">=", (first - AROUND).isoformat()),
        Compare("@timestamp", "<=", (last + AROUND).isoformat()),
    )
    return Or((evidence, And((*caller, *times))))
