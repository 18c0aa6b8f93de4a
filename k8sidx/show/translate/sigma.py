"""Hunts as Sigma documents."""

from __future__ import annotations

import re
import textwrap
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from k8sidx.errors import Where
from k8sidx.hunt.definition import LIBRARY, Hunt
from k8sidx.hunt.sigma.filters import apply_filters, filters_named
from k8sidx.show.translate.translatable import Translation

_EVENTS = ("detection", "correlation")
"""Keys of a document that select events."""

_SEPARATOR = re.compile(r"^(---.*\n)", re.MULTILINE)
_CONDITION = re.compile(r"^( +)condition:.*\n?", re.MULTILINE)
_FILTERS = re.compile(r"^( +)filters:\s*(?:\[[^\]]*\].*\n?|(?:\1 *- .*\n?)+)", re.MULTILINE)


def to_sigma(hunt: Hunt) -> Translation:
    """Return the text of the file that the hunt was read from.

    A file whose rules name no shared filters is unchanged; the filters of others are written
    out, so that every rule is complete.

    :raises OSError: when the file is no longer there.
    """
    text = _text(hunt)
    return Translation(text if text.endswith("\n") else text + "\n")


def detection_of(hunt: Hunt) -> str:
    """Return the detection or correlation in the hunt's file, and those of the rules that the
    correlation refers to, with their filters.

    :raises OSError: when the file is no longer there.
    """
    lines: list[str] = []
    inside = False
    for line in _text(hunt).splitlines():
        if line and not line[0].isspace() and line[0] != "#":
            inside = line.partition(":")[0] in _EVENTS
        if inside:
            lines.append(line)
    return "\n".join(lines).rstrip()


def _text(hunt: Hunt) -> str:
    if hunt.source != LIBRARY:
        path = Path(hunt.source)
    else:
        path = Path(str(resources.files("k8sidx.hunt.library") / f"{hunt.id}.yml"))
    text = path.read_text(encoding="utf-8")
    # Separators are every second part.
    return "".join(
        part if number % 2 else _complete(part, path.name)
        for number, part in enumerate(_SEPARATOR.split(text))
    )


def _complete(text: str, file: str) -> str:
    """Return the text of one document with its filters in its detection."""
    document = yaml.load(text, yaml.CSafeLoader)
    if not isinstance(document, dict) or not filters_named(document, Where(file)):
        return text
    complete = apply_filters(document, Where(file))
    extension = {key: value for key, value in complete["k8sidx"].items() if key != "filters"}
    complete["k8sidx"] = extension
    if not extension:
        del complete["k8sidx"]
    edited = _edited(text, document, complete)
    if _reads_as(edited, complete):
        return edited
    # Lines cannot be inserted into its style of YAML: the comments are lost.
    return yaml.safe_dump(complete, sort_keys=False, allow_unicode=True, width=100)


def _reads_as(text: str, document: dict[str, Any]) -> bool:
    """Whether the text is the document in YAML."""
    try:
        return bool(yaml.load(text, yaml.CSafeLoader) == document)
    except yaml.YAMLError:
        return False


def _edited(text: str, document: dict[str, Any], complete: dict[str, Any]) -> str:
    """Return the text with its lines, comments included, and those of its filters."""
    filters = filters_named(document, Where("-"))
    head, key, detection = text.partition("detection:\n")

    def condition(match: re.Match[str]) -> str:
        selections = "\n".join(shared.text for shared in filters)
        joined = f"condition: {complete['detection']['condition']}"
        return textwrap.indent(f"{selections}\n{joined}\n", match[1])

    detection = _CONDITION.sub(condition, detection, count=1)
    edited = _FILTERS.sub("", head + key + detection, count=1)
    return edited if "k8sidx" in complete else re.sub(r"^k8sidx:\s*\n", "", edited, flags=re.M)
