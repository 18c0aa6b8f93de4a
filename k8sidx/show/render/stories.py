"""Findings folded into stories, in the output formats of ``hunt --group actor``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from k8sidx.backends.result import Value
from k8sidx.hunt.actor_timeline import Story
from k8sidx.show.render.escape import json_text, visible
from k8sidx.show.render.hunts import finding_object
from k8sidx.show.render.sheet import Sheet, readable_time

if TYPE_CHECKING:
    from rich.console import Console

COLUMNS = ("actor", "story", "level", "hunt", "count", "first_seen", "last_seen", "reason")
STEPS_SHOWN = 12
"""Steps of a story that a terminal shows."""


def stories_sheet(stories: Sequence[Story]) -> Sheet:
    """One row a finding, the stories numbered from 1."""
    rows: list[tuple[Value, ...]] = [
        (story.actor, number, one.level, one.hunt, one.count, one.first_seen, one.last_seen,
         one.reason)
        for number, story in enumerate(stories, 1)
        for step in story.steps
        for one in step
    ]  # fmt: skip
    return Sheet(COLUMNS, rows, "Stories")


def stories_json(stories: Sequence[Story]) -> str:
    """A list with one object a story (docs/cli.md)."""
    told = [
        {
            "actor": story.actor,
            "level": story.level,
            "first_seen": story.first_seen,
            "last_seen": story.last_seen,
            "steps": [[finding_object(one) for one in step] for step in story.steps],
        }
        for story in stories
    ]
    return json_text(told) + "\n"


def print_stories(console: Console, stories: Sequence[Story]) -> None:
    """Each story under its actor, a step a line or two."""
    from rich.table import Table
    from rich.text import Text

    from k8sidx.show.render.terminal import level_text

    if not stories:
        console.print("No findings.")
    for story in stories:
        head = Text(visible(story.actor), style="bold")
        head.append(f"  {_span(story)}", style="dim")
        console.print(head)
        grid = Table.grid(padding=(0, 2))
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        for step in story.steps[:STEPS_SHOWN]:
            lead, *others = step
            text = Text(visible(lead.reason))
            hunts = ", ".join(one.hunt for one in (lead, *others))
            text.append(f"\n{readable_time(lead.first_seen)} · {visible(hunts)}", style="dim")
            grid.add_row(level_text(lead.level), text)
        left = len(story.steps) - STEPS_SHOWN
        if left > 0:
            grid.add_row("", Text(f"… {left:,} more", style="dim"))
        console.print(grid)
        console.print()


def _span(story: Story) -> str:
    first, last = readable_time(story.first_seen), readable_time(story.last_seen)
    count = len(story.findings)
    told = f"{count:,} {'finding' if count == 1 else 'findings'}"
    if not first:
        return told
    return f"{told}, {first}" if first == last else f"{told}, {first} to {last}"
