"""Views of an investigation's answers: search, who, history, diff."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from k8sidx.backends.result import Value
from k8sidx.investigate.compare import DIMENSIONS, Difference
from k8sidx.investigate.history import Change, History
from k8sidx.investigate.scope import Scope
from k8sidx.investigate.search import Hits
from k8sidx.investigate.who import Answer
from k8sidx.show.render.escape import visible
from k8sidx.show.render.requests import caller, requests_sheet, short_sheet
from k8sidx.show.render.sheet import Sheet, readable_time
from k8sidx.show.render.view import View, document, records

if TYPE_CHECKING:
    from rich.console import Console

_STYLES = {"+": "green", "-": "red", "~": "yellow"}
LINES_SHOWN = 40
"""Lines of a difference that a terminal shows."""


def hits_view(hits: Hits, scope: Scope) -> View:
    """Return the view of a search."""
    from k8sidx.show.render.terminal import print_sheet

    sheet = requests_sheet(hits.rows, "Search")
    data = document(
        scope,
        "found" if hits.rows else "not_found",
        matching=hits.events,
        read_one_by_one=hits.scanned,
        unread=hits.unread,
        events=records(sheet),
    )
    short = short_sheet(hits.rows, "Search")
    return View(sheet, data, lambda console: print_sheet(console, short), hits.rows)


def answer_view(answer: Answer, scope: Scope) -> View:
    """Return the view of who did something."""
    from k8sidx.show.render.terminal import print_sheet

    certain = requests_sheet(answer.requests)
    causes = requests_sheet(answer.causes)
    rows: list[tuple[Value, ...]] = [("yes", *row) for row in certain.rows]
    rows += [("possibly", *row) for row in causes.rows]
    title = f"Who {answer.act} {answer.reference}"
    sheet = Sheet((answer.act, *certain.columns), rows, title)
    data = document(
        scope,
        answer.act if answer.requests else f"not_{answer.act}",
        object={
            "resource": answer.reference.resource,
            "namespace": answer.reference.namespace or None,
            "name": answer.reference.name,
        },
        requests=records(certain),
        possible_causes=records(causes),
    )

    def draw(console: Console) -> None:
        if answer.requests:
            print_sheet(console, short_sheet(answer.requests, title))
        if answer.causes:
            print_sheet(console, short_sheet(answer.causes, "Possible causes"))

    return View(sheet, data, draw)


def nobody_line(answer: Answer) -> str:
    """Return the sentence for an object that nobody did this to by name."""
    text = f"no request by name {answer.act} {answer.reference} in these events"
    if answer.touched is None:
        return f"{text}."
    last = answer.touched
    return f"{text}; the last one about it: {caller(last)} {last.text}, {readable_time(last.time)}."


def history_view(history: History, scope: Scope) -> View:
    """Return the view of an object's history."""
    columns = ("time", "who", "as", "from", "did", "outcome", "difference", "note", "audit_id")
    rows: list[tuple[Value, ...]] = []
    for change in history.changes:
        request = change.request
        rows.append(
            (
                request.time,
                request.user or None,
                request.acting_as or None,
                request.address or None,
                request.text,
                request.outcome,
                list(change.lines),
                change.note or None,
                request.audit_id or None,
            )
        )
    sheet = Sheet(columns, rows, "History")
    verdict = "changed" if history.changes else "not_changed"
    data = document(scope, verdict, status_requests_left_out=history.quiet, changes=records(sheet))
    return View(sheet, data, lambda console: _print_history(console, history.changes))


def _print_history(console: Console, changes: Sequence[Change]) -> None:
    from rich.padding import Padding
    from rich.text import Text

    for change in changes:
        request = change.request
        head = Text(f"{readable_time(request.time)}  ", style="dim")
        head.append(visible(f"{caller(request)} {request.text}"), style="bold")
        head.append(visible(f"  from {request.address or 'an unknown address'}"), style="dim")
        console.print(head)
        for line in change.lines[:LINES_SHOWN]:
            text = Text(visible(line), style=_STYLES.get(line[:1], ""))
            console.print(Padding(text, (0, 0, 0, 2)))
        left = len(change.lines) - LINES_SHOWN
        if left > 0:
            console.print(Padding(Text(f"… {left:,} more lines", style="dim"), (0, 0, 0, 2)))
        if change.note:
            console.print(Padding(Text(visible(change.note), style="dim"), (0, 0, 0, 2)))


def differences_view(changes: Sequence[Difference], scope: Scope, before: Scope) -> View:
    """Return the view of a comparison of two periods."""
    from k8sidx.show.render.terminal import print_sheet

    columns = ("change", "dimension", "value", "events", "before")
    rows: list[tuple[Value, ...]] = [
        (item.change, item.dimension, difference_text(item), item.events, item.before)
        for item in changes
    ]
    sheet = Sheet(columns, rows, "Differences")
    listed = [
        {
            "change": item.change,
            "dimension": item.dimension,
            "values": dict(zip(DIMENSIONS[item.dimension], item.values, strict=True)),
            "events": item.events,
            "before": item.before,
        }
        for item in changes
    ]
    against = document(before, "")["looked_at"]
    data = document(scope, "different" if changes else "same", against=against, differences=listed)
    return View(sheet, data, lambda console: print_sheet(console, sheet, most=60))


def difference_text(item: Difference) -> str:
    """Return the values of a change in words."""
    user, *others = item.values
    user = user or "no user"
    match item.dimension:
        case "who":
            return f"{user} as {others[0]}" if others[0] else user
        case "what":
            verb, resource, namespace = others
            resource = resource or "other paths"
            return f"{user}: {verb} {resource}{f' in {namespace}' if namespace else ''}"
        case "refused":
            verb, resource, code = others
            resource = resource or "other paths"
            return f"{user}: {verb} {resource} ({code})"
        case _:
            return f"{user}: {others[0] or 'nothing'}"
