"""What a hunt gives: rows to look at, findings to act on, and what could not be judged."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from k8sidx.engine.result import Value


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a hunt found.

    :param hunt: the hunt's id.
    :param level: Sigma level: informational, low, medium, high, critical.
    :param key: the fields that tell this finding from the hunt's others, with their values.
    :param count: events behind it.
    :param reason: one plain sentence of what happened.
    :param audit_ids: evidence, up to 20, earliest first.
    """

    hunt: str
    level: str
    key: dict[str, Value]
    count: int
    first_seen: datetime | None
    last_seen: datetime | None
    reason: str
    audit_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HuntResult:
    """The answer of one hunt.

    :param columns: names of the table's columns; for top-N hunts the count comes last.
    :param rows: the table.
    :param notes: what the reader must know: no baseline to compare with, what cannot be judged.
    """

    hunt: str
    title: str
    level: str
    engine: str
    exact: bool
    columns: tuple[str, ...]
    rows: list[tuple[Value, ...]]
    findings: list[Finding] = field(default_factory=list)
    notes: tuple[str, ...] = ()
