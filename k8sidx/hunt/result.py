"""Results of hunts: rows, findings, and events that could not be judged."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from k8sidx.backends.result import Value


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding of a hunt.

    :param hunt: the hunt's id.
    :param level: Sigma level: informational, low, medium, high, critical.
    :param key: the fields that identify it among the hunt's findings, with their values.
    :param count: number of its requests or events.
    :param reason: one plain sentence on what happened.
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


Why = Literal["history", "impossible", "level", "list", "platform", "query", "time", "truncated"]


@dataclass(frozen=True, slots=True)
class Unjudged:
    """Reason why a hunt cannot judge some events, or all: neither findings nor clean.

    :param kind: ``history`` (too short a baseline), ``impossible`` (no event passes a test of
        the rule), ``level`` (the audit policy recorded too little), ``list`` (one is missing),
        ``platform`` (it does not log what is needed), ``query`` (the engine cannot run it),
        ``time`` (events have none), ``truncated`` (bodies were cut).
    :param reason: one sentence.
    :param count: number of events that it is about; 0 where it is about all or none.
    :param audit_ids: some of them.
    """

    kind: Why
    reason: str
    count: int = 0
    audit_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HuntResult:
    """The result of one hunt.

    :param columns: names of the table's columns; for top-N hunts the count comes last.
    :param rows: the table.
    :param notes: sentences for the reader, for example on a missing baseline or on suppressed
        findings.
    :param cannot_judge: reasons why some events, or all, are not judged.
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
    cannot_judge: tuple[Unjudged, ...] = ()

    @property
    def remarks(self) -> tuple[str, ...]:
        """Notes and reasons why events are not judged, a sentence each."""
        return (
            *self.notes,
            *(f"cannot judge: {unjudged.reason}" for unjudged in self.cannot_judge),
        )
