"""Lanes of a report's time line: one per actor, with marks where its findings are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from k8sidx.hunt.level import urgency
from k8sidx.show.render.report_stories import StepView, StoryView

LANES = 30
"""Actors that are drawn, the most urgent ones; the list below has all."""
WIDTH = 1000
_ACCOUNT = "system:serviceaccount:"
BINS = 200
"""Marks per lane at most: steps that are closer than this are one mark."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Steps of an actor about the same time.

    :param x: from 0 to :data:`WIDTH`.
    :param target: id of the most urgent step.
    """

    x: int
    level: str
    steps: int
    target: str
    title: str


@dataclass(frozen=True, slots=True)
class Lane:
    """The marks of one actor.

    :param label: the actor, shorter.
    :param target: id of its most urgent story.
    """

    actor: str
    label: str
    target: str
    marks: Sequence[Mark]


@dataclass(frozen=True, slots=True)
class Lanes:
    """All lanes between two moments.

    :param left: actors that are not drawn.
    """

    first: datetime | None
    last: datetime | None
    lanes: Sequence[Lane]
    left: int


def lanes_of(stories: Sequence[StoryView]) -> Lanes:
    """Return the lanes of ranked stories."""
    by_actor: dict[str, list[StoryView]] = {}
    for view in stories:
        by_actor.setdefault(view.story.actor, []).append(view)
    moments = [
        step.lead.first_seen for view in stories for step in view.steps if step.lead.first_seen
    ]
    if not moments:
        return Lanes(None, None, (), len(by_actor))
    first, last = min(moments), max(moments)
    drawn = list(by_actor.items())[:LANES]
    lanes = [
        Lane(actor, _label(actor), views[0].id, _marks(views, first, last))
        for actor, views in drawn
    ]
    return Lanes(first, last, lanes, len(by_actor) - len(lanes))


def _label(actor: str) -> str:
    name = actor.removeprefix(_ACCOUNT)
    return actor if name == actor else f"sa {name}"


def _marks(views: Sequence[StoryView], first: datetime, last: datetime) -> list[Mark]:
    span = (last - first).total_seconds() or 1.0
    bins: dict[int, list[StepView]] = {}
    for view in views:
        for step in view.steps:
            if step.lead.first_seen:
                share = (step.lead.first_seen - first).total_seconds() / span
                bins.setdefault(int(share * (BINS - 1)), []).append(step)
    return [_mark(bin_number, steps) for bin_number, steps in sorted(bins.items())]


def _mark(bin_number: int, steps: Sequence[StepView]) -> Mark:
    worst = max(steps, key=lambda step: urgency(step.lead.level))
    more = f" (and {len(steps) - 1:,} more)" if len(steps) > 1 else ""
    return Mark(
        bin_number * WIDTH // BINS, worst.lead.level, len(steps), worst.id, f"{worst.text}{more}"
    )
