"""Coverage of the ATT&CK and Microsoft matrices by the hunt library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from k8sidx.hunt.attack.microsoft import THREAT_TACTICS, THREATS
from k8sidx.hunt.attack.mitre import CONTAINERS, TACTICS, TECHNIQUES, VERSION
from k8sidx.hunt.attack.tags import techniques_of
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.level import urgency

ATTACK = "ATT&CK Containers"
MICROSOFT = "Microsoft Threat Matrix"

OUTSIDE: dict[str, str] = {
    "T1036.010": "names of accounts are chosen by whoever may make them: look at those made",
    "T1068": "it happens inside a container or on its node",
    "T1078.003": "accounts of a node are used on the node",
    "T1110.001": "the API server has no passwords",
    "T1110.003": "the API server has no passwords",
    "T1110.004": "the API server has no passwords",
    "T1136.001": "accounts of a node are made on the node",
    "T1498": "it happens on the network",
    "T1543.005": "services of a node are made on the node",
    "T1612": "it happens on the node",
}
"""Techniques of the Containers matrix that no audit log shows, and why."""

_COLOURS = ("#dfe7f3", "#bcd4f0", "#f6d186", "#f29f67", "#e05a4f")
"""Colours of a technique in a Navigator layer, by the level of its most urgent hunt."""


@dataclass(frozen=True, slots=True)
class MatrixEntry:
    """A technique of a matrix and the hunts for it.

    :param id: of ATT&CK; the name where a matrix has no ids.
    :param hunts: ids of the hunts that look for it or for one of its sub-techniques.
    :param remark: why no hunt can look for it.
    """

    matrix: str
    tactic: str
    id: str
    name: str
    hunts: tuple[str, ...]
    remark: str = ""


def coverage(hunts: Sequence[Hunt]) -> list[MatrixEntry]:
    """Return every technique of both matrices under each of its tactics, in their order."""
    known = {hunt.id for hunt in hunts}
    by_technique = _by_technique(hunts)
    covered = [
        MatrixEntry(ATTACK, tactic, name, TECHNIQUES[name].name, by_technique.get(name, ()),
                OUTSIDE.get(name, ""))
        for tactic in TACTICS
        for name in CONTAINERS
        if tactic in TECHNIQUES[name].tactics
    ]  # fmt: skip
    covered += [
        MatrixEntry(MICROSOFT, tactic, threat.name, threat.name,
                tuple(hunt for hunt in threat.hunts if hunt in known), threat.outside)
        for tactic in THREAT_TACTICS
        for threat in THREATS
        if tactic in threat.tactics
    ]  # fmt: skip
    return covered


def navigator_layer(hunts: Sequence[Hunt]) -> dict[str, Any]:
    """Return a layer for the ATT&CK Navigator (format 4.5); the score is the number of hunts."""
    levels = {hunt.id: hunt.level for hunt in hunts}
    techniques = []
    for name, ids in sorted(_named(hunts).items()):
        worst = max((levels[hunt_id] for hunt_id in ids), key=urgency)
        techniques.append(
            {
                "techniqueID": name,
                "score": len(ids),
                "color": _COLOURS[urgency(worst)],
                "comment": ", ".join(ids),
                "enabled": True,
                "showSubtechniques": "." in name,
            }
        )
    return {
        "name": "k8sidx hunts",
        "versions": {"attack": VERSION.partition(".")[0], "navigator": "5.1.0", "layer": "4.5"},
        "domain": "enterprise-attack",
        "description": "Techniques that the hunt library looks for in Kubernetes audit logs.",
        "filters": {"platforms": ["Containers"]},
        "sorting": 3,
        "hideDisabled": False,
        "techniques": techniques,
        "legendItems": [
            {"label": f"most urgent hunt: {level}", "color": colour}
            for level, colour in zip(
                ("informational", "low", "medium", "high", "critical"), _COLOURS, strict=True
            )
        ],
    }


def _named(hunts: Sequence[Hunt]) -> dict[str, tuple[str, ...]]:
    """Return the ids of the hunts of each technique that hunts name."""
    by_technique: dict[str, list[str]] = {}
    for hunt in hunts:
        for technique in techniques_of(hunt):
            by_technique.setdefault(technique, []).append(hunt.id)
    return {technique: tuple(ids) for technique, ids in by_technique.items()}


def _by_technique(hunts: Sequence[Hunt]) -> dict[str, tuple[str, ...]]:
    """Return the same, with the hunts of a sub-technique counted for its technique, too."""
    by_technique: dict[str, list[str]] = {}
    for technique, ids in _named(hunts).items():
        for name in dict.fromkeys((technique, technique.partition(".")[0])):
            by_technique.setdefault(name, []).extend(ids)
    return {technique: tuple(dict.fromkeys(ids)) for technique, ids in by_technique.items()}
