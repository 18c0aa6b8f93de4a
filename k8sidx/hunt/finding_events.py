"""Events of findings: the requests that their auditIDs name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Value
from k8sidx.hunt.kinds.time_window import Window
from k8sidx.hunt.result import Finding
from k8sidx.query.algebra import OneOf, Query

AUDIT_ID = "auditID"
IDS_AT_ONCE = 5000


def events_of(
    findings: Iterable[Finding], fields: Sequence[str], engine: Engine, window: Window
) -> Iterator[tuple[Value, ...]]:
    """Yield the fields of the events with the auditIDs of findings, which clients can choose.

    :raises UnsupportedQuery: when the engine lacks a field.
    """
    ids = list(dict.fromkeys(audit_id for finding in findings for audit_id in finding.audit_ids))
    for first in range(0, len(ids), IDS_AT_ONCE):
        where = OneOf(AUDIT_ID, tuple(ids[first : first + IDS_AT_ONCE]))
        query = Query(where=where, since=window.since, until=window.until, select=tuple(fields))
        yield from engine.run(query).rows
