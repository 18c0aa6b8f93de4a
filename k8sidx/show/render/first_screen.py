"""First screen of a hunt: what was looked at, the worst stories, what to do next.

At most :data:`LINES` lines, whatever was found; what is left out is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from k8sidx.hunt.actor_timeline import ActorTimeline, timelines_of
from k8sidx.hunt.attack.chain import Tactics
from k8sidx.hunt.level import urgency
from k8sidx.hunt.result import Finding, HuntResult
from k8sidx.investigate.requests import Request
from k8sidx.show.render.escape import visible
from k8sidx.show.render.hunts import findings_counted
from k8sidx.show.render.judged import judged_text
from k8sidx.show.render.sheet import quantity, readable_time
from k8sidx.show.render.story_text import lead_of, period_of, story_commands, what, who

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

LINES = 60
STEPS = 6
"""Steps of a story that are shown: the weightiest, then the next ones in order of time."""
_INDENT = " " * 13
LEAST = "medium"
"""Level from which on a story and its steps are shown."""
_TAIL = 9
"""Lines kept for the summary and the next commands."""


@dataclass(frozen=True, slots=True)
class FirstScreen:
    """Results of hunts for the first screen.

    :param requests: behind findings about one request, by auditID.
    :param tactics: of the hunts, to find attacks in their order.
    :param options: of the commands to run next, for example ``--store audit``.
    """

    results: Sequence[HuntResult]
    requests: Mapping[str, Request] = field(default_factory=dict)
    options: str = ""
    tactics: Tactics | None = None


def worth_showing(results: Sequence[HuntResult]) -> list[Finding]:
    """Return the findings that the screen may show, the most urgent first."""
    findings = chain.from_iterable(result.findings for result in results)
    shown = [finding for finding in findings if urgency(finding.level) >= urgency(LEAST)]
    return sorted(shown, key=lambda finding: -urgency(finding.level))


def print_first_screen(console: Console, screen: FirstScreen) -> None:
    """Print the screen."""
    from rich.text import Text

    findings = worth_showing(screen.results)
    stories = timelines_of(findings, tactics=screen.tactics)
    lines = [Text(visible(line), style="dim") for line in _looked_at(screen.results)]
    lines.append(Text())
    lines = [piece for line in lines for piece in _wrapped(console, line, console.width)]
    shown = 0
    for story in stories:
        block = list(_story_lines(console, story, screen.requests))
        if len(lines) + len(block) + 1 > LINES - _TAIL:
            break
        lines += [*block, Text()]
        shown += 1
    if shown < len(stories):
        more = quantity(len(stories) - shown, "more story").replace("storys", "stories")
        lines.append(Text(f"… {more}: k8sidx hunt --all --group actor{screen.options}"))
    elif not stories and _events(screen.results):
        lines.append(Text(f"No finding of level {LEAST} or above."))
    lines.append(Text(visible(findings_counted(screen.results)), style="bold"))
    lines.append(Text("All hunts with their tables: -v", style="dim"))
    lines.append(Text("Next:"))
    for line in lines:
        console.print(line, overflow="ellipsis", no_wrap=True)
    for command in _next(stories, screen.options):
        # Uncut, to be copied: the terminal wraps it.
        console.print(Text(f"  {command}", style="bold"), soft_wrap=True)


def _events(results: Sequence[HuntResult]) -> int:
    """Return how many events were judged: without any, no finding says nothing."""
    return max((result.judged.count for result in results if result.judged), default=1)


def _looked_at(results: Sequence[HuntResult]) -> Iterator[str]:
    """Yield the line on the events, and that on what could not be judged."""
    judged = next((result.judged for result in results if result.judged), None)
    if judged is not None and not judged.count:
        yield f"{judged_text(judged)}."
    elif judged is not None:
        names = judged.cluster_names
        clusters = ", ".join(names[:3]) + (f" and {len(names) - 3:,} more" if names[3:] else "")
        period = f"{readable_time(judged.first)} to {readable_time(judged.last)}"
        where = f" of {'cluster' if len(names) == 1 else 'clusters'} {clusters}" if names else ""
        when = f", {period}" if judged.first else ""
        yield f"{quantity(judged.count, 'event')}{where}{when}"
    unable = [result for result in results if result.cannot_judge]
    if unable:
        kinds = Counter(gap.kind for result in unable for gap in result.cannot_judge)
        listed = ", ".join(f"{kind} {count:,}" for kind, count in kinds.most_common())
        yield f"{quantity(len(unable), 'hunt')} cannot judge all events ({listed}): -v lists them"


def _story_lines(
    console: Console, story: ActorTimeline, requests: Mapping[str, Request]
) -> Iterator[Text]:
    from rich.text import Text

    from k8sidx.show.render.terminal import level_text

    period = period_of(story)
    caller = f"{who(story, requests)}, {period}" if period else who(story, requests)
    head = level_text(story.level).append(f"  {visible(caller)}", style="bold")
    first, *more = _wrapped(console, head, console.width - 2)
    yield first
    yield from (Text("  ").append_text(piece) for piece in more)
    if story.chain_text:
        chain = Text(visible(story.chain_text), style="bold red")
        for piece in _wrapped(console, chain, console.width - 2, most=2):
            yield Text("  ").append_text(piece)
    steps = list(story.steps)
    lead = lead_of(steps)
    others = [index for index in range(len(steps)) if index != lead]
    chosen = sorted(sorted(others, key=lambda i: -urgency(steps[i][0].level))[: STEPS - 1])
    for number, step in enumerate([steps[lead], *(steps[index] for index in chosen)]):
        line = Text("  ")
        line.append(readable_time(step[0].first_seen)[11:] or "no time  ", style="dim")
        line.append(f"  {visible(what(step, requests))}", style="" if number else "bold")
        line.append(f"  {visible(', '.join(dict.fromkeys(f.hunt for f in step)))}", style="dim")
        width = max(console.width - len(_INDENT), 20)
        first, *more = _wrapped(console, line, width, most=3)
        yield first
        yield from (Text(_INDENT).append_text(piece) for piece in more)
    if len(others) >= STEPS:
        yield Text(f"  … {quantity(len(others) - STEPS + 1, 'more step')}", style="dim")


def _wrapped(console: Console, text: Text, width: int, most: int | None = None) -> list[Text]:
    """Return a text in lines; the last of ``most`` ends with an ellipsis when there are more."""
    lines = list(text.wrap(console, width))
    if most is not None and len(lines) > most:
        lines = lines[:most]
        lines[-1].rstrip()
        lines[-1].truncate(width - 1)
        lines[-1].append("…")
    for line in lines:
        line.rstrip()
    return lines


def _next(stories: Sequence[ActorTimeline], options: str) -> list[str]:
    """Return three commands that fit what was found, quoted for a shell."""
    if not stories:
        return [f"k8sidx hunt --all -v{options}", "k8sidx hunts coverage", "k8sidx doctor"]
    report = f"k8sidx report -o report.html{options}"
    return [*story_commands(stories[0], options), report][:3]
