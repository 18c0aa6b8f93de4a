"""Tests of rules: the findings over a file of events are those that are expected.

A hunt that cannot judge the events has not passed: no finding proves nothing then.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from k8sidx.errors import K8sidxError, UsageError
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.library.load import load_hunts
from k8sidx.hunt.lists import Lists
from k8sidx.hunt.required_fields import required_fields
from k8sidx.hunt.run import Window, run_hunt
from k8sidx.investigate.copies import copy_of_file

MATCH, CLEAN = "match", "clean"
"""Middle parts of the names of event files beside a rule: ``rule.match.jsonl``."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """Number of findings that are expected.

    :param count: ``None`` for any number but none.
    """

    count: int | None = None

    def __str__(self) -> str:
        return "findings" if self.count is None else f"{self.count:,} findings"

    def is_met(self, findings: int) -> bool:
        return findings > 0 if self.count is None else findings == self.count


@dataclass(frozen=True, slots=True)
class Case:
    """A hunt, a file of events and what is expected."""

    hunt: Hunt
    events: str
    expected: Expectation


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a case.

    :param findings: ``None`` where the hunt did not run.
    :param failure: why it failed; empty for a success.
    """

    case: Case
    findings: int | None
    failure: str
    seconds: float


def parse_expectation(text: str) -> Expectation:
    """Parse ``findings``, ``none`` or a number.

    :raises UsageError: when it is something else.
    """
    if text == "findings":
        return Expectation()
    if text == "none":
        return Expectation(0)
    if text.isdecimal():
        return Expectation(int(text))
    raise UsageError(f"{text!r} is not an expectation.", remedy="Write findings, none or a number.")


def cases_of(
    rules: Sequence[str], events: Sequence[str], expected: Expectation, lists: Lists
) -> list[Case]:
    """Return the cases: each rule over each file, or over the files beside the rule.

    :param events: files; without any, ``RULE.match.*`` must have findings and ``RULE.clean.*``
        none.
    :raises UsageError: when there is no case.
    :raises InvalidHunt: when a rule cannot be read.
    """
    hunts = load_hunts(rules, lists)
    if events:
        return [Case(hunt, path, expected) for hunt in hunts for path in events]
    cases = [case for hunt in hunts for case in _beside(hunt)]
    if not cases:
        raise UsageError(
            "there are no events to test with.",
            remedy=f"Give --events FILE, or put RULE.{MATCH}.jsonl and RULE.{CLEAN}.jsonl beside "
            "the rule.",
        )
    return cases


def _beside(hunt: Hunt) -> Iterator[Case]:
    path = Path(hunt.source)
    for word, expected in ((MATCH, Expectation()), (CLEAN, Expectation(0))):
        for file in sorted(path.parent.glob(f"{path.stem}.{word}.*")):
            yield Case(hunt, str(file), expected)


def run_case(case: Case) -> Outcome:
    """Run the hunt of a case over its events."""
    started = time.monotonic()
    try:
        with copy_of_file(case.events, required_fields([case.hunt])) as engine:
            result = run_hunt(case.hunt, engine, Window())
    except K8sidxError as error:
        return Outcome(case, None, str(error), time.monotonic() - started)
    count = len(result.findings) or (len(result.rows) if case.hunt.kind == "top" else 0)
    failure = ""
    if not case.expected.is_met(count):
        failure = f"expected {case.expected}, got {count:,}"
    elif result.cannot_judge and not count:
        failure = f"cannot judge: {result.cannot_judge[0].reason}"
    return Outcome(case, count, failure, time.monotonic() - started)
