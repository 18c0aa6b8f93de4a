"""The three sentences at the top of a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from k8sidx.hunt.level import LEVELS, urgency
from k8sidx.hunt.result import HuntResult
from k8sidx.show.panels.survey import Survey
from k8sidx.show.render.judged import judged_text
from k8sidx.show.render.report_stories import StoryView
from k8sidx.show.render.sheet import quantity, readable_time

LEAST = "medium"
"""Level from which on a story counts in the summary."""


def looked_at(results: Sequence[HuntResult], hunts: int) -> str:
    """Return the sentence on the events and the hunts.

    :param hunts: number of hunts that were selected; those without a result could not run.
    """
    judged = next((result.judged for result in results if result.judged), None)
    events = judged_text(judged) if judged else "no hunt judged any event"
    ran = quantity(len(results), "hunt")
    refused = hunts - len(results)
    more = f"; {quantity(refused, 'hunt')} could not run here" if refused else ""
    return f"{events[:1].upper()}{events[1:]}, by {ran}{more}."


def worst(stories: Sequence[StoryView], results: Sequence[HuntResult]) -> str:
    """Return the sentence on what was found."""
    serious = [view for view in stories if urgency(view.story.level) >= urgency(LEAST)]
    if not serious:
        judged = next((result.judged for result in results if result.judged), None)
        if judged is not None and not judged.count:
            return "Without events there is nothing to find: this is not an all-clear."
        return f"No finding of level {LEAST} or above."
    incidents = sum(view.is_incident for view in stories)
    actors = len({view.story.actor for view in serious})
    top = serious[0]
    text = top.headline.rstrip(".")
    return (
        f"{_stories(len(serious))} of {quantity(actors, 'actor')} "
        f"{'has' if len(serious) == 1 else 'have'} findings of level {LEAST} or above, "
        f"{incidents:,} of them {'is an incident' if incidents == 1 else 'are incidents'}; the "
        f"worst is {top.story.level}: {top.who}: {text}."
    )


def unknown(results: Sequence[HuntResult], survey: Survey, rejected: int | None) -> str:
    """Return the sentence on what the log does not tell."""
    unable = [result for result in results if result.cannot_judge]
    parts = []
    if unable:
        kinds = Counter(gap.kind for result in unable for gap in result.cannot_judge)
        listed = ", ".join(f"{kind} {count:,}" for kind, count in kinds.most_common())
        parts.append(f"{quantity(len(unable), 'hunt')} cannot judge all events ({listed})")
    if survey.gaps:
        first = survey.gaps[0]
        span = f"{readable_time(first.since)} to {readable_time(first.until)}"
        more = f" and {len(survey.gaps) - 1:,} more" if len(survey.gaps) > 1 else ""
        parts.append(f"there are no events from {span}{more}")
    if survey.truncated:
        parts.append(f"{quantity(survey.truncated, 'event')} lost their bodies")
    if rejected:
        parts.append(f"{quantity(rejected, 'record')} could not be read")
    if not parts:
        return "Every hunt could judge all events, and the log has no gaps."
    return f"Not known: {'; '.join(parts)}."


def numbers(results: Sequence[HuntResult], stories: Sequence[StoryView]) -> list[tuple[str, str]]:
    """Return numbers with their labels."""
    levels = Counter(finding.level for result in results for finding in result.findings)
    shown = [(f"{levels[level]:,}", f"{level} findings") for level in reversed(LEVELS)
             if levels[level]]  # fmt: skip
    incidents = sum(view.is_incident for view in stories)
    return [(f"{incidents:,}", "incidents"), *shown]


def _stories(count: int) -> str:
    return f"{count:,} {'story' if count == 1 else 'stories'}"
