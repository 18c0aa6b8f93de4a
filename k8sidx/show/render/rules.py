"""Explanations and tests of rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from k8sidx.backends.result import Value
from k8sidx.investigate.rule_explain import Explanation, Test
from k8sidx.investigate.rule_tests import Outcome
from k8sidx.show.render.escape import visible
from k8sidx.show.render.sheet import Sheet, readable
from k8sidx.show.render.view import View

if TYPE_CHECKING:
    from rich.console import Console

_COLUMNS = ("rule", "event", "matches", "selection", "test", "passed", "value")


def explanations_view(explanations: Sequence[Explanation]) -> View:
    """Return the view of rules over events."""
    rows: list[tuple[Value, ...]] = [
        (e.rule, e.event, e.matches, selection.name, test.text, test.holds, _values(test))
        for e in explanations
        for selection in e.selections
        for test in selection.tests
    ]
    document = {
        "explanations": [
            {
                "rule": e.rule,
                "event": e.event,
                "event_id": e.event_id,
                "condition": e.condition,
                "matches": e.matches,
                "selections": [
                    {
                        "name": selection.name,
                        "passed": selection.holds,
                        "tests": [
                            {"test": t.text, "passed": t.holds, "values": dict(t.values)}
                            for t in selection.tests
                        ],
                    }
                    for selection in e.selections
                ],
            }
            for e in explanations
        ]
    }
    sheet = Sheet(_COLUMNS, rows, "Explanation")
    return View(sheet, document, lambda console: _print(console, explanations))


def _values(test: Test) -> str:
    if len(test.values) == 1:
        [value] = test.values.values()
        return "missing" if value in (None, []) else readable(value)
    return ", ".join(
        f"{name}: {'missing' if value in (None, []) else readable(value)}"
        for name, value in test.values.items()
    )


def _print(console: Console, explanations: Sequence[Explanation]) -> None:
    from rich.text import Text

    for e in explanations:
        verdict = ("matches", "bold green") if e.matches else ("does not match", "bold red")
        console.print(Text(visible(e.event), style="bold"))
        head = Text(visible(f"{e.rule}: "))
        head.append(verdict[0], style=verdict[1]).append(visible(f"  ({e.condition})"), style="dim")
        console.print(head)
        for selection in e.selections:
            state = "holds" if selection.holds else "fails"
            console.print(Text(visible(f"  {selection.name}: {state}"), style="bold"))
            for test in selection.tests:
                mark, style = ("+", "green") if test.holds else ("-", "red")
                line = Text(f"    {mark} ", style=style).append(visible(test.text))
                line.append(visible(f"   [{_values(test)}]"), style="dim")
                console.print(line)


def outcomes_sheet(outcomes: Sequence[Outcome]) -> Sheet:
    """Return one row per test."""
    rows: list[tuple[Value, ...]] = [
        (
            "fail" if outcome.failure else "ok",
            outcome.case.hunt.id,
            outcome.case.events,
            str(outcome.case.expected),
            outcome.findings,
            outcome.failure or None,
        )
        for outcome in outcomes
    ]
    columns = ("state", "rule", "events", "expected", "findings", "failure")
    return Sheet(columns, rows, "Tests")


def junit_xml(outcomes: Sequence[Outcome]) -> str:
    """Return the tests as JUnit's XML; characters that XML cannot contain are escaped."""
    failed = sum(bool(outcome.failure) for outcome in outcomes)
    suite = ElementTree.Element(
        "testsuite",
        name="k8sidx hunts",
        tests=str(len(outcomes)),
        failures=str(failed),
        errors="0",
        time=f"{sum(outcome.seconds for outcome in outcomes):.3f}",
    )
    for outcome in outcomes:
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=visible(outcome.case.hunt.id),
            name=visible(f"{outcome.case.events}: {outcome.case.expected}"),
            time=f"{outcome.seconds:.3f}",
        )
        if outcome.failure:
            ElementTree.SubElement(case, "failure", message=visible(outcome.failure))
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    text: str = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'
