"""Stories (findings grouped by actor) as a sheet and on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from k8sidx.backends.result import Value
from k8sidx.hunt.actor_timeline import ActorTimeline
from k8sidx.show.render.escape import visible
from k8sidx.show.render.sheet import Sheet, quantity, readable_time

if TYPE_CHECKING:
    from rich.console import Console

COLUMNS = ("actor", "story", "level", "hunt", "count", "first_seen", "last_seen", "reason")
STEPS_SHOWN = 12
"""Steps per story that a terminal shows."""


def stories_sheet(stories: Sequence[ActorTimeline]) -> Sheet:
    """Return one row per finding, the stories numbered from 1."""
    rows: list[tuple[Value, ...]] = [
        (story.actor, number, f.level, f.hunt, f.count, f.first_seen, f.last_seen, f.reason)
        for number, story in enumerate(stories, 1)
        for step in story.steps
        for f in step
    ]
    return Sheet(COLUMNS, rows, "Stories")


def print_stories(console: Console, stories: Sequence[ActorTimeline]) -> None:
    """Print each story under its actor, one or two lines per step."""
    from rich.table import Table
    from rich.text import Text

    from k8sidx.show.render.terminal import level_text

    if not stories:
        console.print("No findings.")
    for story in stories:
        head = Text(visible(story.actor), style="bold")
        head.append(f"  {_span(story)}", style="dim")
        console.print(head)
        if story.chain:
            chain = Text("an attack in steps: ", style="bold")
            chain.append(visible(story.chain_text))
            console.print(level_text(story.level), chain)
        grid = Table.grid(padding=(0, 2))
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        for step in story.steps[:STEPS_SHOWN]:
            lead, *others = step
            text = Text(visible(lead.reason))
            hunts = ", ".join(finding.hunt for finding in (lead, *others))
            text.append(f"\n{readable_time(lead.first_seen)} · {visible(hunts)}", style="dim")
            grid.add_row(level_text(lead.level), text)
        left = len(story.steps) - STEPS_SHOWN
        if left > 0:
            grid.add_row("", Text(f"… {left:,} more", style="dim"))
        console.print(grid)
        console.print()


def _span(story: ActorTimeline) -> str:
    first, last = readable_time(story.first_seen), readable_time(story.last_seen)
    findings = quantity(len(story.findings), "finding")
    if not first:
        return findings
    return f"{findings}, {first}" if first == last else f"{findings}, {first} to {last}"
