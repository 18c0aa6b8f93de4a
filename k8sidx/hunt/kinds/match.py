"""Match hunts: requests that match, grouped by caller, address, verb and object.

One request makes several events, one a stage. A group's count is that of its most
frequent stage (ResponseComplete and Panic are one), so that a request counts once whether
it was answered (ResponseComplete), refused before it had a user (a 401 has ResponseStarted
only) or is still open (an exec). It does not rest on auditID, which clients can choose.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from k8sidx.backends.finding_record import EVIDENCE
from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Value
from k8sidx.errors import InvalidHunt, Where
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.finding_text import code_names, named, times, worded
from k8sidx.hunt.kinds.controller_copies import (
    CONTROLLER,
    COPY_LEVEL,
    is_by_controller,
    without_copies,
)
from k8sidx.hunt.kinds.evidence import (
    COUNT,
    EVIDENCE_METRICS,
    OPENING,
    as_count,
    as_texts,
    sort_key,
)
from k8sidx.hunt.kinds.finding_key import FindingKey
from k8sidx.hunt.kinds.options import FieldNames
from k8sidx.hunt.kinds.time_window import CLUSTER, WHOLE, Window
from k8sidx.hunt.result import Finding, HuntResult, Wording
from k8sidx.query.algebra import Key, Query, Terms

_STAGE = "counted_stage"
_DEFAULT_REASON = (
    "{user.effective.name} asked for {verb} on {target.resource} in {objectRef.namespace} "
    "{times} from {source.ip}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchHunt(Hunt):
    """Requests that match, one finding for each value of ``finding_by``.

    :param echoes_of: fields of ``finding_by`` that identify the workload: copies that
        controllers make of it repeat the finding about it
        (:mod:`k8sidx.hunt.kinds.controller_copies`).
    """

    kind = "match"
    facts = ("times",)
    documentation = (
        "matching requests, with one finding per key. A request counts once although it "
        "causes several events: only the stage with most events of the key is counted "
        "(ResponseComplete and Panic are one stage), so a 401 (ResponseStarted only) and "
        "an exec that is still open count as well. Controller-created copies of a "
        "workload are reported only if its creator is not found, at level low."
    )
    finds_requests = True

    finding_by: FieldNames = (
        "user.effective.name",
        "source.ip",
        "verb",
        "target.resource",
        "objectRef.namespace",
    )
    echoes_of: FieldNames = ()

    def run(self, engine: Engine, window: Window) -> HuntResult:
        """Return one finding, and one row, for each key."""
        key = FindingKey(self.finding_by, window)
        keys: tuple[Key, ...] = key.terms(keep_missing=True)
        result = engine.run(
            Query(
                where=self.condition,
                since=window.since,
                until=window.until,
                group_by=(*keys, Terms("stage", _STAGE, keep_missing=True)),
                metrics=(COUNT, *EVIDENCE_METRICS),
            )
        )
        groups: dict[tuple[Value, ...], Group] = {}
        for row in result.rows:
            *values, stage, count, first, last, audit_ids = row
            group = groups.setdefault(key.values(values), Group())
            group.add(stage, as_count(count), first, last, as_texts(audit_ids))
        same_cluster = (CLUSTER,) if self.echoes_of and window.by_cluster else ()
        kept = without_copies(key.columns, (*self.echoes_of, *same_cluster), groups)
        ordered = sorted(kept.items(), key=lambda item: (-item[1].requests, sort_key(item[0])))
        columns, shown = key.table([values for values, _ in ordered])
        return HuntResult(
            self.id,
            self.title,
            self.level,
            result.engine,
            result.exact,
            (*columns, "first_seen", "last_seen", "count"),
            [
                (*values, group.first, group.last, group.requests)
                for values, (_, group) in zip(shown, ordered, strict=True)
            ],
            [_finding(self, key, values, group) for values, group in ordered],
        )

    def key_names(self) -> Collection[str]:
        return self.finding_by

    def required_fields(self) -> Collection[str]:
        return FindingKey(self.finding_by, WHOLE).fields

    def describe(self) -> str:
        return f"one finding for each {code_names(self.finding_by)}"

    def conflict(self, extension: Where) -> InvalidHunt | None:
        if self.echoes_of and not {CONTROLLER, *self.echoes_of} <= set(self.finding_by):
            return InvalidHunt(
                "k8sidx.echoes_of: its fields must be in finding_by.",
                remedy=f"Add them, and {CONTROLLER}, to finding_by.",
                where=extension,
            )
        return None


@dataclass(slots=True)
class Group:
    """Events of one key.

    :param stages: events by stage; the last stages of a request under an empty name.
    :param audit_ids: those of each stage, earliest first.
    """

    stages: Counter[str] = field(default_factory=Counter)
    first: datetime | None = None
    last: datetime | None = None
    audit_ids: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def add(
        self, stage: Value, count: int, first: Value, last: Value, audit_ids: tuple[str, ...]
    ) -> None:
        """Add the events of a stage."""
        name = str(stage) if stage in OPENING else ""
        self.stages[name] += count
        self.audit_ids[name] = self.audit_ids.get(name, ()) + audit_ids
        if isinstance(first, datetime):
            self.first = min(self.first or first, first)
        if isinstance(last, datetime):
            self.last = max(self.last or last, last)

    @property
    def requests(self) -> int:
        return max(self.stages.values())

    @property
    def evidence(self) -> tuple[str, ...]:
        """auditIDs, those of the stage that counts first."""
        by_weight = sorted(self.audit_ids, key=lambda stage: -self.stages[stage])
        ids = dict.fromkeys(audit_id for stage in by_weight for audit_id in self.audit_ids[stage])
        return tuple(ids)[:EVIDENCE]


def _finding(
    hunt: MatchHunt, finding_key: FindingKey, values: tuple[Value, ...], group: Group
) -> Finding:
    key = finding_key.key(values)
    facts = {"times": times(group.requests)}
    wording: Wording | None = None
    if hunt.reason:
        wording = Wording(hunt.reason, facts)
    elif "user.effective.name" in hunt.finding_by and "verb" in key and len(hunt.finding_by) == 5:
        wording = Wording(_DEFAULT_REASON, facts)
    reason = (
        worded(wording, key)
        if wording
        else f"{hunt.title}: {times(group.requests)} with {named(key)}"
    )
    copied = bool(hunt.echoes_of) and is_by_controller(finding_key.columns, values)
    level = COPY_LEVEL if copied else hunt.level
    return Finding(
        hunt.id,
        level,
        key,
        group.requests,
        group.first,
        group.last,
        reason,
        group.evidence,
        wording=wording,
    )
