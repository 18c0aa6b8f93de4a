"""Evidence of findings: first and last time, audit ids."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from k8sidx.backends.finding_record import EVIDENCE
from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Value
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.result import Finding, HuntResult, Unjudged
from k8sidx.query.algebra import Metric

OPENING = ("RequestReceived", "ResponseStarted")
"""Stages that come before a request's last one, in order."""

COUNT = Metric("count", "count")
EVIDENCE_METRICS = (
    Metric("first_seen", "min", "@timestamp"),
    Metric("last_seen", "max", "@timestamp"),
    Metric("audit_ids", "first_values", "auditID", EVIDENCE),
)


def finding_of(
    hunt: Hunt, key: dict[str, Value], evidence: Sequence[Value], reason: str
) -> Finding:
    """Return a finding from a row's metrics.

    :param evidence: the count, then ``EVIDENCE_METRICS``.
    """
    count, first, last, audit_ids = evidence
    return Finding(
        hunt.id,
        hunt.level,
        key,
        as_count(count),
        first if isinstance(first, datetime) else None,
        last if isinstance(last, datetime) else None,
        reason,
        as_texts(audit_ids),
    )


def exact_result(
    hunt: Hunt,
    engine: Engine,
    columns: tuple[str, ...],
    rows: list[tuple[Value, ...]],
    findings: list[Finding],
    cannot_judge: tuple[Unjudged, ...] = (),
) -> HuntResult:
    """Return the result of a hunt that read every request it is about."""
    return HuntResult(
        hunt.id,
        hunt.title,
        hunt.level,
        engine.name,
        True,
        columns,
        rows,
        findings,
        cannot_judge=cannot_judge,
    )


def as_texts(value: Value) -> tuple[str, ...]:
    """Return the values of a ``first_values`` metric, each once."""
    values = value if isinstance(value, list) else [] if value is None else [value]
    return tuple(dict.fromkeys(str(item) for item in values if item is not None))


def as_count(value: Value) -> int:
    """Return the value of a metric that counts; 0 for a missing one."""
    return int(value) if isinstance(value, int | float) else 0


def sort_key(values: tuple[Value, ...]) -> tuple[tuple[int, float, str], ...]:
    """Return a key that sorts values of mixed types: numbers, text, then missing values."""
    return tuple(_value_sort_key(value) for value in values)


def _value_sort_key(value: Value) -> tuple[int, float, str]:
    if value is None:
        return 2, 0.0, ""
    if isinstance(value, int | float):
        return 0, float(value), ""
    return 1, 0.0, str(value)
