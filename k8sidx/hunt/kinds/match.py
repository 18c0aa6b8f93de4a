"""Match hunts: requests that match, put together by who, from where and what.

One request makes several events, one a stage. A group's count is that of its most
frequent stage (ResponseComplete and Panic are one), so that a request counts once whether
it was answered (ResponseComplete), refused before it had a user (a 401 has ResponseStarted
only) or is still open (an exec). It does not rest on auditID, which clients can choose.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from k8sidx.backends.finding_record import EVIDENCE
from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Value
from k8sidx.hunt.definition import MatchHunt
from k8sidx.hunt.finding_text import fill, named, times
from k8sidx.hunt.kinds.controller_copies import ECHO_LEVEL, is_controllers, without_echoes
from k8sidx.hunt.kinds.evidence import EVIDENCE_METRICS, OPENING, sortable, texts, whole
from k8sidx.hunt.kinds.time_window import Window
from k8sidx.hunt.result import Finding, HuntResult
from k8sidx.query.algebra import Key, Metric, Query, Terms

_STAGE = "counted_stage"
_USUAL = (
    "{user.effective.name} asked for {verb} on {target.resource} in {objectRef.namespace} "
    "{times} from {source.ip}"
)


@dataclass(slots=True)
class Group:
    """What is known of one key.

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
        found = dict.fromkeys(one for stage in by_weight for one in self.audit_ids[stage])
        return tuple(found)[:EVIDENCE]


def run_match(hunt: MatchHunt, engine: Engine, window: Window) -> HuntResult:
    """One finding, and one row, for each key."""
    keys: tuple[Key, ...] = tuple(Terms(name, keep_missing=True) for name in hunt.finding_by)
    result = engine.run(
        Query(
            where=hunt.condition,
            since=window.since,
            until=window.until,
            group_by=(*keys, Terms("stage", _STAGE, keep_missing=True)),
            metrics=(Metric("count", "count"), *EVIDENCE_METRICS),
        )
    )
    groups: dict[tuple[Value, ...], Group] = {}
    for row in result.rows:
        *key, stage, count, first, last, audit_ids = row
        group = groups.setdefault(tuple(key), Group())
        group.add(stage, whole(count), first, last, texts(audit_ids))
    told = without_echoes(hunt, groups)
    ordered = sorted(told.items(), key=lambda item: (-item[1].requests, sortable(item[0])))
    return HuntResult(
        hunt.id,
        hunt.title,
        hunt.level,
        result.engine,
        result.exact,
        (*hunt.finding_by, "first_seen", "last_seen", "count"),
        [(*key, group.first, group.last, group.requests) for key, group in ordered],
        [_finding(hunt, key, group) for key, group in ordered],
    )


def _finding(hunt: MatchHunt, values: tuple[Value, ...], group: Group) -> Finding:
    key = dict(zip(hunt.finding_by, values, strict=True))
    facts = {"times": times(group.requests)}
    if hunt.reason:
        reason = fill(hunt.reason, key, facts)
    elif "user.effective.name" in key and "verb" in key and len(key) == 5:
        reason = fill(_USUAL, key, facts)
    else:
        reason = f"{hunt.title}: {times(group.requests)} with {named(key)}"
    level = ECHO_LEVEL if is_controllers(hunt, values) else hunt.level
    return Finding(
        hunt.id, level, key, group.requests, group.first, group.last, reason, group.evidence
    )
