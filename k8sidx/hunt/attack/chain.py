"""Attack chains: findings of one actor in the order of an attack.

Discovery, then credentials, then more privilege or another place, then persistence or harm. A
single finding shows one of them, and ordinary work has some of each; three of them in this order,
by one actor, are an attack as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from k8sidx.hunt.attack.tags import tactics_of
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.level import urgency
from k8sidx.hunt.result import Finding

STAGES: tuple[tuple[str, ...], ...] = (
    ("discovery", "reconnaissance"),
    ("credential-access",),
    ("privilege-escalation", "lateral-movement"),
    ("persistence", "defense-impairment", "exfiltration", "impact"),
)
"""Tactics of each stage of an attack, in order."""

SHORTEST = 3
"""Stages that make a chain."""

MOST = 500
"""Findings of one actor that are looked at, the earliest first."""

Tactics = Mapping[str, Sequence[str]]
"""ATT&CK tactics by id of the hunt."""

_OUTCOMES = {"success": "succeeded", "failure": "failed", "mixed": "succeeded in part"}
_LAST = datetime.max.replace(tzinfo=UTC)


def tactics_by_hunt(hunts: Iterable[Hunt]) -> dict[str, Sequence[str]]:
    """Return the tactics of hunts by their ids."""
    return {hunt.id: tactics_of(hunt) for hunt in hunts}


def chain_in(findings: Iterable[Finding], tactics: Tactics) -> tuple[Finding, ...]:
    """Return the findings of the longest chain; empty where it has fewer than three stages.

    Findings of level medium and above count, and of discovery those of level low. One request is
    one step, however many hunts it has findings of.
    """
    timed = sorted(
        (finding for finding in findings if finding.first_seen),
        key=lambda finding: finding.first_seen or _LAST,
    )[:MOST]
    best: list[tuple[Finding, ...]] = [() for _ in STAGES]
    for finding in timed:
        stages = _stages(finding, tactics.get(finding.hunt, ()))
        longer = [(stage, _continued(best[:stage], finding)) for stage in stages]
        for stage, chain in longer:
            if len(chain) > len(best[stage]):
                best[stage] = chain
    longest = max(best, key=len)
    return longest if len(longest) >= SHORTEST else ()


def _continued(earlier: Sequence[tuple[Finding, ...]], finding: Finding) -> tuple[Finding, ...]:
    evidence = set(finding.audit_ids)
    fitting = [
        chain
        for chain in earlier
        if not any(evidence.intersection(step.audit_ids) for step in chain)
    ]
    return (*max(fitting, key=len, default=()), finding)


def _stages(finding: Finding, tactics: Sequence[str]) -> list[int]:
    """Return the stages that a finding can be of, by its own tactics and its level."""
    level = urgency(finding.level)
    return [
        stage
        for stage, names in enumerate(STAGES)
        if set(names) & set(tactics) and level >= urgency("low" if stage == 0 else "medium")
    ]


def describe_chain(chain: Sequence[Finding], tactics: Tactics, actors: Sequence[str] = ()) -> str:
    """Return the chain as a phrase: for each step a tactic, a hunt, and the outcome if it is known.

    :param actors: of the steps, where they are of several.
    """
    steps = []
    stage = -1
    for number, finding in enumerate(chain):
        stages = _stages(finding, tactics.get(finding.hunt, ()))
        stage = min((each for each in stages if each > stage), default=stage)
        names = [name for name in tactics.get(finding.hunt, ()) if name in STAGES[stage]]
        by = f" by {actors[number]}" if len(set(actors)) > 1 else ""
        outcome = f", {_OUTCOMES[finding.outcome]}" if finding.outcome in _OUTCOMES else ""
        tactic = names[0].replace("-", " ") if names else "then"
        steps.append(f"{tactic} ({finding.hunt}{by}{outcome})")
    return ", then ".join(steps)
