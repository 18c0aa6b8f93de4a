"""What a hunt gives: rows to look at, findings to act on, and what could not be judged."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from k8sidx.backends.result import Value


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


Why = Literal["history", "impossible", "level", "list", "platform", "query", "time", "truncated"]


@dataclass(frozen=True, slots=True)
class Unjudged:
    """Why a hunt cannot say yes or no of some events, or of all: a verdict of its own.

    :param kind: ``history`` (too little of it to compare with), ``impossible`` (the rule
        tests what no event has), ``level`` (the audit policy kept too little), ``list``
        (one is missing), ``platform`` (it does not log what is needed), ``query`` (the
        engine cannot run it), ``time`` (events have none), ``truncated`` (bodies were cut).
    :param reason: one sentence.
    :param count: events that it is about; 0 where it is about all or none.
    :param audit_ids: some of them.
    """

    kind: Why
    reason: str
    count: int = 0
    audit_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HuntResult:
    """The answer of one hunt.

    :param columns: names of the table's columns; for top-N hunts the count comes last.
    :param rows: the table.
    :param notes: what the reader must know: no baseline to compare with, what was left out.
    :param cannot_judge: what it cannot say yes or no of.
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
        """The notes and what cannot be judged, a sentence each."""
        return (*self.notes, *(f"cannot judge: {one.reason}" for one in self.cannot_judge))
