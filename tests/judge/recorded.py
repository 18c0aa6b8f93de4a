"""The labelled attacks of a real API server (``../shared/data/apiserver``), and its quiet hours."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from k8sidx.hunt.level import urgency
from k8sidx.hunt.result import Finding, HuntResult
from k8sidx.hunt.run import Window
from k8sidx.query.durations import parse_moment
from tests.building import SHARED, START

RECORDED = SHARED / "data" / "apiserver"
HISTORY = timedelta(minutes=40)
"""How long the ordinary work before the attacks was recorded."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A labelled attack.

    :param users: names that its requests were made under, empty for unauthenticated ones.
    :param window: its first and last request.
    """

    name: str
    tactic: str
    users: frozenset[str]
    window: tuple[datetime, datetime]
    audit_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Sighting:
    """What the library says of a scenario.

    :param by: hunts with a finding of level medium or above at the right user.
    :param below: hunts with a finding of a lower level.
    """

    scenario: Scenario
    by: tuple[str, ...]
    below: tuple[str, ...]


def recorded_log(name: str) -> Path:
    """The file of a recorded log."""
    return RECORDED / f"{name}.ndjson.gz"


def load_scenarios() -> list[Scenario]:
    """All labelled attacks."""
    labels = json.loads((RECORDED / "labels.json").read_text("utf-8"))
    return [_scenario(one) for one in labels["scenarios"]]


def _scenario(label: dict[str, Any]) -> Scenario:
    return Scenario(
        label["scenario"],
        label["tactic"],
        frozenset(label["usernames"]) | frozenset(label["impersonated"]),
        (parse_moment(label["start"], START), parse_moment(label["end"], START)),
        frozenset(label["auditIDs"]),
    )


def attack_time() -> Window:
    """The time of the attacks, with the ordinary work before as what is usual."""
    first = min(one.window[0] for one in load_scenarios())
    return Window(since=first - timedelta(seconds=5), baseline=HISTORY)


def sightings(scenarios: Iterable[Scenario], results: Sequence[HuntResult]) -> list[Sighting]:
    """Which hunts saw which scenario."""
    found = [one for result in results for one in result.findings]
    return [_sighting(one, found) for one in scenarios]


def _sighting(scenario: Scenario, findings: Sequence[Finding]) -> Sighting:
    seen: dict[bool, set[str]] = {True: set(), False: set()}
    for finding in findings:
        if _is_about(finding, scenario):
            seen[urgency(finding.level) >= urgency("medium")].add(finding.hunt)
    return Sighting(scenario, tuple(sorted(seen[True])), tuple(sorted(seen[False])))


def _is_about(finding: Finding, scenario: Scenario) -> bool:
    """A finding names the scenario's user, or rests on requests without a user, and its
    evidence is the scenario's."""
    if not scenario.audit_ids & set(finding.audit_ids):
        return False
    named = {str(value or "") for name, value in finding.key.items() if "user" in name.lower()}
    return bool(named & scenario.users) or scenario.users == {""}
