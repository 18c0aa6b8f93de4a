"""Hunt details: what a hunt searches for, and how to follow up its findings."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class HuntDetails:
    """A hunt with its detection.

    :param detection: the part of its document that selects events, as YAML.
    """

    hunt: Hunt
    detection: str


def details_object(details: HuntDetails) -> dict[str, Any]:
    """Return the hunt as JSON shows it (docs/cli.md)."""
    hunt = details.hunt
    return {
        "id": hunt.id,
        "title": hunt.title,
        "level": hunt.level,
        "kind": hunt.kind,
        "description": hunt.description,
        "tags": list(hunt.tags),
        "detection": details.detection,
        "level_needed": hunt.level_needed,
        "platforms_blind": dict(hunt.platforms_blind),
        "falsepositives": list(hunt.falsepositives),
        "references": list(hunt.references),
        "steps": {name: getattr(hunt.steps, name) for _, name in _STEPS},
        "source": hunt.source,
    }


def details_sheet(details: HuntDetails) -> Sheet:
    """Return the hunt as a table of two columns."""
    hunt = details.hunt
    rows = [(name, text) for name, text in [*_facts(hunt), *_guidance(hunt)] if text]
    head = [("id", hunt.id), ("title", hunt.title), ("level", hunt.level)]
    return Sheet(("what", "text"), [*head, *rows, ("Detection", details.detection)], hunt.id)


def print_details(console: Console, details: HuntDetails) -> None:
    """Print the hunt: facts, the detection as it is written, then the longer texts."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from k8sidx.show.render.terminal import level_text

    hunt = details.hunt
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
    for line in details.detection.splitlines():
        console.print(Padding(Text(visible(line)), (0, 0, 0, 2)))
    for name, text in _guidance(hunt):
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


def _guidance(hunt: Hunt) -> list[tuple[str, str]]:
    steps = [(title, getattr(hunt.steps, name)) for title, name in _STEPS]
    return [("False positives", " ".join(hunt.falsepositives)), *steps]
