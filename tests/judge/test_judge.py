"""The judge judges: a verdict is what the hunts say, case by case. And the library is exact."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from k8sidx.hunt.library.load import load_hunts, load_library
from tests.building import event
from tests.judge.cases import CASES, Case, indicators, judged, load_cases
from tests.judge.engines import embedded, tagged
from tests.judge.recorded import RECORDED
from tests.judge.run import judge_alone

NONE: frozenset[str] = frozenset()
EXEC = event("get", name="web", subresource="exec", code=101)


def case(name: str, *events: dict[str, Any], **more: Any) -> Case:
    said: dict[str, Any] = {"expected": NONE, "must_not_fire": NONE, "filter_only": NONE}
    said |= {"indicators": (), "strict": True, "benign": False}
    return Case(name, "ours", "self-managed", events, **(said | more))


@pytest.mark.parametrize(
    ("one", "missed", "false"),
    [
        (case("a", EXEC, expected={"pod_exec"}), set(), set()),
        (case("a", event(), expected={"pod_exec"}), {"pod_exec"}, set()),
        (case("a", EXEC, must_not_fire={"pod_exec"}), set(), {"pod_exec"}),
        (case("a", event(), must_not_fire={"pod_exec"}), set(), set()),
        (case("a", event(code=403), expected={"forbidden_burst_user"}), set(), set()),
        (case("a", event(code=403), must_not_fire={"forbidden_burst_user"}), set(),
         {"forbidden_burst_user"}),
        (case("a", event(code=403), event(code=403, seconds=1),
              must_not_fire={"forbidden_burst_user"}), set(), set()),
        (case("a"), set(), set()),
    ],
)  # fmt: skip
def test_a_verdict_is_what_the_hunts_say_of_the_cases_own_events(
    one: Case, missed: set[str], false: set[str], tmp_path: Path
) -> None:
    # The same events in another case are no part of the verdict on this one.
    other = case("b", EXEC, event(code=403))
    events = tagged({each.id: each.events for each in (other, one)})
    hunts = load_hunts(["pod_exec", "forbidden_burst_user"])
    with embedded(tmp_path, events) as engine:
        verdict = judged([one, other], hunts, engine)[0]
    assert set(verdict.missed) == missed
    assert set(verdict.false) == false


CONTRADICTORY = [
    "panther/gcp_k8s_exec_into_pod--01-disallowed-user2-not-an-allowed-namespace",
]
"""Strict cases whose event contradicts itself: forbidden, and with the code of a success."""


@pytest.mark.skipif(not CASES.is_dir(), reason="needs the public test cases beside the checkout")
def test_every_case_has_its_verdict_or_is_explained(tmp_path: Path) -> None:
    cases = load_cases()
    events = tagged({one.id: one.events for one in cases})
    with embedded(tmp_path, events) as engine:
        verdicts = judged(cases, load_library(indicators()), engine)
    others = [one for one in verdicts if not one.exact]
    assert [one.case.id for one in others if one.case.strict] == CONTRADICTORY
    assert [one.case.id for one in others if not one.explanation] == []


@pytest.mark.skipif(not RECORDED.is_dir(), reason="needs the recorded logs beside the checkout")
def test_every_recorded_attack_is_found_without_any_history(tmp_path: Path) -> None:
    alone = judge_alone(load_library(), tmp_path)
    assert [one.scenario.name for one in alone if not one.by] == []
