"""Hunts as Sigma documents."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from k8sidx.hunt.definition import LIBRARY, Hunt
from k8sidx.show.translate.translatable import Translation

_SAYING = ("detection", "correlation")


def to_sigma(hunt: Hunt) -> Translation:
    """Return the text of the file that the hunt was read from, unchanged.

    :raises OSError: when it is no longer there.
    """
    text = _text(hunt)
    return Translation(text if text.endswith("\n") else text + "\n")


def detection_of(hunt: Hunt) -> str:
    """Return the lines of the hunt's document that define its events, and those of its rules.

    :raises OSError: when its file is no longer there.
    """
    found: list[str] = []
    inside = False
    for line in _text(hunt).splitlines():
        if line and not line[0].isspace() and line[0] != "#":
            inside = line.partition(":")[0] in _SAYING
        if inside:
            found.append(line)
    return "\n".join(found).rstrip()


def _text(hunt: Hunt) -> str:
    if hunt.source != LIBRARY:
        return Path(hunt.source).read_text(encoding="utf-8")
    file = resources.files("k8sidx.hunt.library") / f"{hunt.id}.yml"
    return file.read_text(encoding="utf-8")
