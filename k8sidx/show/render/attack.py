"""ATT&CK matrix of a report: techniques that its hunts search for, and their findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from k8sidx.hunt.attack.mitre import TACTICS, TECHNIQUES
from k8sidx.hunt.attack.tags import techniques_of
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.level import urgency
from k8sidx.hunt.result import HuntResult

OTHERS = "others"
"""Heading of techniques that ATT&CK did not have when this was written."""


@dataclass(frozen=True, slots=True)
class TechniqueCoverage:
    """A technique that hunts search for.

    :param findings: of these hunts.
    :param level: of the most urgent one; empty without findings.
    """

    name: str
    findings: int
    level: str


@dataclass(frozen=True, slots=True)
class TacticCoverage:
    """A tactic and its techniques."""

    title: str
    techniques: Sequence[TechniqueCoverage]


def tactics(hunts: Sequence[Hunt], results: Sequence[HuntResult]) -> list[TacticCoverage]:
    """Return the tactics that the hunts cover, in the order of ATT&CK."""
    levels = _levels(hunts, results)
    covered = []
    for tactic in (*TACTICS, OTHERS):
        techniques = [
            _technique(identifier, levels[identifier])
            for identifier in sorted(levels)
            if tactic in _tactics(identifier)
        ]
        if techniques:
            covered.append(TacticCoverage(tactic.replace("-", " ").capitalize(), techniques))
    return covered


def _levels(hunts: Sequence[Hunt], results: Sequence[HuntResult]) -> Mapping[str, list[str]]:
    """Return the levels of the findings of each technique that hunts search for."""
    findings = {result.hunt: result.findings for result in results}
    levels: dict[str, list[str]] = {}
    for hunt in hunts:
        for technique in techniques_of(hunt):
            of_technique = levels.setdefault(technique, [])
            of_technique += [finding.level for finding in findings.get(hunt.id, [])]
    return levels


def _tactics(identifier: str) -> tuple[str, ...]:
    known = TECHNIQUES.get(identifier)
    return known.tactics if known else (OTHERS,)


def _technique(identifier: str, levels: list[str]) -> TechniqueCoverage:
    known = TECHNIQUES.get(identifier)
    name = f"{identifier} {known.name}" if known else identifier
    return TechniqueCoverage(name, len(levels), max(levels, key=urgency, default=""))
