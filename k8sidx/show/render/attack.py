"""ATT&CK matrix of a report: what was found, what was looked for, what no audit log shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from k8sidx.hunt.attack.coverage import OUTSIDE
from k8sidx.hunt.attack.mitre import CONTAINERS, TACTICS, TECHNIQUES
from k8sidx.hunt.attack.tags import techniques_of
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.level import urgency
from k8sidx.hunt.result import HuntResult

OTHERS = "others"
"""Heading of techniques that ATT&CK did not have when this was written."""

State = Literal["found", "looked for", "cannot be seen", "not looked for"]


@dataclass(frozen=True, slots=True)
class TechniqueCoverage:
    """A technique of the Containers matrix, or another that hunts search for.

    :param hunts: ids of the hunts that ran for it.
    :param findings: of these hunts.
    :param level: of the most urgent one; empty without findings.
    :param remark: why no audit log shows it.
    """

    name: str
    state: State
    hunts: Sequence[str]
    findings: int
    level: str
    remark: str


@dataclass(frozen=True, slots=True)
class TacticCoverage:
    """A tactic and its techniques."""

    id: str
    title: str
    techniques: Sequence[TechniqueCoverage]


def tactics(hunts: Sequence[Hunt], results: Sequence[HuntResult]) -> list[TacticCoverage]:
    """Return the tactics with their techniques, in the order of ATT&CK.

    :param results: of those hunts that could run: the others looked for nothing.
    """
    ran = {result.hunt: result for result in results}
    by_technique: dict[str, list[HuntResult]] = {}
    for hunt in hunts:
        if hunt.id in ran:
            for technique in techniques_of(hunt):
                by_technique.setdefault(technique, []).append(ran[hunt.id])
    names = sorted({*CONTAINERS, *by_technique})
    covered = []
    for tactic in (*TACTICS, OTHERS):
        techniques = [_technique(name, by_technique) for name in names if tactic in _tactics(name)]
        if techniques:
            title = tactic.replace("-", " ").capitalize()
            covered.append(TacticCoverage(tactic, title, techniques))
    return covered


def _tactics(identifier: str) -> tuple[str, ...]:
    known = TECHNIQUES.get(identifier)
    return known.tactics if known else (OTHERS,)


def _technique(
    identifier: str, by_technique: Mapping[str, Sequence[HuntResult]]
) -> TechniqueCoverage:
    known = TECHNIQUES.get(identifier)
    results = by_technique.get(identifier, ())
    levels = [finding.level for result in results for finding in result.findings]
    remark = OUTSIDE.get(identifier, "")
    state: State = "not looked for"
    if levels:
        state = "found"
    elif results or any(name.startswith(f"{identifier}.") for name in by_technique):
        state = "looked for"
    elif remark:
        state = "cannot be seen"
    return TechniqueCoverage(
        name=f"{identifier} {known.name}" if known else identifier,
        state=state,
        hunts=[result.hunt for result in results],
        findings=len(levels),
        level=max(levels, key=urgency, default=""),
        remark=remark if state == "cannot be seen" else "",
    )
