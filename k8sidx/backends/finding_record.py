"""Records of saved findings: fields and merging."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from k8sidx.events.fields.findings import FINDING_ONLY, FROM_EVENTS
from k8sidx.events.fields.lookup import BY_NAME
from k8sidx.events.fields.table import Field

Record = dict[str, Any]
"""Stored fields of a finding by name; times are timezone-aware."""


FIELDS: tuple[Field, ...] = (*(BY_NAME[name] for name in FROM_EVENTS), *FINDING_ONLY)
"""All fields of a saved finding, in the order of columns."""


def merged(before: Record | None, now: Record) -> Record:
    """Return the record of a finding that was found, for the first time or again.

    Two runs over the same events count them once: the larger number is kept.
    """
    if before is None:
        return now
    record = {**before, **now}
    record["event.created"] = before.get("event.created", now["event.created"])
    for name, choose in (("event.start", min), ("event.end", max), ("@timestamp", max)):
        values = [version[name] for version in (before, now) if name in version]
        if values:
            record[name] = choose(values)
    counts = [version.get("finding.count", 0) for version in (before, now)]
    record["finding.count"] = max(counts)
    ids = [*before.get("finding.audit_ids", []), *now.get("finding.audit_ids", [])]
    record["finding.audit_ids"] = list(dict.fromkeys(ids))[:EVIDENCE]
    record["finding.query"] = evidence_query(record["finding.audit_ids"])
    return {name: value for name, value in record.items() if value != ""}


def evidence_query(audit_ids: Iterable[str]) -> str:
    """Return KQL that matches the events with these auditIDs; empty without any.

    Clients choose auditIDs, and dashboards put the query into links: quotes of KQL and of RISON
    are written as escape sequences (packages/kbn-es-query/grammar/grammar.peggy).
    """
    quoted = " or ".join(f'"{"".join(map(_escaped, text))}"' for text in audit_ids)
    return f"auditID: ({quoted})" if quoted else ""


def _escaped(character: str) -> str:
    if character in "\"\\'!" or not character.isprintable():
        units = memoryview(character.encode("utf-16-le", "surrogatepass")).cast("H")
        return "".join(f"\\u{unit:04x}" for unit in units)
    return character


EVIDENCE = 20
"""Number of auditIDs that a record keeps."""
