"""First screen of a hunt: at most so many lines, the worst first, nothing left out in silence."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest

from k8sidx.hunt.result import EventsJudged, Finding, HuntResult, Unjudged
from k8sidx.investigate.requests import Request, request_of
from k8sidx.show.render.first_screen import LINES, FirstScreen, print_first_screen
from k8sidx.show.render.terminal import console_on
from tests.building import START, event, row

EVIL = "x\x1b[2J\u202e\n$(reboot)"


def finding(number: int, level: str = "high", user: str = "erin", reason: str = "did") -> Finding:
    at = START + timedelta(minutes=number)
    key = {"user.username": user, "source.ip": "192.0.2.7"}
    return Finding("a_hunt", level, dict(key), 1, at, at, reason, (f"id-{number}",))


def result(*findings: Finding, unjudged: tuple[Unjudged, ...] = ()) -> HuntResult:
    judged = EventsJudged(1234, first=START, last=START, clusters=(("prod", 1234),))
    return HuntResult(
        "a_hunt", "t", "high", "duckdb", True, (), [], list(findings),
        cannot_judge=unjudged, judged=judged,
    )  # fmt: skip


def printed(screen: FirstScreen, width: int = 80) -> list[str]:
    stream = io.StringIO()
    console = console_on(stream)
    console.width = width
    print_first_screen(console, screen)
    return stream.getvalue().splitlines()


def request(**changes: object) -> Request:
    made = {"@timestamp": START, **row(event("get", "secrets", name="db", **changes))}  # type: ignore[arg-type]
    return request_of(made)


def test_the_screen_states_what_was_looked_at_and_what_was_found() -> None:
    gap = Unjudged("level", "no bodies", 3)
    lines = printed(FirstScreen([result(finding(1), unjudged=(gap,))], {}, " --store s"))
    assert lines[0].startswith("1,234 events of cluster prod, 2026-11-23 12:00:00Z")
    assert lines[1].startswith("1 hunt cannot judge all events (level 1)")
    assert "1 finding (1 high) from 1 hunt" in lines
    assert "  k8sidx timeline --actor erin --store s" in lines
    assert "  k8sidx show id-1 --store s" in lines
    assert "  k8sidx hunts show a_hunt" in lines


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_screen_has_at_most_sixty_lines(width: int) -> None:
    findings = [finding(n, user=f"user-{n % 50}", reason="long " * 80) for n in range(500)]
    lines = printed(FirstScreen([result(*findings)]), width)
    assert len(lines) <= LINES
    assert any("more stor" in line for line in lines)
    assert any("500 findings" in line for line in lines)


def test_the_weightiest_step_comes_first_and_the_others_by_time() -> None:
    findings = [finding(n, "medium", reason=f"medium {n}") for n in range(3)]
    worst = finding(9, "critical", reason="the worst")
    text = "\n".join(printed(FirstScreen([result(*findings, worst)])))
    places = [text.index(word) for word in ("the worst", "medium 0", "medium 1", "medium 2")]
    assert places == sorted(places)


def test_a_step_is_the_sentence_of_its_request_with_whom_the_caller_acts_as() -> None:
    made = request(impersonatedUser={"username": "root"}, code=403)
    text = " ".join(printed(FirstScreen([result(finding(1))], {"id-1": made}), 200))
    assert "denied (403): get secrets db in shop" in text
    assert "erin acting as root from 192.0.2.7" in text


def test_without_findings_the_screen_says_so_and_counts_lower_ones() -> None:
    lines = printed(FirstScreen([result(finding(1, "low"))]))
    assert "No finding of level medium or above." in lines
    assert "1 finding (1 low) from 1 hunt" in lines
    assert "  k8sidx hunt --all -v" in lines


def test_log_text_is_inert_and_never_part_of_a_command() -> None:
    text = "\n".join(printed(FirstScreen([result(finding(1, user=EVIL, reason=EVIL))])))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "k8sidx timeline" not in text
    quoted = "\n".join(printed(FirstScreen([result(finding(1, user="a; reboot"))])))
    assert "k8sidx timeline --actor 'a; reboot'" in quoted
