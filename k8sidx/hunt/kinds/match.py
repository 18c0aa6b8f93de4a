"""Match hunts: requests that match, grouped by caller, address, verb and object.

One request makes several events, one a stage. A group's count is that of its most
frequent stage (ResponseComplete and Panic are one), so that a request counts once whether
it was answered (ResponseComplete), refused before it had a user (a 401 has ResponseStarted
only) or is still open (an exec). It does not rest on auditID, which clients can choose.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
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
from k8sidx.hunt.kinds.outcomes import DID, Outcome, OutcomeKey, did
from k8sidx.hunt.kinds.time_window import CLUSTER, WHOLE, Window
from k8sidx.hunt.result import Finding, HuntResult, Wording
from k8sidx.query.algebra import Key, Query, Terms

_STAGE = "counted_stage"
_USUAL = 5
"""Fields of the usual key, which the default sentence names."""
_DEFAULT_REASON = (
    "{user.effective.name} {did} {target.resource} in {objectRef.namespace} "
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
    facts = ("times", DID)
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
        outcomes = self._outcomes
        keys: tuple[Key, ...] = key.terms(keep_missing=True)
        result = engine.run(
            Query(
                where=self.condition,
                since=window.since,
                until=window.until,
                group_by=(*keys, *outcomes.terms(), Terms("stage", _STAGE, keep_missing=True)),
                metrics=(COUNT, *EVIDENCE_METRICS),
            )
        )
        groups: dict[tuple[Value, ...], Group] = {}
        for row in result.rows:
            *values, stage, count, first, last, audit_ids = row
            group = groups.setdefault(key.values(values[: len(keys)]), Group())
            outcome = outcomes.outcome(values[len(keys) :])
            group.add(stage, as_count(count), first, last, as_texts(audit_ids), outcome)
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
        return (*FindingKey(self.finding_by, WHOLE).fields, *self._outcomes.fields)

    @property
    def sentence(self) -> str:
        """The rule's sentence, or the default one; empty where its key has other fields."""
        if self.reason:
            return self.reason
        is_usual = "user.effective.name" in self.finding_by and "verb" in self.finding_by
        return _DEFAULT_REASON if is_usual and len(self.finding_by) == _USUAL else ""

    def outcome_ending(self, outcomes: Mapping[Outcome, int]) -> str:
        """Return the end of a sentence about requests that did not all succeed."""
        return self._outcomes.ending(outcomes)

    @property
    def _outcomes(self) -> OutcomeKey:
        return OutcomeKey(self.condition, self.finding_by, self.sentence)

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
    :param outcomes_of: the outcomes of each stage's events.
    """

    stages: Counter[str] = field(default_factory=Counter)
    first: datetime | None = None
    last: datetime | None = None
    audit_ids: dict[str, tuple[str, ...]] = field(default_factory=dict)
    outcomes_of: dict[str, Counter[Outcome]] = field(default_factory=dict)

    def add(
        self,
        stage: Value,
        count: int,
        first: Value,
        last: Value,
        audit_ids: tuple[str, ...],
        outcome: Outcome,
    ) -> None:
        """Add the events of a stage."""
        name = str(stage) if stage in OPENING else ""
        self.stages[name] += count
        self.outcomes_of.setdefault(name, Counter())[outcome] += count
        self.audit_ids[name] = self.audit_ids.get(name, ()) + audit_ids
        if isinstance(first, datetime):
            self.first = min(self.first or first, first)
        if isinstance(last, datetime):
            self.last = max(self.last or last, last)

    @property
    def requests(self) -> int:
        return max(self.stages.values())

    @property
    def outcomes(self) -> Counter[Outcome]:
        """Counts of the requests by outcome."""
        # The last stages first: the others may have been sent before the outcome was known.
        counted = max(self.stages, key=lambda stage: (self.stages[stage], not stage))
        return self.outcomes_of[counted]

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
    facts = {"times": times(group.requests), DID: did(key.get("verb"), group.outcomes)}
    ending = hunt.outcome_ending(group.outcomes)
    template = hunt.sentence
    wording = Wording(template, facts, ending) if template else None
    reason = (
        worded(wording, key)
        if wording
        else f"{hunt.title}: {facts['times']} with {named(key)}{ending}"
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
