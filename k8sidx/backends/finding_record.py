"""Records of saved findings: fields and merging."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import orjson

from k8sidx.events.fields.findings import FINDING_ONLY, FROM_EVENTS
from k8sidx.events.fields.lookup import BY_NAME
from k8sidx.events.fields.table import Field, Kind
from k8sidx.events.normalize.redact_text import redact_text

if TYPE_CHECKING:
    from k8sidx.backends.store import StoredSummary

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


def redacted_record(record: Record) -> Record:
    """Return the record without credentials, which findings over indices that others filled, or of
    earlier versions, may quote."""
    return {name: _redacted_field(name, value) for name, value in record.items()}


def secret_fields(record: Record) -> list[str]:
    """Return the names of the fields in which :func:`redacted_record` replaces something."""
    return [name for name, value in record.items() if _redacted_field(name, value) != value]


def _redacted_field(name: str, value: Any) -> Any:
    if name in _REFERENCES:
        return value
    if name in BY_NAME and BY_NAME[name].kind is Kind.JSON and isinstance(value, str):
        decoded = orjson.loads(value)
        redacted = redacted_value(decoded)
        return value if redacted == decoded else orjson.dumps(redacted).decode()
    return redacted_value(value)


def redacted_value(value: Any) -> Any:
    """Return a JSON value with the credentials in its texts replaced."""
    if isinstance(value, str):
        # "system:serviceaccount:external-secrets:x" is a name: a colon assigns nothing.
        return redact_text(value, prose=True)
    if isinstance(value, list):
        return [redacted_value(element) for element in value]
    if isinstance(value, dict):
        return {key: redacted_value(child) for key, child in value.items()}
    return value


def has_secrets(summary: StoredSummary) -> bool:
    """Whether redaction would replace something in a daily summary."""
    return bool(redacted_value(summary.rows) != summary.rows)


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


_REFERENCES = frozenset({"event.id", "finding.audit_ids", "finding.query"})
"""Fields by which a finding and its events are looked up."""
EVIDENCE = 20
"""Number of auditIDs that a record keeps."""
