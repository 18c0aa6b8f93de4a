"""HTML report: scope, findings, and what could not be judged, in one page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from k8sidx.hunt.actor_timeline import timelines_of
from k8sidx.hunt.attack.chain import tactics_by_hunt
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.evidence import Evidence
from k8sidx.hunt.level import LEVELS
from k8sidx.hunt.result import HuntResult
from k8sidx.show.panels.article import TABLES
from k8sidx.show.panels.survey import Survey
from k8sidx.show.render.attack import tactics
from k8sidx.show.render.chart import chart_of
from k8sidx.show.render.hunts import by_urgency, counted, findings_sheet, sheet_of
from k8sidx.show.render.page import asset, render_page
from k8sidx.show.render.report_stories import STORIES, story_views
from k8sidx.show.render.sheet import Sheet, readable_time

TITLE = "Kubernetes audit log hunt report"
_SECTIONS = (
    ("findings", "Findings"),
    ("article", "The article's tables"),
    ("time", "Over time"),
    ("attack", "ATT&CK"),
    ("quality", "Quality of the log"),
    ("hunts", "All hunts"),
)
"""Sections with their headings; each has a template of its name in ``templates/report``."""
ROWS = 200
"""Rows per hunt table; the command line prints all of them."""


@dataclass(frozen=True, slots=True)
class ReportScope:
    """Events and time that a report covers.

    :param store: location of the events.
    :param events: events in the store.
    :param first: time of the store's earliest event.
    :param last: time of its latest.
    :param since: start of the hunted window, if the user gave one.
    :param until: its end.
    :param command: the command line that reproduces this report.
    :param made: time of its creation.
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
class ReportData:
    """Contents of a report.

    :param hunts: those that ran.
    """

    scope: ReportScope
    hunts: Sequence[Hunt]
    results: Sequence[HuntResult]
    survey: Survey
    evidence: Mapping[str, Evidence] = field(default_factory=dict)


def report_html(data: ReportData) -> str:
    """Return a whole HTML page that needs nothing else."""
    findings = by_urgency(data.results)
    stories = timelines_of(
        (finding for finding in findings if finding.level != LEVELS[0]),
        tactics=tactics_by_hunt(data.hunts),
    )
    return render_page(
        "report.html.j2",
        TITLE,
        style=asset("report.css"),
        scripts=[asset("chart.umd.js"), asset("report.js")],
        sections=_SECTIONS,
        scope=data.scope,
        counted=counted(data.results),
        about=_about(data.scope),
        numbers=_numbers(data),
        stories=story_views(stories, data.evidence),
        stories_left=max(len(stories) - STORIES, 0),
        findings=findings_sheet(findings),
        article=_article(data.results),
        charts=[chart_of(line) for line in data.survey.lines],
        tactics=tactics(data.hunts, data.results),
        facts=_facts(data),
        quality=_quality(data.survey),
        unjudged=_unjudged(data.results),
        hunt_tables=list(_hunt_tables(data.results)),
        silent=[result for result in data.results if not result.rows],
    )


def _numbers(data: ReportData) -> list[tuple[str, str]]:
    """Return the numbers of the headline with their labels."""
    unjudged = sum(1 for result in data.results if result.cannot_judge)
    levels = [finding.level for finding in by_urgency(data.results)]
    numbers = [(f"{data.scope.events:,}", "events"), (f"{len(data.results):,}", "hunts")]
    numbers += [
        (f"{levels.count(level):,}", f"{level} findings")
        for level in reversed(LEVELS)
        if level in levels
    ]
    return [*numbers, (f"{unjudged:,}", "hunts that could not judge everything")]


def _about(scope: ReportScope) -> str:
    parts = [f"{scope.events:,} events in {scope.store}"]
    if scope.first and scope.last:
        parts.append(f"from {readable_time(scope.first)} to {readable_time(scope.last)}")
    if scope.since:
        parts.append(f"hunted since {readable_time(scope.since)}")
    if scope.until:
        parts.append(f"hunted until {readable_time(scope.until)}")
    return ", ".join(parts) + "."


def _article(results: Sequence[HuntResult]) -> list[tuple[str, Sheet]]:
    """Return the tables of the article that have rows, by hunt."""
    by_hunt = {result.hunt: result for result in results}
    return [
        (name, sheet_of(by_hunt[name])) for name in TABLES if name in by_hunt and by_hunt[name].rows
    ]


def _facts(data: ReportData) -> list[str]:
    """Return sentences on what is missing in the log."""
    survey, rejected = data.survey, data.scope.rejected
    facts = [
        f"{survey.truncated:,} events lost their bodies; what needs them cannot be judged.",
        f"{survey.undated:,} events have no time; no window has them.",
    ]
    if rejected is not None:
        facts.append(f"{rejected:,} records were rejected when they were shipped.")
    gaps = [
        f"No events from {readable_time(gap.since)} to {readable_time(gap.until)}."
        for gap in survey.gaps
    ]
    return [*facts, *(gaps or ["No gaps: events in every part of the time."])]


def _quality(survey: Survey) -> list[Sheet]:
    return [
        Sheet(
            table.panel.query.columns, table.rows, table.panel.title, notes=(table.panel.answers,)
        )
        for table in survey.tables
        if table.rows
    ]


def _unjudged(results: Sequence[HuntResult]) -> Sheet:
    rows = [
        (result.hunt, gap.kind, gap.reason, gap.count or None)
        for result in results
        for gap in result.cannot_judge
    ]
    return Sheet(("hunt", "kind", "why", "events"), rows, "What could not be judged")


def _hunt_tables(results: Sequence[HuntResult]) -> Iterator[tuple[str, Sheet, str]]:
    """Yield hunt, table and caption of the hunts with rows, except the article's tables."""
    for result in results:
        if result.rows and result.hunt not in TABLES:
            sheet = sheet_of(result)
            shown = Sheet(sheet.columns, sheet.rows[:ROWS], sheet.title, sheet.level, sheet.notes)
            yield result.hunt, shown, f"{len(shown.rows):,} of {len(sheet.rows):,} rows"
