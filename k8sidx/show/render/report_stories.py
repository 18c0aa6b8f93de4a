"""Stories of a report: findings per actor, and the requests that they rest on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from k8sidx.hunt.actor_timeline import ActorTimeline
from k8sidx.hunt.evidence import Evidence
from k8sidx.hunt.result import Finding
from k8sidx.show.render.sheet import Sheet

STORIES = 100
"""Stories per report; the tables below them have all findings."""
STEPS = 30
"""Steps per story; findings about the same requests are one step."""
REQUESTS = 5
"""Requests shown per finding; its auditIDs are all listed."""


@dataclass(frozen=True, slots=True)
class StepView:
    """A step of a story.

    :param lead: the most urgent finding about the requests of this step.
    :param others: the other findings about them.
    :param requests: the first requests.
    """

    lead: Finding
    others: Sequence[Finding]
    requests: Sheet


@dataclass(frozen=True, slots=True)
class StoryView:
    """A story with the steps that are shown of it.

    :param findings_left: findings of the steps that are not shown.
    """

    story: ActorTimeline
    steps: Sequence[StepView]
    findings_left: int


def story_views(
    stories: Sequence[ActorTimeline], evidence: Mapping[str, Evidence]
) -> list[StoryView]:
    """Return the first stories, the most urgent first."""
    return [_story_view(story, evidence) for story in stories[:STORIES]]


def _story_view(story: ActorTimeline, evidence: Mapping[str, Evidence]) -> StoryView:
    steps = story.steps
    return StoryView(
        story,
        [StepView(lead, others, _requests(lead, evidence)) for lead, *others in steps[:STEPS]],
        sum(map(len, steps[STEPS:])),
    )


def _requests(finding: Finding, evidence: Mapping[str, Evidence]) -> Sheet:
    known = [evidence[name] for name in finding.audit_ids if name in evidence][:REQUESTS]
    return Sheet(
        ("time", "request", "from", "user agent"),
        [(request.time, request.message, request.address, request.agent) for request in known],
    )
