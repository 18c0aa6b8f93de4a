"""Given findings, these stories come out."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from k8sidx.backends.result import Value
from k8sidx.hunt.actor_timeline import NOBODY, timelines_of
from k8sidx.hunt.result import Finding
from tests.building import START


def finding(
    hunt: str = "a", level: str = "low", minutes: float | None = 0, lasting: float = 0, **key: str
) -> Finding:
    begin: datetime | None = None if minutes is None else START + timedelta(minutes=minutes)
    end = None if begin is None else begin + timedelta(minutes=lasting)
    named = {name.replace("__", "."): value for name, value in key.items()}
    return Finding(hunt, level, dict(named), 1, begin, end, "Something happened.")


def told(*findings: Finding) -> list[tuple[str, str, list[str]]]:
    return [(s.actor, s.level, [f.hunt for f in s.findings]) for s in timelines_of(findings)]


def test_findings_of_one_user_are_one_story_in_order_of_time() -> None:
    first = finding("early", "high", 0, user__effective__name="erin")
    second = finding("late", "low", 30, user__effective__name="erin")
    assert told(second, first) == [("erin", "high", ["early", "late"])]


def test_a_quiet_hour_ends_a_story() -> None:
    first = finding("morning", minutes=0, user__effective__name="erin")
    second = finding("evening", minutes=61, user__effective__name="erin")
    assert len(told(first, second)) == 2


def test_a_finding_that_lasts_keeps_its_story_going() -> None:
    first = finding("long", minutes=0, lasting=300, user__effective__name="erin")
    second = finding("next", minutes=330, user__effective__name="erin")
    assert told(first, second) == [("erin", "low", ["long", "next"])]


def test_who_has_no_name_is_told_by_the_address() -> None:
    anonymous = finding(user__effective__name="system:anonymous", source__ip="192.0.2.7")
    unknown = finding(source__ip="192.0.2.8")
    nobody = finding(time="12:00")
    assert [one[0] for one in told(anonymous, unknown, nobody)] == [
        "somebody at 192.0.2.8", "system:anonymous from 192.0.2.7", NOBODY,
    ]  # fmt: skip


def test_the_most_urgent_story_comes_first() -> None:
    loud = finding(level="critical", minutes=50, user__effective__name="mallory")
    quiet = finding(level="low", minutes=0, user__effective__name="alice")
    assert [one[0] for one in told(quiet, loud)] == ["mallory", "alice"]


def test_findings_without_a_time_join_the_actors_first_story() -> None:
    timeless = finding("timeless", minutes=None, user__effective__name="erin")
    later = finding("later", minutes=10, user__effective__name="erin")
    assert told(later, timeless) == [("erin", "low", ["timeless", "later"])]


def test_findings_about_the_same_requests_are_one_step() -> None:
    key: dict[str, Value] = {"user.effective.name": "erin"}
    low = Finding("b", "low", key, 1, START, START, "…", ("x",))
    high = Finding("a", "high", key, 1, START, START, "…", ("x",))
    other = Finding("c", "low", key, 1, START, START, "…", ("y",))
    [story] = timelines_of([low, high, other])
    assert [[f.hunt for f in step] for step in story.steps] == [["a", "b"], ["c"]]


TACTICS = {
    "scan": ("discovery",),
    "dump": ("credential-access",),
    "escape": ("privilege-escalation",),
    "backdoor": ("persistence", "privilege-escalation"),
}


def act(hunt: str, minutes: float, level: str = "medium", evidence: str = "") -> Finding:
    made = finding(hunt, level, minutes, user__username="erin")
    return replace(made, audit_ids=(evidence or f"{hunt} {minutes}",))


def chained(*findings: Finding) -> list[tuple[str, list[str], str]]:
    stories = timelines_of(findings, tactics=TACTICS)
    return [(s.level, [f.hunt for f in s.chain], s.chain_text) for s in stories]


def test_an_attack_in_its_order_makes_a_story_critical_and_is_told() -> None:
    steps = [act("scan", 0, "low"), act("dump", 5), act("escape", 9), act("backdoor", 20)]
    assert chained(*steps) == [
        (
            "critical",
            ["scan", "dump", "escape", "backdoor"],
            "discovery (scan), then credential access (dump), then privilege escalation (escape), "
            "then persistence (backdoor)",
        )
    ]


@pytest.mark.parametrize(
    "steps",
    [
        [act("dump", 0), act("backdoor", 5)],
        [act("backdoor", 0), act("dump", 5), act("scan", 9)],
        [act("scan", 0), act("dump", 5, "low"), act("escape", 9, "low")],
        [act("scan", 0), act("dump", 5), act("escape", 90)],
        [act(hunt, 0, evidence="x") for hunt in ("scan", "dump", "escape")],
        [act("dump", n) for n in range(9)],
    ],
    ids=["two stages", "not in order", "too low", "a quiet hour between", "one request", "one act"],
)
def test_findings_that_are_no_attack_in_order_keep_their_level(steps: list[Finding]) -> None:
    assert all(level != "critical" and not chain for level, chain, _ in chained(*steps))


def test_a_story_of_other_peoples_rules_has_no_chain() -> None:
    steps = [act("scan", 0), act("dump", 5), act("escape", 9)]
    assert [story.chain for story in timelines_of(steps)] == [()]
