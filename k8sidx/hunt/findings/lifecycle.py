"""Lifecycle of saved findings: their present state, from what people decided and what came later.

A decision holds for what was seen when it was made. A closed finding with later requests is
open again, and so is a silenced one when the silence ends.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from k8sidx.backends.finding_record import Record
from k8sidx.backends.finding_state import Action, StateChange
from k8sidx.backends.store import Store
from k8sidx.errors import UsageError
from k8sidx.hunt.result import Finding

State = Literal["open", "acknowledged", "reopened", "closed", "silenced"]
STATES: tuple[State, ...] = ("open", "acknowledged", "reopened", "closed", "silenced")
LIVE: frozenset[State] = frozenset({"open", "acknowledged", "reopened"})
"""States of findings that need attention."""


@dataclass(frozen=True, slots=True)
class LiveFinding:
    """A saved finding with its present state.

    :param id: of the record; ``series`` is that of all findings with its hunt and key.
    :param history: decisions about it, and silences of its series, in order of time.
    :param until: end of a silence.
    """

    id: str
    series: str
    finding: Finding
    record: Record
    state: State
    history: tuple[StateChange, ...]
    until: datetime | None = None


def live_findings(store: Store, now: datetime) -> list[LiveFinding]:
    """Return the saved findings with their states, the latest first.

    :raises StoreError: when they cannot be read.
    """
    saved = store.findings()
    by_finding: dict[str, list[StateChange]] = defaultdict(list)
    silences: dict[str, list[StateChange]] = defaultdict(list)
    for change in saved.states():
        by_finding[change.finding].append(change)
        if change.action == "silence":
            silences[change.series].append(change)
    findings = [
        _live(identifier, record, by_finding[identifier], silences, now)
        for identifier, record in saved.load().items()
    ]
    findings.sort(key=lambda item: (item.record["@timestamp"], item.id), reverse=True)
    return findings


def _live(
    identifier: str,
    record: Record,
    own: Sequence[StateChange],
    silences: Mapping[str, Sequence[StateChange]],
    now: datetime,
) -> LiveFinding:
    finding = finding_of(record)
    series = series_of(finding)
    changes = list(own) + [c for c in silences.get(series, ()) if c.finding != identifier]
    changes.sort(key=lambda change: change.at)
    state, until = _state(changes, finding.last_seen, now)
    return LiveFinding(identifier, series, finding, record, state, tuple(changes), until)


def _state(
    changes: Iterable[StateChange], last_seen: datetime | None, now: datetime
) -> tuple[State, datetime | None]:
    decided = [change for change in changes if change.action != "note"]
    if not decided:
        return "open", None
    change = decided[-1]
    later = bool(last_seen and change.seen and last_seen > change.seen)
    match change.action:
        case "acknowledge":
            return "acknowledged", None
        case "close":
            return ("reopened" if later else "closed"), None
        case "silence" if change.until and now < change.until:
            return "silenced", change.until
    return "open", None


def finding_of(record: Record) -> Finding:
    """Return the finding of a record."""
    key = record.get("finding.key") or "{}"
    values: dict[str, Any] = json.loads(key) if isinstance(key, str | bytes) else key
    return Finding(
        str(record.get("rule.id", "")),
        str(record.get("rule.level", "low")),
        dict(values),
        int(record.get("finding.count", 0)),
        record.get("event.start"),
        record.get("event.end"),
        str(record.get("message", "")),
        tuple(record.get("finding.audit_ids", ())),
    )


def series_of(finding: Finding) -> str:
    """Return the id of all findings with a hunt and a key, whatever the day."""
    text = json.dumps([finding.hunt, finding.key], sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def selected(findings: Sequence[LiveFinding], prefixes: Sequence[str]) -> list[LiveFinding]:
    """Return the findings with these ids, or unambiguous beginnings of ids.

    :raises UsageError: when one fits none, or several.
    """
    chosen = []
    for prefix in prefixes:
        fitting = [item for item in findings if prefix and item.id.startswith(prefix)]
        if len(fitting) != 1:
            several = f"{len(fitting):,} saved findings have ids that begin with {prefix!r}."
            raise UsageError(
                several if fitting else f"no saved finding has the id {prefix!r}.",
                remedy="k8sidx findings list shows the ids."
                if findings
                else "Save some first: k8sidx hunt --all --save",
            )
        chosen += fitting
    return chosen


def decide(
    store: Store,
    findings: Sequence[LiveFinding],
    action: Action,
    *,
    by: str,
    now: datetime,
    note: str = "",
    until: datetime | None = None,
) -> None:
    """Record a decision about findings.

    :param by: name of the person.
    :param until: end of a silence.
    :raises StoreError: when it cannot be written.
    """
    store.findings().change(
        [
            StateChange(item.id, item.series, action, by, now, note, item.finding.last_seen, until)
            for item in findings
        ]
    )
