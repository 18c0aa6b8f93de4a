"""What of ATT&CK the hunts of a report look for, and what they saw of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from k8sidx.hunt.attack.mitre import TACTICS, TECHNIQUES
from k8sidx.hunt.attack.tags import techniques_of
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.level import urgency
from k8sidx.hunt.result import HuntResult
from k8sidx.show.render.escape import html_text

OTHERS = "others"
"""Heading of techniques that ATT&CK did not have when this was written."""


def attack_html(hunts: Sequence[Hunt], results: Sequence[HuntResult]) -> str:
    """A card for each tactic: its techniques, those that were seen with their findings."""
    seen = _seen(hunts, results)
    cards = []
    for tactic in (*TACTICS, OTHERS):
        names = [one for one in sorted(seen) if tactic in _tactics(one)]
        if names:
            title = tactic.replace("-", " ").capitalize()
            items = "".join(_item(name, seen[name]) for name in names)
            cards.append(f"<section><h3>{html_text(title)}</h3><ul>{items}</ul></section>")
    return f'<div class="matrix">{"".join(cards)}</div>'


def _seen(hunts: Sequence[Hunt], results: Sequence[HuntResult]) -> Mapping[str, list[str]]:
    """Levels of the findings of each technique that is looked for."""
    findings = {result.hunt: result.findings for result in results}
    seen: dict[str, list[str]] = {}
    for hunt in hunts:
        for technique in techniques_of(hunt):
            levels = seen.setdefault(technique, [])
            levels += [finding.level for finding in findings.get(hunt.id, [])]
    return seen


def _tactics(technique: str) -> tuple[str, ...]:
    known = TECHNIQUES.get(technique)
    return known.tactics if known else (OTHERS,)


def _item(technique: str, levels: list[str]) -> str:
    known = TECHNIQUES.get(technique)
    name = html_text(f"{technique} {known.name}" if known else technique)
    if not levels:
        return f'<li class="soft">{name}: looked for</li>'
    worst = max(levels, key=urgency)
    count = f"{len(levels):,} {'finding' if len(levels) == 1 else 'findings'}"
    return (
        f'<li class="seen">{name}: <span class="level {html_text(worst)}">'
        f"{count}, {html_text(worst)}</span></li>"
    )
