"""The report: what was looked at, what was found, what could not be judged, in one page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib import resources

from k8sidx.hunt.actor_timeline import stories_of
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.evidence import Evidence
from k8sidx.hunt.level import LEVELS
from k8sidx.hunt.result import HuntResult
from k8sidx.show.panels.article import TABLES
from k8sidx.show.panels.survey import Survey
from k8sidx.show.render.attack import attack_html
from k8sidx.show.render.chart import chart_figure
from k8sidx.show.render.escape import html_text
from k8sidx.show.render.hunts import by_urgency, counted, findings_sheet, sheet_of
from k8sidx.show.render.page import html_page, html_section, html_table
from k8sidx.show.render.sheet import Sheet, readable_time
from k8sidx.show.render.stories_html import stories_html

TITLE = "Kubernetes audit log hunt report"
_SECTIONS = (
    ("findings", "Findings"),
    ("article", "The article's tables"),
    ("time", "Over time"),
    ("attack", "ATT&CK"),
    ("quality", "Quality of the log"),
    ("hunts", "All hunts"),
)
ROWS = 200
"""Rows of a hunt's table; the command line gives all of them."""


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
    :param rejected: records in the store's dead-letter files; ``None`` where it has none.
    """

    store: str
    events: int
    first: datetime | None
    last: datetime | None
    since: datetime | None
    until: datetime | None
    command: str
    made: datetime
    rejected: int | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What a report tells.

    :param hunts: those that ran.
    """

    looked: Looked
    hunts: Sequence[Hunt]
    results: Sequence[HuntResult]
    survey: Survey
    evidence: Mapping[str, Evidence] = field(default_factory=dict)


def report_html(told: Told) -> str:
    """A whole HTML page that needs nothing else."""
    made = {
        "findings": _findings(told),
        "article": _article(told),
        "time": [chart_figure(line) for line in told.survey.lines] or ["<p>No events.</p>"],
        "attack": [attack_html(told.hunts, told.results)],
        "quality": _quality(told),
        "hunts": _hunts(told),
    }
    body = [
        '<a class="skip" href="#findings">To the findings</a>',
        f"<header><h1>{TITLE}</h1>",
        *_headline(told),
        "</header>",
        '<nav aria-label="Sections"><ul>',
        *(f'<li><a href="#{name}">{html_text(title)}</a></li>' for name, title in _SECTIONS),
        "</ul></nav>",
        "<main>",
        *(
            "\n".join([f'<section id="{name}"><h2>{html_text(title)}</h2>', *made[name],
                       "</section>"])
            for name, title in _SECTIONS
        ),
        "</main>",
        f"<footer><p>Made {html_text(readable_time(told.looked.made))} with "
        f"<code>{html_text(told.looked.command)}</code></p></footer>",
    ]  # fmt: skip
    scripts = [_asset("chart.umd.js"), _asset("report.js")]
    return html_page(TITLE, body, style=_asset("report.css"), scripts=scripts)


def _asset(name: str) -> str:
    return (resources.files("k8sidx.show.render") / "assets" / name).read_text("utf-8")


def _headline(told: Told) -> list[str]:
    looked = told.looked
    unjudged = sum(1 for result in told.results if result.cannot_judge)
    levels = [finding.level for finding in by_urgency(told.results)]
    numbers = [(f"{looked.events:,}", "events"), (f"{len(told.results):,}", "hunts")]
    numbers += [
        (f"{levels.count(level):,}", f"{level} findings")
        for level in reversed(LEVELS)
        if level in levels
    ]
    numbers.append((f"{unjudged:,}", "hunts that could not judge everything"))
    items = "".join(
        f"<li><strong>{html_text(number)}</strong> {html_text(what)}</li>"
        for number, what in numbers
    )
    return [
        f"<p><strong>{html_text(counted(told.results))}</strong></p>",
        f"<p>{html_text(_about(looked))}</p>",
        f'<ul class="numbers">{items}</ul>',
    ]


def _about(looked: Looked) -> str:
    parts = [f"{looked.events:,} events in {looked.store}"]
    if looked.first and looked.last:
        parts.append(f"from {readable_time(looked.first)} to {readable_time(looked.last)}")
    if looked.since:
        parts.append(f"hunted since {readable_time(looked.since)}")
    if looked.until:
        parts.append(f"hunted until {readable_time(looked.until)}")
    return ", ".join(parts) + "."


def _findings(told: Told) -> list[str]:
    findings = by_urgency(told.results)
    loud = [finding for finding in findings if finding.level != LEVELS[0]]
    parts = stories_html(stories_of(loud), told.evidence)
    if findings:
        sheet = findings_sheet(findings)
        parts.append(
            f"<details><summary>All {len(findings):,} findings as a table</summary>"
            f"{html_table(sheet, caption=counted(told.results))}</details>"
        )
    return parts


def _article(told: Told) -> list[str]:
    results = {result.hunt: result for result in told.results}
    tables = [results[name] for name in TABLES if name in results and results[name].rows]
    if not tables:
        return ["<p>No events to rank.</p>"]
    return [html_section(sheet_of(result), identifier=result.hunt) for result in tables]


def _quality(told: Told) -> list[str]:
    survey, looked = told.survey, told.looked
    facts = [
        f"{survey.truncated:,} events lost their bodies; what needs them cannot be judged.",
        f"{survey.undated:,} events have no time; no window has them.",
    ]
    if looked.rejected is not None:
        facts.append(f"{looked.rejected:,} records were rejected when they were shipped.")
    facts += [
        f"No events from {readable_time(gap.since)} to {readable_time(gap.until)}."
        for gap in survey.gaps
    ] or ["No gaps: events in every part of the time."]
    parts = ["<ul>", *(f"<li>{html_text(fact)}</li>" for fact in facts), "</ul>"]
    for table in survey.tables:
        if table.rows:
            columns = table.panel.query.columns
            notes = (table.panel.answers,)
            parts.append(html_section(Sheet(columns, table.rows, table.panel.title, notes=notes)))
    return [*parts, *_unjudged(told)]


def _unjudged(told: Told) -> list[str]:
    rows = [
        (result.hunt, one.kind, one.reason, one.count or None)
        for result in told.results
        for one in result.cannot_judge
    ]
    if not rows:
        return ["<p>Every hunt could judge all events.</p>"]
    sheet = Sheet(("hunt", "kind", "why", "events"), rows, "What could not be judged")
    return [html_section(sheet, caption=f"{len(rows):,} reasons")]


def _hunts(told: Told) -> list[str]:
    """Every hunt's table but those that stand above, then the hunts that have no rows."""
    parts = []
    silent = []
    for result in told.results:
        if result.hunt in TABLES and result.rows:
            continue
        if not result.rows:
            silent.append(f'<li id="{html_text(result.hunt)}">{html_text(result.title)}</li>')
            continue
        sheet = sheet_of(result)
        shown = Sheet(sheet.columns, sheet.rows[:ROWS], sheet.title, sheet.level, sheet.notes)
        of = f"{len(shown.rows):,} of {len(sheet.rows):,} rows"
        parts.append(html_section(shown, caption=of, identifier=result.hunt))
    if silent:
        parts += [
            f"<h3>Nothing found by {len(silent):,} hunts</h3>",
            f"<details><summary>Their titles</summary><ul>{''.join(silent)}</ul></details>",
        ]
    return parts
