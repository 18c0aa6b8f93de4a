"""``docs/hunts.md``, made from the library: ``python -m docs.generate.hunts``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from k8sidx.hunt.definition import (
    Hunt,
    MatchHunt,
    NewHunt,
    SequenceHunt,
    SilentHunt,
    SpikeHunt,
    Steps,
    ThresholdHunt,
    TopHunt,
)
from k8sidx.hunt.finding_text import listed, span
from k8sidx.hunt.library.load import load_library

DOCUMENT = Path(__file__).parents[2] / "docs" / "hunts.md"

_INTRODUCTION = """\
# Hunts

Generated from `k8sidx/hunt/library/*.yml` by `python -m docs.generate.hunts`. Every hunt is a
Sigma document; its key `k8sidx` contains what Sigma cannot express.

- **match**: requests that match, one finding for each key. A request counts once although
  it has several events: the stage with most events of the key is counted (ResponseComplete and
  Panic are one), so a 401 (ResponseStarted only) and an exec session that is still open count,
  too. Copies that controllers create from a workload are reported only if the user who created
  the workload is not, and then at level low.
- **threshold**: Sigma's `event_count` and `value_count`. The window slides; overlapping
  windows that reach the threshold are one finding. A request counts once.
- **sequence**: Sigma's `temporal` and `temporal_ordered`: requests that match several rules,
  with one key and within a time span, in any order or in that of the rules. The window slides;
  overlapping sequences are one finding.
- **top**: the most frequent values, or the rarest; events are counted as in the article. With
  `--baseline` each entry is compared with the baseline period, and entries that are new to the
  data or to the table are findings.
- **new**: values that did not occur in the comparison period. Nothing is judged if the data
  cover less than a tenth of that period.
- **spike**: intervals with more requests than usual: above the median by a number of median
  absolute deviations, at the same hour of the week if there are three weeks of data, of the
  day if there is one. Nothing is judged with fewer than ten intervals of data.
- **silent**: sources that used to send events regularly and no longer do, while the log
  continues.

`k8sidx hunt rule.yml` runs a Sigma rule of your own ([rules.md](rules.md)); placeholders
are [lists](lists.md), and `k8sidx.filters` names [filters](rules.md#filters).
"""


def document(hunts: list[Hunt]) -> str:
    """The page."""
    lines = [_INTRODUCTION, "| hunt | title | level | kind | ATT&CK |", "|---|---|---|---|---|"]
    lines += [
        f"| [`{hunt.id}`](#{hunt.id}) | {hunt.title} | {hunt.level} | {hunt.kind} "
        f"| {_attack(hunt)} |"
        for hunt in hunts
    ]
    for hunt in hunts:
        lines += _section(hunt)
    return "\n".join(lines) + "\n"


def _section(hunt: Hunt) -> Iterator[str]:
    yield from ("", f"## {hunt.id}", "", f"**{hunt.title}.** {hunt.description}", "")
    yield f"- Level: {hunt.level}. ATT&CK: {_attack(hunt)}."
    yield f"- Finds: {_finds(hunt)}."
    if hunt.stream:
        yield "- An activity stream: runs only when it is named, or with `--level informational`."
    yield f"- Audit level needed: {hunt.level_needed}."
    for platform, why in hunt.platforms_blind:
        yield f"- May be invisible on {platform}: {why}"
    yield ""
    for step in fields(Steps):
        text = getattr(hunt.steps, step.name)
        yield f"{_number(step.name)}. **{step.name.capitalize()}.** {text}"
    yield ""
    yield "False positives:"
    yield ""
    yield from (f"- {one}" for one in hunt.falsepositives)


def _number(step: str) -> int:
    return [one.name for one in fields(Steps)].index(step) + 1


def _attack(hunt: Hunt) -> str:
    names = [tag.removeprefix("attack.") for tag in hunt.tags if tag.startswith("attack.")]
    return ", ".join(name.upper() if name[1:2].isdigit() else name for name in names)


def _finds(hunt: Hunt) -> str:
    match hunt:
        case MatchHunt():
            return f"one finding for each {_named(hunt.finding_by)}"
        case TopHunt():
            columns = _named([column.field for column in hunt.by])
            return f"the {hunt.limit} most frequent {columns}"
        case ThresholdHunt():
            what = f"different {_named(hunt.values)}" if hunt.values else "requests"
            by = f" by {_named(hunt.group_by)}" if hunt.group_by else ""
            return f"{hunt.at_least} or more {what} within {span(hunt.timespan)}{by}"
        case SequenceHunt():
            steps = [f"“{base.title}”" for base in hunt.bases]
            what = ", then ".join(steps) if hunt.ordered else listed(steps)
            by = f" by {_named(hunt.group_by)}" if hunt.group_by else ""
            return f"{what} within {span(hunt.timespan)}{by}"
        case NewHunt():
            return (
                f"{_named(hunt.by)} of the last {span(hunt.window)} that the "
                f"{span(hunt.history)} before did not have"
            )
        case SpikeHunt():
            return (
                f"intervals of {span(hunt.interval)} with {hunt.at_least} or more requests, "
                f"{hunt.deviations:g} deviations above the median"
            )
        case SilentHunt():
            return (
                f"each {_named(hunt.by)} that is silent for {hunt.gaps:g} times as long as "
                f"usual, {span(hunt.at_least)} or longer"
            )
    raise TypeError(f"no kind of hunt: {type(hunt).__name__}")


def _named(names: tuple[str, ...] | list[str]) -> str:
    return listed([f"`{name}`" for name in names])


if __name__ == "__main__":
    DOCUMENT.parent.mkdir(exist_ok=True)
    DOCUMENT.write_text(document(load_library()), encoding="utf-8")
