"""Stories of a report: findings per actor, ranked, and the requests that they rest on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from k8sidx.hunt.actor_timeline import CLUSTER, ActorTimeline, timelines_of
from k8sidx.hunt.attack.chain import Tactics
from k8sidx.hunt.findings.risk import BOUND, risk_of
from k8sidx.hunt.level import LEVELS, urgency
from k8sidx.hunt.result import Finding
from k8sidx.investigate.evidence import single
from k8sidx.investigate.requests import Request
from k8sidx.show.render.escape import iso_time
from k8sidx.show.render.story_text import lead_of, step_commands, story_commands, what, who

REQUESTS = 5
"""Requests shown per finding; its auditIDs are all listed."""


@dataclass(frozen=True, slots=True)
class StepView:
    """A step of a story: findings about the same requests.

    :param id: of its element.
    :param text: sentence of the request, or of the most urgent finding.
    :param requests: the first requests.
    :param tactics: of the hunts; ``namespaces`` and ``clusters`` those of the requests.
    :param first: time of the first request in ISO-8601; empty without one.
    :param commands: what to run next.
    """

    id: str
    lead: Finding
    others: Sequence[Finding]
    text: str
    requests: Sequence[Request]
    tactics: Sequence[str]
    namespaces: Sequence[str]
    clusters: Sequence[str]
    first: str
    last: str
    commands: Sequence[str]

    @property
    def reasons(self) -> Sequence[Finding]:
        """Findings whose sentences differ from that of the step, and from one another."""
        by_reason = {finding.reason: finding for finding in (*reversed(self.others), self.lead)}
        by_reason.pop(self.text, None)
        return list(by_reason.values())[::-1]


@dataclass(frozen=True, slots=True)
class StoryView:
    """A story with the steps that are shown of it.

    :param rank: from 1, the most urgent.
    :param who: the actor, whom it acts as, and from where.
    :param headline: text of its weightiest step.
    :param steps_left: steps that are not shown; ``findings_left`` their findings.
    """

    id: str
    rank: int
    story: ActorTimeline
    who: str
    headline: str
    risk: float
    steps: Sequence[StepView]
    steps_left: int
    findings_left: int
    commands: Sequence[str]

    @property
    def is_incident(self) -> bool:
        return self.risk >= BOUND


@dataclass(frozen=True, slots=True)
class StoryOptions:
    """Options of the stories that are shown.

    :param requests: those behind findings, by auditID.
    :param at: the moment at which risks are counted.
    :param commands: options of commands that read the same events.
    """

    requests: Mapping[str, Sequence[Request]]
    tactics: Tactics
    at: datetime
    commands: str = ""


def ranked_stories(
    findings: Sequence[Finding], tactics: Tactics, at: datetime
) -> list[tuple[ActorTimeline, float]]:
    """Return stories with their risks: the most urgent level first, then the greatest risk.

    Informational findings are in no story.
    """
    actionable = [finding for finding in findings if finding.level != LEVELS[0]]
    stories = [
        (story, risk_of(story.findings, at)) for story in timelines_of(actionable, tactics=tactics)
    ]
    return sorted(stories, key=lambda pair: (-urgency(pair[0].level), -pair[1]))


def story_views(
    stories: Sequence[tuple[ActorTimeline, float]], options: StoryOptions, *, most_steps: int
) -> list[StoryView]:
    """Return the views of ranked stories."""
    known = single(options.requests)
    return [
        _story_view(rank, story, risk, known, options, most_steps)
        for rank, (story, risk) in enumerate(stories, 1)
    ]


def _story_view(
    rank: int,
    story: ActorTimeline,
    risk: float,
    known: Mapping[str, Request],
    options: StoryOptions,
    most: int,
) -> StoryView:
    steps, identifier = story.steps, f"story-{rank}"
    return StoryView(
        id=identifier,
        rank=rank,
        story=story,
        who=who(story, known),
        headline=what(steps[lead_of(steps)], known),
        risk=risk,
        steps=[
            _step_view(f"{identifier}-{number}", step, known, options)
            for number, step in enumerate(steps[:most], 1)
        ],
        steps_left=len(steps[most:]),
        findings_left=sum(map(len, steps[most:])),
        commands=story_commands(story, options.commands),
    )


def _step_view(
    identifier: str,
    step: Sequence[Finding],
    known: Mapping[str, Request],
    options: StoryOptions,
) -> StepView:
    lead, *others = step
    requests = list(_requests(lead, options.requests))
    tactics = [name for f in step for name in options.tactics.get(f.hunt, ())]
    return StepView(
        id=identifier,
        lead=lead,
        others=others,
        text=what(step, known),
        requests=requests[:REQUESTS],
        tactics=_distinct(tactics),
        namespaces=_distinct(
            [*_of_keys(step, "objectRef.namespace"), *(r.namespace for r in requests)]
        ),
        clusters=_distinct([*_of_keys(step, CLUSTER), *(r.cluster for r in requests)]),
        first=iso_time(lead.first_seen) if lead.first_seen else "",
        last=iso_time(lead.last_seen) if lead.last_seen else "",
        commands=step_commands(lead, options.commands),
    )


def _requests(finding: Finding, known: Mapping[str, Sequence[Request]]) -> Iterator[Request]:
    for identifier in finding.audit_ids:
        yield from known.get(identifier, ())[:1]


def _of_keys(step: Sequence[Finding], field: str) -> list[str]:
    return [str(finding.key.get(field) or "") for finding in step]


def _distinct(names: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(name for name in names if name))
