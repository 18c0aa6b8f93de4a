"""Results of hunts: rows, findings, and events that could not be judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from k8sidx.backends.result import Value

UNNAMED = "(unnamed)"
"""Stands for the cluster of events that name none."""


@dataclass(frozen=True, slots=True)
class Wording:
    """The sentence of a finding before its values are filled in.

    :param template: a rule's ``reason``.
    :param ending: what follows it.
    """

    template: str
    facts: Mapping[str, str]
    ending: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding of a hunt.

    :param hunt: the hunt's id.
    :param level: Sigma level: informational, low, medium, high, critical.
    :param key: the fields that identify it among the hunt's findings, with their values.
    :param count: number of its requests or events.
    :param reason: one plain sentence on what happened.
    :param audit_ids: evidence, up to 20, earliest first.
    :param ties: addresses and credentials that tie it to findings of other actors, each with the
        cluster (:mod:`k8sidx.hunt.ties`).
    :param outcome: of its requests: success, failure, mixed or unknown; empty where nobody
        looked them up.
    :param actor: whom its story belongs to; empty where that follows from the key.
    :param wording: makes the sentence anew for another actor; ``None`` for a fixed one.
    """

    hunt: str
    level: str
    key: dict[str, Value]
    count: int
    first_seen: datetime | None
    last_seen: datetime | None
    reason: str
    audit_ids: tuple[str, ...] = ()
    actor: str = ""
    wording: Wording | None = field(default=None, compare=False, repr=False)
    outcome: str = field(default="", compare=False)
    ties: tuple[tuple[str, str], ...] = field(default=(), compare=False, repr=False)


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
class EventsJudged:
    """The events of a time range.

    :param count: number of events, every stage of a request.
    :param since: first moment that was requested.
    :param until: first moment after it.
    :param first: time of the first of them; ``None`` where none has a time.
    :param last: time of the last of them.
    :param newest: time of the store's newest event, in the range or not.
    :param clusters: events by name of the cluster, ``None`` for those that name none; empty where
        the index does not have such a field.
    """

    count: int
    since: datetime | None = None
    until: datetime | None = None
    first: datetime | None = None
    last: datetime | None = None
    newest: datetime | None = None
    clusters: tuple[tuple[str | None, int], ...] = ()

    @property
    def cluster_names(self) -> tuple[str, ...]:
        """Names of the clusters, the one with most events first."""
        return tuple(UNNAMED if name is None else name for name, _ in self.clusters)


@dataclass(frozen=True, slots=True)
class HuntResult:
    """The result of one hunt.

    :param columns: names of the table's columns; for top-N hunts the count comes last.
    :param rows: the table.
    :param notes: sentences for the reader, for example on a missing baseline or on suppressed
        findings.
    :param cannot_judge: reasons why some events, or all, are not judged.
    :param judged: the events of the time range.
    :param tags: of the hunt, as in Sigma; ``falsepositives`` likewise.
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
    judged: EventsJudged | None = field(default=None, compare=False)
    tags: tuple[str, ...] = field(default=(), compare=False)
    falsepositives: tuple[str, ...] = field(default=(), compare=False)

    @property
    def remarks(self) -> tuple[str, ...]:
        """Notes and reasons why events are not judged, a sentence each."""
        return (
            *self.notes,
            *(f"cannot judge: {unjudged.reason}" for unjudged in self.cannot_judge),
        )
