"""The report: what was looked at, what was found, and every hunt's table, in one page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from k8sidx.hunt.result import HuntResult
from k8sidx.render.escape import html_text
from k8sidx.render.hunts import counted, hunt_sections
from k8sidx.render.page import html_page
from k8sidx.render.sheet import readable_time


@dataclass(frozen=True, slots=True)
class Looked:
    """What a report is about.

    :param store: where the events lie.
    :param events: events in the store.
    :param first: time of the store's earliest event.
    :param last: time of its latest.
    :param since: the window hunted, where the user gave one.
    :param until: its end.
    :param command: the command line that makes this report again.
    :param made: when it was made.
    """

    store: str
    events: int
    first: datetime | None
    last: datetime | None
    since: datetime | None
    until: datetime | None
    command: str
    made: datetime


def report_html(looked: Looked, results: Sequence[HuntResult]) -> str:
    """A whole HTML page that needs nothing else."""
    title = "Kubernetes audit log hunt report"
    body = [
        f"<h1>{html_text(title)}</h1>",
        f"<p><strong>{html_text(counted(results))}</strong></p>",
        f"<p>{html_text(_about(looked))}</p>",
        *hunt_sections(results),
        f"<footer><p>Made {html_text(readable_time(looked.made))} with "
        f"<code>{html_text(looked.command)}</code></p></footer>",
    ]
    return html_page(title, body)


def _about(looked: Looked) -> str:
    parts = [f"{looked.events:,} events in {looked.store}"]
    if looked.first and looked.last:
        parts.append(f"from {readable_time(looked.first)} to {readable_time(looked.last)}")
    if looked.since:
        parts.append(f"hunted since {readable_time(looked.since)}")
    if looked.until:
        parts.append(f"hunted until {readable_time(looked.until)}")
    return ", ".join(parts) + "."
