"""Evidence of a finding: counts by stage, first and last time, audit ids."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from k8sidx.backends.finding_record import EVIDENCE
from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Value
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.result import CannotJudge, Finding, HuntResult
from k8sidx.query.algebra import Metric

OPENING = ("RequestReceived", "ResponseStarted")
"""Stages that come before a request's last one, in order."""


EVIDENCE_METRICS = (
    Metric("first_seen", "min", "@timestamp"),
    Metric("last_seen", "max", "@timestamp"),
    Metric("audit_ids", "first_values", "auditID", EVIDENCE),
)


def finding_of(
    hunt: Hunt, key: dict[str, Value], evidence: Sequence[Value], reason: str
) -> Finding:
    """A finding from a row's metrics.

    :param evidence: the count, then ``EVIDENCE_METRICS``.
    """
    count, first, last, audit_ids = evidence
    return Finding(
        hunt.id,
        hunt.level,
        key,
        whole(count),
        first if isinstance(first, datetime) else None,
        last if isinstance(last, datetime) else None,
        reason,
        texts(audit_ids),
    )


def exact_result(
    hunt: Hunt,
    engine: Engine,
    columns: tuple[str, ...],
    rows: list[tuple[Value, ...]],
    findings: list[Finding],
    cannot_judge: tuple[CannotJudge, ...] = (),
) -> HuntResult:
    """The answer of a hunt that looked at every request it is about."""
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


def texts(value: Value) -> tuple[str, ...]:
    """The values of a ``first_values`` metric, each once."""
    values = value if isinstance(value, list) else [] if value is None else [value]
    return tuple(dict.fromkeys(str(one) for one in values if one is not None))


def whole(value: Value) -> int:
    """The value of a metric that counts."""
    return int(value) if isinstance(value, int | float) else 0


def sortable(values: tuple[Value, ...]) -> tuple[tuple[int, float, str], ...]:
    """Orders keys whose values differ in type: numbers, then text, then missing values."""
    return tuple(_sortable(value) for value in values)


def _sortable(value: Value) -> tuple[int, float, str]:
    if value is None:
        return 2, 0.0, ""
    if isinstance(value, int | float):
        return 0, float(value), ""
    return 1, 0.0, str(value)
