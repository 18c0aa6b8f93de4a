"""Saved findings with their states, and risks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from k8sidx.backends.result import Value
from k8sidx.hunt.actor_timeline import actor_of
from k8sidx.hunt.findings.lifecycle import LiveFinding
from k8sidx.hunt.findings.risk import Risk
from k8sidx.show.render.escape import visible
from k8sidx.show.render.formats.json import finding_object
from k8sidx.show.render.sheet import Sheet, readable_time
from k8sidx.show.render.story_text import step_commands, usable
from k8sidx.show.render.view import View

if TYPE_CHECKING:
    from rich.console import Console

SHORT = 8
"""Characters of an id that a terminal shows; a command accepts them."""
REASONS_SHOWN = 5


def findings_view(findings: Sequence[LiveFinding]) -> View:
    """Return the view of a list of findings."""
    columns = ("id", "state", "level", "hunt", "actor", "count", "last_seen", "reason")
    rows: list[tuple[Value, ...]] = [
        (
            item.id,
            item.state,
            item.finding.level,
            item.finding.hunt,
            actor_of(item.finding),
            item.finding.count,
            item.finding.last_seen,
            item.finding.reason,
        )
        for item in findings
    ]
    data = {"findings": [finding_document(item) for item in findings]}
    short = Sheet(columns, [(str(row[0])[:SHORT], *row[1:]) for row in rows], "Findings")

    def draw(console: Console) -> None:
        from k8sidx.show.render.terminal import print_sheet

        print_sheet(console, short)

    return View(Sheet(columns, rows, "Findings"), data, draw)


def finding_document(item: LiveFinding) -> dict[str, Any]:
    """Return a finding with its state as an object."""
    return {
        "id": item.id,
        "state": item.state,
        "until": item.until,
        **finding_object(item.finding),
        "history": [change.document() for change in item.history],
    }


def details_document(item: LiveFinding) -> dict[str, Any]:
    """Return a finding with what to look at next, as commands."""
    return {**finding_document(item), "next": next_commands(item)}


def next_commands(item: LiveFinding) -> list[str]:
    """Return commands that investigate a finding, with its values quoted for a shell."""
    commands = [f"k8sidx timeline --finding {item.id}"]
    return [*usable(commands, ""), *step_commands(item.finding, "")]


def risks_view(risks: Sequence[Risk], bound: float) -> View:
    """Return the view of risks; a row for each reason."""
    columns = ("kind", "name", "risk", "incident", "hunt", "level", "findings", "part", "last_seen",
               "reason")  # fmt: skip
    rows: list[tuple[Value, ...]] = [
        (
            risk.kind,
            risk.name,
            round(risk.risk, 1),
            risk.is_incident(bound),
            reason.hunt,
            reason.level,
            reason.findings,
            round(reason.risk, 1),
            reason.last_seen,
            reason.text,
        )
        for risk in risks
        for reason in risk.reasons
    ]
    data = {
        "bound": bound,
        "risks": [
            {
                "kind": risk.kind,
                "name": risk.name,
                "risk": risk.risk,
                "incident": risk.is_incident(bound),
                "reasons": [
                    {
                        "hunt": reason.hunt,
                        "level": reason.level,
                        "findings": reason.findings,
                        "risk": reason.risk,
                        "last_seen": reason.last_seen,
                        "reason": reason.text,
                    }
                    for reason in risk.reasons
                ],
            }
            for risk in risks
        ],
    }
    return View(
        Sheet(columns, rows, "Risk"), data, lambda console: _print_risks(console, risks, bound)
    )


def _print_risks(console: Console, risks: Sequence[Risk], bound: float) -> None:
    from rich.text import Text

    for risk in risks:
        style = "bold red" if risk.is_incident(bound) else "bold"
        head = Text(f"{risk.risk:7.1f}  ", style=style)
        head.append(visible(f"{risk.kind} {risk.name}"), style="bold")
        if risk.is_incident(bound):
            head.append("  incident", style="bold red")
        console.print(head)
        for reason in risk.reasons[:REASONS_SHOWN]:
            times = f" ({reason.findings:,}x)" if reason.findings > 1 else ""
            line = f"{reason.risk:9.1f}  {reason.hunt}{times}: {reason.text}"
            console.print(Text(visible(line)))
            console.print(Text(f"{'':11}{readable_time(reason.last_seen)}", style="dim"))
        left = len(risk.reasons) - REASONS_SHOWN
        if left > 0:
            console.print(Text(f"{'':11}… {left:,} more reasons", style="dim"))
