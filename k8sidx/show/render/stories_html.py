"""Stories of findings in a report: who, what in which order, and the requests behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from k8sidx.hunt.actor_timeline import Story
from k8sidx.hunt.evidence import Evidence
from k8sidx.hunt.result import Finding
from k8sidx.show.render.escape import html_text, iso_time
from k8sidx.show.render.page import html_table, level_badge
from k8sidx.show.render.sheet import Sheet, readable_time

STORIES = 100
"""Stories that a report tells; the tables below have all findings."""
STEPS = 30
"""Steps that a story tells; findings about the same requests are one."""
REQUESTS = 5
"""Requests that are shown of a finding; their auditIDs are all listed."""


def stories_html(stories: Sequence[Story], evidence: Mapping[str, Evidence]) -> list[str]:
    """An article for each story, the most urgent first."""
    parts = [_story(one, evidence) for one in stories[:STORIES]]
    left = len(stories) - STORIES
    if left > 0:
        parts.append(f"<p>… and {left:,} more, in the tables below.</p>")
    return parts or ["<p>The hunts found nothing.</p>"]


def _story(story: Story, evidence: Mapping[str, Evidence]) -> str:
    count = len(story.findings)
    told = f"{count:,} {'finding' if count == 1 else 'findings'}"
    told_steps = story.steps
    steps = [_step(step, evidence) for step in told_steps[:STEPS]]
    left = count - sum(len(step) for step in told_steps[:STEPS])
    if left > 0:
        steps.append(f"<li>… and {left:,} more, in the tables below.</li>")
    return "\n".join(
        [
            f'<article class="story-{html_text(story.level)}">',
            f"<h3>{html_text(story.actor)}{level_badge(story.level)}</h3>",
            f'<p class="soft">{html_text(told)}{_when(story)}</p>',
            "<ol>",
            *steps,
            "</ol>",
            "</article>",
        ]
    )


def _when(story: Story) -> str:
    first, last = story.first_seen, story.last_seen
    if first is None or last is None:
        return ""
    begin = f'<time datetime="{iso_time(first)}">{html_text(readable_time(first))}</time>'
    if readable_time(first) == readable_time(last):
        return f", {begin}"
    end = f'<time datetime="{iso_time(last)}">{html_text(readable_time(last))}</time>'
    return f", from {begin} to {end}"


def _step(step: Sequence[Finding], evidence: Mapping[str, Evidence]) -> str:
    lead, *others = step
    events = f"{lead.count:,} {'event' if lead.count == 1 else 'events'}"
    time = readable_time(lead.first_seen)
    about = f'<span class="soft">{html_text(time)} · {events} · {_link(lead)}</span>'
    also = "".join(
        f"<li>{html_text(one.reason)}{level_badge(one.level)} "
        f'<span class="soft">{_link(one)}</span></li>'
        for one in others
    )
    return (
        f"<li>{html_text(lead.reason)}{level_badge(lead.level)}<br>{about}"
        f"{f'<ul>{also}</ul>' if also else ''}{_requests(lead, evidence)}</li>"
    )


def _link(finding: Finding) -> str:
    return f'<a href="#{html_text(finding.hunt)}">{html_text(finding.hunt)}</a>'


def _requests(finding: Finding, evidence: Mapping[str, Evidence]) -> str:
    """The evidence: some requests in words, and all auditIDs that were kept."""
    if not finding.audit_ids:
        return ""
    known = [evidence[one] for one in finding.audit_ids if one in evidence][:REQUESTS]
    sheet = Sheet(
        ("time", "request", "from", "user agent"),
        [(one.time, one.message, one.address, one.agent) for one in known],
    )
    table = html_table(sheet, caption="The first requests") if known else ""
    ids = " ".join(f"<code>{html_text(one)}</code>" for one in finding.audit_ids)
    return f"<details><summary>Evidence</summary>{table}<p>auditID: {ids}</p></details>"
