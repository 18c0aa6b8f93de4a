"""Timelines: events and findings in one list, in sessions on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from k8sidx.backends.result import Value
from k8sidx.hunt.result import Finding
from k8sidx.investigate.requests import Request
from k8sidx.investigate.scope import Scope
from k8sidx.investigate.sessions import Session, Step
from k8sidx.show.render.escape import json_line, visible
from k8sidx.show.render.requests import caller
from k8sidx.show.render.sheet import Sheet, quantity, readable_time
from k8sidx.show.render.view import View, document, records

if TYPE_CHECKING:
    from rich.console import Console

COLUMNS = (
    "time", "last", "kind", "session", "level", "who", "as", "from", "text", "count", "outcome",
    "hunt", "cluster", "agent", "audit_id",
)  # fmt: skip
SOURCE = "k8s:audit"


def timeline_sheet(sessions: Sequence[Session]) -> Sheet:
    """Return a row for each step, and after it one for each of its findings."""
    rows: list[tuple[Value, ...]] = []
    for number, session in enumerate(sessions, 1):
        for step in session.steps:
            rows.append(_step_row(number, step))
            rows += [_finding_row(number, step, finding) for finding in step.findings]
    return Sheet(COLUMNS, rows, "Timeline")


def step_text(step: Step) -> str:
    """Return the sentence of a step; of different requests, one on all of them."""
    request = step.first
    if len({other.text for other in step.requests}) == 1:
        return request.text
    namespaces = sorted({other.namespace for other in step.requests if other.namespace})
    where = f" in {namespaces[0]}" if len(namespaces) == 1 else ""
    if len(namespaces) > 1:
        where = f" in {len(namespaces):,} namespaces"
    text = f"{request.verb} {request.resource}{where}, {quantity(step.names, 'object')}"
    if request.outcome == "success":
        return text
    word = "denied" if request.code == 403 else request.outcome
    return f"{word} ({request.code or 'no code'}): {text}"


def findings_text(findings: Sequence[Finding]) -> str:
    """Return the hunts of findings about the same requests: ``secret_list, secret_get``."""
    return ", ".join(dict.fromkeys(finding.hunt for finding in findings))


def timesketch_lines(sessions: Sequence[Session]) -> str:
    """Return JSON Lines for Timesketch: each request and each finding with its time."""
    lines = []
    for session in sessions:
        for step in session.steps:
            lines += [json_line(_sketch(request)) for request in step.requests if request.time]
            lines += [
                json_line(_finding_sketch(step.first, finding))
                for finding in step.findings
                if finding.first_seen
            ]
    return "".join(f"{line}\n" for line in lines)


def print_timeline(console: Console, sessions: Sequence[Session]) -> None:
    """Print a heading for each session, and a line for each step and finding."""
    from rich.table import Table
    from rich.text import Text

    from k8sidx.show.render.terminal import level_text

    for session in sessions:
        console.print(Text(visible(_heading(session)), style="bold"))
        grid = Table.grid(padding=(0, 2))
        grid.add_column(no_wrap=True, style="dim")
        grid.add_column(no_wrap=True, justify="right")
        grid.add_column(overflow="fold")
        for step in session.steps:
            count = f"{len(step.requests):,}x" if len(step.requests) > 1 else ""
            style = "" if step.first.outcome == "success" else "yellow"
            time = readable_time(step.first.time)[11:] or "no time"
            grid.add_row(time, count, Text(visible(step_text(step)), style=style))
            if step.findings:
                text = level_text(step.findings[0].level)
                text.append(f"  {visible(findings_text(step.findings))}", style="bold")
                grid.add_row("", "", text)
        console.print(grid)
        console.print()


def _heading(session: Session) -> str:
    first, last = readable_time(session.first.time), readable_time(session.last_time)
    cluster = f" on {session.first.cluster}" if session.first.cluster else ""
    program = session.first.agent_name or session.first.agent
    return (
        f"{caller(session.first)}{cluster} from {session.first.address or 'an unknown address'}"
        f"{f' with {program}' if program else ''}: {quantity(session.requests, 'request')}, "
        f"{first} to {last}"
    )


def _step_row(number: int, step: Step) -> tuple[Value, ...]:
    request = step.first
    return (
        request.time, step.requests[-1].time, "event", number, None, request.user or None,
        request.acting_as or None, request.address or None, step_text(step), len(step.requests),
        request.outcome, None, request.cluster or None, request.agent or None,
        request.audit_id or None,
    )  # fmt: skip


def _finding_row(number: int, step: Step, finding: Finding) -> tuple[Value, ...]:
    request = step.first
    evidence = finding.audit_ids[0] if finding.audit_ids else None
    return (
        finding.first_seen, finding.last_seen, "finding", number, finding.level,
        request.user or None, request.acting_as or None, request.address or None, finding.reason,
        finding.count, None, finding.hunt, request.cluster or None, None, evidence,
    )  # fmt: skip


def _sketch(request: Request) -> dict[str, Value]:
    present: Iterator[tuple[str, Value]] = (
        (name, value)
        for name, value in {
            "message": f"{caller(request)} {request.text}",
            "datetime": request.time,
            "timestamp_desc": "Request completed",
            "data_type": SOURCE,
            "audit_id": request.audit_id,
            "username": request.user,
            "impersonated_username": request.acting_as,
            "source_ip": request.address,
            "verb": request.verb,
            "resource": request.resource,
            "namespace": request.namespace,
            "name": request.name,
            "outcome": request.outcome,
            "status_code": request.code,
            "user_agent": request.agent,
            "cluster": request.cluster,
        }.items()
        if value not in (None, "")
    )
    return dict(present)


def _finding_sketch(request: Request, finding: Finding) -> dict[str, Value]:
    return {
        "message": f"[{finding.level}] {finding.reason}",
        "datetime": finding.first_seen,
        "timestamp_desc": "Finding first seen",
        "data_type": "k8sidx:finding",
        "hunt": finding.hunt,
        "level": finding.level,
        "username": request.user,
        "source_ip": request.address,
        "audit_id": ", ".join(finding.audit_ids),
    }


def timeline_view(sessions: Sequence[Session], scope: Scope) -> View:
    """Return the view of a timeline."""
    sheet = timeline_sheet(sessions)
    data = document(scope, "events" if sessions else "no_events", timeline=records(sheet))
    return View(sheet, data, lambda console: print_timeline(console, sessions))
