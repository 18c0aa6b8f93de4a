"""Generator of ``docs/hunts.md`` from the library: ``python -m docs.generate.hunts``."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path

from docs.generate.quiet import (
    EVENTS,
    HOURS,
    PLATFORM_EVENTS,
    judged_ordinary_work,
    judged_platform_hours,
)
from k8sidx.hunt.definition import Hunt, Steps
from k8sidx.hunt.kinds.registry import KINDS
from k8sidx.hunt.kinds.top import TopHunt
from k8sidx.hunt.library.load import load_library
from k8sidx.hunt.result import Finding, HuntResult

DOCUMENT = Path(__file__).parents[2] / "docs" / "hunts.md"

_INTRODUCTION = """\
# Hunts

Generated from `k8sidx/hunt/library/*.yml` by `python -m docs.generate.hunts`. Every hunt is a
Sigma document; options for which Sigma has no key are under its key `k8sidx`.
"""
_OWN_RULES = """\
A Sigma rule of your own runs with `k8sidx hunt rule.yml` ([rules.md](rules.md)); placeholders
are [lists](lists.md).
"""


def document(
    hunts: Sequence[Hunt],
    ordinary: Sequence[HuntResult],
    platforms: Mapping[str, Sequence[Finding]],
) -> str:
    """Return the page.

    :param ordinary: results over ordinary work.
    :param platforms: findings of an ordinary hour on each platform.
    """
    rates = {result.hunt: len(result.findings) for result in ordinary}
    lines = [_INTRODUCTION, *_kinds(), "", _OWN_RULES, *_platforms(platforms), ""]
    lines += ["| hunt | title | level | kind | ATT&CK |", "|---|---|---|---|---|"]
    lines += [
        f"| [`{hunt.id}`](#{hunt.id}) | {hunt.title} | {hunt.level} | {hunt.kind} "
        f"| {_attack(hunt)} |"
        for hunt in hunts
    ]
    for hunt in hunts:
        hours = {
            name: sum(finding.hunt == hunt.id for finding in findings)
            for name, findings in platforms.items()
        }
        lines += _section(hunt, rates.get(hunt.id, 0), hours)
    return "\n".join(lines) + "\n"


def _kinds() -> Iterator[str]:
    for name, kind in KINDS.items():
        yield textwrap.fill(f"- **{name}**: {kind.documentation}", 98, subsequent_indent="  ")


def _platforms(platforms: Mapping[str, Sequence[Finding]]) -> Iterator[str]:
    yield textwrap.fill(
        "Findings in an ordinary hour with the identities of each platform "
        f"(`k8sidx generate --platform NAME --attacks none`, {PLATFORM_EVENTS:,} events):",
        98,
    )
    yield from ("", "| platform | high | medium | low | hunts at medium |", "|---|--:|--:|--:|---|")
    for name, findings in platforms.items():
        levels = Counter(finding.level for finding in findings)
        medium = sorted({f"`{each.hunt}`" for each in findings if each.level == "medium"})
        yield (
            f"| {name} | {levels['critical'] + levels['high']} | {levels['medium']} "
            f"| {levels['low']} | {', '.join(medium) or '–'} |"
        )


def _section(hunt: Hunt, ordinary: int, platforms: Mapping[str, int]) -> Iterator[str]:
    yield from ("", f"## {hunt.id}", "", f"**{hunt.title}.** {hunt.description}", "")
    yield f"- Level: {hunt.level}. ATT&CK: {_attack(hunt)}."
    yield f"- Finds: {hunt.describe()}."
    if hunt.stream:
        yield "- An activity stream: runs only if named, or with `--level informational`."
    yield f"- Audit level needed: {hunt.level_needed}."
    if not (hunt.stream or isinstance(hunt, TopHunt)):
        rate = f"{ordinary}, {ordinary / HOURS:.2f} an hour" if ordinary else "none"
        yield f"- Findings in {HOURS} hours of generated ordinary work ({EVENTS:,} events): {rate}."
        hours = ", ".join(f"{name} {number}" for name, number in platforms.items() if number)
        if hours:
            yield f"- Findings in an ordinary hour on a platform: {hours}."
    for platform, why in hunt.platforms_blind:
        yield f"- May be invisible on {platform}: {why}"
    yield ""
    for number, step in enumerate(fields(Steps), 1):
        text = getattr(hunt.steps, step.name)
        yield f"{number}. **{step.name.capitalize()}.** {text}"
    yield ""
    yield "False positives:"
    yield ""
    yield from (f"- {text}" for text in hunt.falsepositives)


def _attack(hunt: Hunt) -> str:
    names = [tag.removeprefix("attack.") for tag in hunt.tags if tag.startswith("attack.")]
    return ", ".join(name.upper() if name[1:2].isdigit() else name for name in names)


if __name__ == "__main__":
    DOCUMENT.parent.mkdir(exist_ok=True)
    page = document(load_library(), judged_ordinary_work(), judged_platform_hours())
    DOCUMENT.write_text(page, encoding="utf-8")
