"""Hunts dashboard: a text for each hunt, which findings link to."""

from __future__ import annotations

from collections.abc import Iterator

from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.library.load import load_library
from k8sidx.show.panels.panel import Dashboard, Note, Row

ID = "hunts"
TITLE = "Kubernetes audit: hunts"
_LEVELS = ("critical", "high", "medium", "low", "informational")
_HEIGHT = 30


def hunts_dashboard() -> Dashboard:
    """Return the dashboard of the hunt library, the highest level first.

    Activity streams save no findings unless they are named, and are left out.
    """
    hunts = [hunt for hunt in load_library() if not hunt.stream]
    notes = [
        Note(
            f"hunts-{level}",
            f"Hunts of level {level}",
            f"What do the hunts of level {level} look for, and what to do about a finding?",
            "\n\n".join(_text(hunt) for hunt in hunts if hunt.level == level),
        )
        for level in _LEVELS
        if any(hunt.level == level for hunt in hunts)
    ]
    return Dashboard(
        ID,
        TITLE,
        "What each hunt looks for, how to judge its findings, and what to do about them. Find a "
        "hunt by its id with the browser's search.",
        tuple(Row(_HEIGHT, (note,)) for note in notes),
    )


def _text(hunt: Hunt) -> str:
    return "\n".join(_lines(hunt))


def _lines(hunt: Hunt) -> Iterator[str]:
    yield from (f"### {hunt.title}", "", f"`{hunt.id}` {hunt.description}", "")
    yield f"- **Hypothesis.** {hunt.steps.hypothesis}"
    yield f"- **Test.** {hunt.steps.test}"
    yield f"- **Next.** {hunt.steps.next}"
    yield f"- **False positives.** {' '.join(hunt.falsepositives)}"
