"""One hunt for people: what it looks for, and what to do about what it finds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from k8sidx.show.render.escape import visible
from k8sidx.show.render.library import attack
from k8sidx.show.render.sheet import Sheet

if TYPE_CHECKING:
    from rich.console import Console

    from k8sidx.hunt.definition import Hunt

_STEPS = (
    ("Environment", "environment"),
    ("Success criterion", "criterion"),
    ("Hypothesis", "hypothesis"),
    ("Data", "data"),
    ("Baseline", "baseline"),
    ("Test", "test"),
    ("Automation", "automation"),
    ("What to look at next", "next"),
)


def hunt_object(hunt: Hunt, detection: str) -> dict[str, Any]:
    """The hunt for programs.

    :param detection: the part of its document that says which events.
    """
    return {
        "id": hunt.id,
        "title": hunt.title,
        "level": hunt.level,
        "kind": hunt.kind,
        "description": hunt.description,
        "tags": list(hunt.tags),
        "detection": detection,
        "level_needed": hunt.level_needed,
        "platforms_blind": dict(hunt.platforms_blind),
        "falsepositives": list(hunt.falsepositives),
        "references": list(hunt.references),
        "steps": {name: getattr(hunt.steps, name) for _, name in _STEPS},
        "source": hunt.source,
    }


def hunt_sheet(hunt: Hunt, detection: str) -> Sheet:
    """The hunt as a table of two columns."""
    rows = [(name, text) for name, text in [*_facts(hunt), *_told(hunt)] if text]
    head = [("id", hunt.id), ("title", hunt.title), ("level", hunt.level)]
    return Sheet(("what", "text"), [*head, *rows, ("Detection", detection)], hunt.id)


def print_hunt(console: Console, hunt: Hunt, detection: str) -> None:
    """The hunt on a terminal: facts, the detection as it is written, then the longer texts."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from k8sidx.show.render.terminal import level_text

    title = Text().append(visible(hunt.title), style="bold").append("  ")
    console.print(title.append(level_text(hunt.level)))
    facts = Table.grid(padding=(0, 2))
    facts.add_column(no_wrap=True, style="dim")
    facts.add_column(overflow="fold")
    for name, text in (("Id", hunt.id), *_facts(hunt)):
        if text:
            facts.add_row(Text(name), Text(visible(text)))
    console.print(Padding(facts, (0, 0, 1, 2)))
    console.print(Text("Detection", style="dim"))
    for line in detection.splitlines():
        console.print(Padding(Text(visible(line)), (0, 0, 0, 2)))
    for name, text in _told(hunt):
        if text:
            console.print()
            console.print(Text(name, style="dim"))
            console.print(Padding(Text(visible(text)), (0, 0, 0, 2)))


def _facts(hunt: Hunt) -> list[tuple[str, str]]:
    blind = [f"{platform}: {why}" for platform, why in hunt.platforms_blind]
    return [
        ("Description", hunt.description),
        ("ATT&CK", attack(hunt)),
        ("Kind", hunt.kind),
        ("Audit level needed", hunt.level_needed),
        ("Cannot see", " ".join(blind)),
        ("Source", hunt.source),
        ("References", " ".join(hunt.references)),
    ]


def _told(hunt: Hunt) -> list[tuple[str, str]]:
    steps = [(title, getattr(hunt.steps, name)) for title, name in _STEPS]
    return [("False positives", " ".join(hunt.falsepositives)), *steps]
