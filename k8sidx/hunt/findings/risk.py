"""Risk of actors, objects and clusters: weights of findings that add up and decay.

The weight of a finding is that of its level, halved every seven days since it was last seen.
Of several findings of one hunt about the same entity the second counts half, the third a
third, and so on: a burst of the same finding is not a hundred reasons.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from k8sidx.hunt.actor_timeline import NOBODY, actor_of
from k8sidx.hunt.findings.lifecycle import LIVE, LiveFinding
from k8sidx.hunt.result import Finding

WEIGHTS = {"informational": 1.0, "low": 5.0, "medium": 20.0, "high": 50.0, "critical": 100.0}
HALF_LIFE = timedelta(days=7)
BOUND = 100.0
"""Risk from which on an entity is an incident: that of one critical finding of today."""

Kind = Literal["actor", "object", "cluster"]


@dataclass(frozen=True, slots=True)
class Reason:
    """A part of a risk.

    :param risk: the sum of the hunt's findings about the entity.
    :param text: sentence of the weightiest finding.
    """

    hunt: str
    level: str
    findings: int
    risk: float
    last_seen: datetime | None
    text: str


@dataclass(frozen=True, slots=True)
class Risk:
    """The risk of an entity.

    :param reasons: by hunt, the weightiest first; their risks add up to ``risk``.
    """

    kind: Kind
    name: str
    risk: float
    reasons: tuple[Reason, ...]

    def is_incident(self, bound: float) -> bool:
        return self.risk >= bound


def risks_of(findings: Iterable[LiveFinding], now: datetime) -> list[Risk]:
    """Return the risks, the greatest first.

    :param findings: closed and silenced ones have no weight.
    """
    by_entity: dict[tuple[Kind, str], list[LiveFinding]] = defaultdict(list)
    for item in findings:
        if item.state in LIVE:
            for entity in _entities(item):
                by_entity[entity].append(item)
    risks = [_risk(kind, name, items, now) for (kind, name), items in by_entity.items()]
    return sorted(risks, key=lambda risk: (-risk.risk, risk.kind, risk.name))


def _entities(item: LiveFinding) -> Iterable[tuple[Kind, str]]:
    actor = actor_of(item.finding)
    if actor != NOBODY:
        yield "actor", actor
    key = item.finding.key
    name = key.get("target.name") or key.get("objectRef.name")
    if name:
        resource = key.get("target.resource") or key.get("objectRef.resource") or ""
        parts = (resource, key.get("objectRef.namespace"), name)
        yield "object", "/".join(str(part) for part in parts if part)
    yield "cluster", str(item.record.get("orchestrator.cluster.name") or "without a name")


def risk_of(findings: Iterable[Finding], now: datetime) -> float:
    """Return the risk that findings about one entity add up to."""
    by_hunt: dict[str, list[float]] = defaultdict(list)
    for finding in findings:
        by_hunt[finding.hunt].append(_decayed(finding, finding.last_seen or now, now))
    return sum(_added(sorted(weights, reverse=True)) for weights in by_hunt.values())


def _risk(kind: Kind, name: str, items: Iterable[LiveFinding], now: datetime) -> Risk:
    by_hunt: dict[str, list[tuple[float, LiveFinding]]] = defaultdict(list)
    for item in items:
        by_hunt[item.finding.hunt].append((weight(item, now), item))
    reasons = []
    for hunt, weighted in by_hunt.items():
        weighted.sort(key=lambda pair: (-pair[0], pair[1].id))
        total = _added([value for value, _ in weighted])
        worst = weighted[0][1].finding
        reasons.append(
            Reason(hunt, worst.level, len(weighted), total, worst.last_seen, worst.reason)
        )
    reasons.sort(key=lambda reason: (-reason.risk, reason.hunt))
    return Risk(kind, name, sum(reason.risk for reason in reasons), tuple(reasons))


def weight(item: LiveFinding, now: datetime) -> float:
    """Return the weight of a finding at a time."""
    return _decayed(item.finding, item.finding.last_seen or item.record["@timestamp"], now)


def _decayed(finding: Finding, last: datetime, now: datetime) -> float:
    age = max(now - last, timedelta(0))
    return float(WEIGHTS.get(finding.level, WEIGHTS["low"]) * 0.5 ** (age / HALF_LIFE))


def _added(weights: Iterable[float]) -> float:
    """Return the sum of one hunt's weights, greatest first; the second counts half."""
    return sum(value / number for number, value in enumerate(weights, 1))


def states_counted(findings: Iterable[LiveFinding]) -> Counter[str]:
    """Return the number of findings in each state."""
    return Counter(item.state for item in findings)
