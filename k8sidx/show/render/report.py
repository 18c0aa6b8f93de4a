"""HTML report: incidents, their requests, and what could not be judged, in one page."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any

from k8sidx.errors import UsageError
from k8sidx.hunt.attack.chain import tactics_by_hunt
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.level import LEVELS
from k8sidx.hunt.result import HuntResult
from k8sidx.investigate.requests import Request
from k8sidx.show.panels.article import TABLES
from k8sidx.show.panels.survey import Survey
from k8sidx.show.render import report_summary as summary
from k8sidx.show.render.attack import tactics
from k8sidx.show.render.chart import chart_of
from k8sidx.show.render.hunts import by_urgency, counted, sheet_of
from k8sidx.show.render.page import asset, render_page
from k8sidx.show.render.report_events import embedded_events
from k8sidx.show.render.report_lanes import lanes_of
from k8sidx.show.render.report_objects import object_groups
from k8sidx.show.render.report_stories import (
    StoryOptions,
    StoryView,
    ranked_stories,
    story_views,
)
from k8sidx.show.render.sheet import Sheet, readable_time

TITLE = "Kubernetes audit log hunt report"
_SECTIONS = (
    ("findings", "Incidents"),
    ("timeline", "Time line"),
    ("objects", "Objects touched"),
    ("attack", "ATT&CK"),
    ("time", "Over time"),
    ("article", "The article's tables"),
    ("quality", "Quality of the log"),
    ("hunts", "All hunts"),
)
"""Sections with their headings; each has a template of its name in ``templates/report``."""
MAX_SIZE = 20_000_000
"""Bytes of a page, unless the user wants more: most mail servers accept it."""


@dataclass(frozen=True, slots=True)
class _Amount:
    """Number of stories, steps and rows in a page."""

    stories: int
    steps: int
    rows: int


_AMOUNTS = (_Amount(2_000, 2_000, 200), _Amount(300, 50, 50), _Amount(100, 10, 10))
"""From all to little: the first one that fits the size is taken."""


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
    :param options: of commands that read the same events, for example ``--store audit``.
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
    options: str = ""


@dataclass(frozen=True, slots=True)
class ReportData:
    """Contents of a report.

    :param hunts: those that were selected; one without a result could not run.
    :param requests: those behind findings, by auditID.
    :param events: their events by auditID, the most important first.
    """

    scope: ReportScope
    hunts: Sequence[Hunt]
    results: Sequence[HuntResult]
    survey: Survey
    requests: Mapping[str, Sequence[Request]] = field(default_factory=dict)
    events: Mapping[str, Sequence[dict[str, Any]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """A whole HTML page that needs nothing else.

    :param events_left: requests whose events had no room in it.
    """

    html: str
    events_left: int


def report_of(data: ReportData, max_size: int = MAX_SIZE) -> Report:
    """Return the report as a page.

    :param max_size: bytes; events are left out first, then steps and rows.
    :raises UsageError: when even little of each list is larger.
    """
    for amount in _AMOUNTS:
        # Nobody who writes to the log can know it.
        placeholder = secrets.token_hex(16)
        page = _page(data, amount, placeholder)
        room = max_size - len(page.encode())
        if room >= 0:
            events, embedded = embedded_events(data.events, room)
            return Report(page.replace(placeholder, events), len(data.events) - embedded)
    raise UsageError(
        f"the report does not fit into {max_size:,} bytes.",
        remedy="Give a larger --max-size, a shorter period, or a higher --level.",
    )


def _page(data: ReportData, amount: _Amount, events: str) -> str:
    findings = by_urgency(data.results)
    by_hunt = tactics_by_hunt(data.hunts)
    at = data.scope.until or data.scope.last or data.scope.made
    ranked = ranked_stories(findings, by_hunt, at)
    stories = story_views(
        ranked[: amount.stories],
        StoryOptions(data.requests, by_hunt, at, data.scope.options),
        most_steps=amount.steps,
    )
    return render_page(
        "report.html.j2",
        TITLE,
        style=asset("report.css"),
        scripts=[asset("chart.umd.js"), asset("report.js"), asset("report_work.js")],
        sections=_SECTIONS,
        scope=data.scope,
        summary=[
            summary.looked_at(data.results, len(data.hunts)),
            summary.worst(stories, data.results),
            summary.unknown(data.results, data.survey, data.scope.rejected),
        ],
        counted=counted(data.results),
        about=_about(data.scope),
        numbers=summary.numbers(data.results, stories),
        stories=stories,
        stories_left=len(ranked) - len(stories),
        informational=sum(finding.level == LEVELS[0] for finding in findings),
        choices=_choices(stories),
        in_order=_in_order(stories),
        lanes=lanes_of(stories),
        objects=object_groups(chain.from_iterable(data.requests.values())),
        article=_article(data.results),
        charts=[chart_of(line) for line in data.survey.lines],
        tactics=tactics(data.hunts, data.results),
        facts=_facts(data),
        quality=_quality(data.survey),
        unjudged=_unjudged(data.results),
        hunts={hunt.id: hunt for hunt in data.hunts},
        hunt_tables=list(_hunt_tables(data.results, amount.rows)),
        silent=[result for result in data.results if not result.rows],
        events=events,
    )


def _choices(stories: Sequence[StoryView]) -> Mapping[str, Sequence[str]]:
    """Return the values that the page can be filtered by."""
    steps = [step for view in stories for step in view.steps]
    return {
        "actor": list(dict.fromkeys(view.story.actor for view in stories)),
        "cluster": sorted({name for step in steps for name in step.clusters}),
        "namespace": sorted({name for step in steps for name in step.namespaces}),
        "level": [level for level in reversed(LEVELS) if level != LEVELS[0]],
        "tactic": sorted({name for step in steps for name in step.tactics}),
    }


def _in_order(stories: Sequence[StoryView]) -> list[tuple[StoryView, Any]]:
    """Return all steps with their stories, in order of time."""
    pairs = [(view, step) for view in stories for step in view.steps]
    return sorted(pairs, key=lambda pair: pair[1].first)


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


def _hunt_tables(results: Sequence[HuntResult], most: int) -> Iterator[tuple[str, Sheet, str]]:
    """Yield hunt, table and caption of the hunts with rows, except the article's tables."""
    for result in results:
        if result.rows and result.hunt not in TABLES:
            sheet = sheet_of(result)
            shown = Sheet(sheet.columns, sheet.rows[:most], sheet.title, sheet.level, sheet.notes)
            yield result.hunt, shown, f"{len(shown.rows):,} of {len(sheet.rows):,} rows"
