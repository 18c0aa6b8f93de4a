"""The verdicts of public test suites (``../shared/data/cases``) beside those of the library."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from k8sidx.backends.protocol import Engine
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.kinds.match import MatchHunt
from k8sidx.hunt.kinds.top import TopHunt
from k8sidx.hunt.level import urgency
from k8sidx.hunt.lists import SHIPPED, Lists
from k8sidx.hunt.run import Window, run_hunt
from k8sidx.query.algebra import Metric, Query, Terms
from tests.building import SHARED
from tests.judge.engines import CASE, CaseEngine

CASES = SHARED / "data" / "cases"
EXPLAINED = Path(__file__).with_name("explained.yml")


@dataclass(frozen=True, slots=True)
class Case:
    """Events of somebody else's suite, with the verdict that its authors gave.

    :param filter_only: hunts of ``expected`` that look at streams: a single event must
        pass their filter.
    :param benign: nothing to see at all.
    """

    id: str
    anchor: str
    platform: str
    events: Sequence[dict[str, Any]]
    expected: frozenset[str]
    must_not_fire: frozenset[str]
    filter_only: frozenset[str]
    indicators: tuple[str, ...]
    strict: bool
    benign: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the library says of a case.

    :param missed: hunts that should have fired, and did not.
    :param false: hunts that should not have fired, and did.
    """

    case: Case
    found: frozenset[str]
    missed: frozenset[str]
    false: frozenset[str]

    @property
    def exact(self) -> bool:
        return not self.missed and not self.false

    @property
    def explanation(self) -> str:
        """Why a case that is not strict may be answered otherwise; empty when nobody said."""
        reasons = (why for pattern, why in _explained() if fnmatch(self.case.id, pattern))
        return next(reasons, "")


def indicators() -> Lists:
    """The addresses that the cases take for known attackers'."""
    if not CASES.is_dir():
        return SHIPPED
    return Lists({"threat_addresses": [one for case in load_cases() for one in case.indicators]})


@cache
def load_cases() -> list[Case]:
    """All cases of the open manifest."""
    manifest = json.loads((CASES / "manifest.open.json").read_text("utf-8"))
    return [_case(one) for one in manifest["cases"]]


def _case(entry: Mapping[str, Any]) -> Case:
    # What was published of some cases holds no audit event.
    lines = (CASES / entry["file"]).read_text("utf-8").splitlines() if entry["file"] else []
    return Case(
        entry["id"],
        entry["anchor"],
        entry["platform"],
        [json.loads(line) for line in lines if line.strip()],
        frozenset(entry["expected"]),
        frozenset(entry["must_not_fire"]),
        frozenset(entry["expected_filter_only"]),
        tuple((entry.get("requires") or {}).get("indicator_list", ())),
        entry["strict"],
        entry["benign"],
    )


@cache
def _explained() -> list[tuple[str, str]]:
    return list(yaml.safe_load(EXPLAINED.read_text("utf-8")).items())


def judged(cases: Iterable[Case], hunts: Sequence[Hunt], engine: Engine) -> list[Verdict]:
    """The verdict on each case.

    :param engine: over the events of all cases, tagged with the case's id.
    """
    passed: dict[str, set[str]] = {}
    fired: dict[str, set[str]] = {}
    for hunt in hunts:
        if hunt.lists_missing:
            continue  # It cannot judge, and says so.
        for case in _passing(hunt, engine):
            passed.setdefault(case, set()).add(hunt.id)
            if _fires(hunt, CaseEngine(engine, case)):
                fired.setdefault(case, set()).add(hunt.id)
    streams = {hunt.id for hunt in hunts if not isinstance(hunt, MatchHunt)}
    alarming = {hunt.id for hunt in hunts if urgency(hunt.level) >= urgency("medium")}
    return [
        _verdict(one, passed.get(one.id, set()), fired.get(one.id, set()), streams, alarming)
        for one in cases
    ]


def _verdict(
    case: Case, passed: set[str], fired: set[str], streams: set[str], alarming: set[str]
) -> Verdict:
    # A single event is no stream: what a stream hunt thinks of it is what its filter says.
    alone = len(case.events) == 1
    said = fired | (passed & (streams if alone else case.filter_only))
    found = case.expected & said
    false = case.must_not_fire & said
    if case.benign:
        false |= fired & alarming
    return Verdict(case, found, case.expected - found, false)


def _passing(hunt: Hunt, engine: Engine) -> list[str]:
    """Cases with an event that passes the hunt's filter."""
    query = Query(
        where=hunt.condition, group_by=(Terms(CASE),), metrics=(Metric("events", "count"),)
    )
    return [str(row[0]) for row in engine.run(query).rows]


def _fires(hunt: Hunt, engine: Engine) -> bool:
    if isinstance(hunt, TopHunt):
        return False
    if isinstance(hunt, MatchHunt) and not hunt.echoes_of:
        return True  # Every event that passes is in a finding.
    return bool(run_hunt(hunt, engine, Window()).findings)
