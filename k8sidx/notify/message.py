"""Messages about stories: one for each actor, with text that no service interprets.

Log text comes from attackers. It is made printable, links are disarmed (``hxxp``, ``[.]``) and
mentions broken, and every service gets it in a form without mark-up
(:mod:`k8sidx.notify.services`).
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from k8sidx.hunt.actor_timeline import CLUSTER, ActorTimeline
from k8sidx.hunt.level import urgency
from k8sidx.show.render.escape import iso_time, visible
from k8sidx.show.render.formats.json import finding_object

STEPS = 10
"""Findings that a message tells in full."""
MAX_TEXT = 300
"""Characters of a sentence in a message."""
_SCHEME = re.compile(r"(?i)(h)tt(ps?://)")
_OTHER_SCHEME = re.compile(r"(?i)\b([a-z][a-z0-9+.-]{1,20})://")
_HOST = re.compile(r"(?i)\.(?=[a-z]{2,}\b)")


@dataclass(frozen=True, slots=True)
class Message:
    """Message about one story, or about the stories that are held back.

    :param id: the same for the same findings: a service that gets it twice can tell.
    :param level: Sigma level of its most urgent finding.
    :param steps: sentences with their time, inert.
    :param more: findings that are not among them.
    :param findings: as ``hunt -o json`` writes them.
    """

    id: str
    level: str
    title: str
    actor: str
    cluster: str
    steps: tuple[str, ...]
    more: int
    began: datetime | None
    findings: tuple[dict[str, object], ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """The steps, and how many more there are."""
        return (*self.steps, f"… {self.more:,} more") if self.more else self.steps

    def document(self) -> dict[str, Any]:
        """Return the message as JSON for scripts; ``findings`` has the text as it was logged."""
        return {
            "version": 1,
            "id": self.id,
            "level": self.level,
            "title": self.title,
            "actor": self.actor,
            "cluster": self.cluster,
            "steps": list(self.lines),
            "began": iso_time(self.began) if self.began else None,
            "findings": list(self.findings),
        }


def message_of(story: ActorTimeline) -> Message:
    """Return the message about a story."""
    findings = [finding_object(finding) for finding in story.findings]
    steps = [step[0] for step in story.steps]
    most_urgent = sorted(steps, key=lambda finding: -urgency(finding.level))[:STEPS]
    clusters = {str(f.key[CLUSTER]) for f in story.findings if f.key.get(CLUSTER)}
    count = len(story.findings)
    return Message(
        id=_digest(findings),
        level=story.level,
        title=f"{story.level}: {inert(story.actor)}, {count:,} finding{'s' if count != 1 else ''}",
        actor=inert(story.actor),
        cluster=inert(", ".join(sorted(clusters))),
        steps=tuple(
            inert(f"{_time(finding.first_seen)}{finding.level}: {finding.reason}")
            for finding in steps
            if finding in most_urgent
        ),
        more=len(steps) - len(most_urgent),
        began=story.first_seen,
        findings=tuple(findings),
    )


def held_back(stories: Sequence[ActorTimeline]) -> Message:
    """Return the one message about stories that are too many to be told one by one."""
    levels = Counter(story.level for story in stories)
    text = ", ".join(
        f"{number:,} {level}" for level, number in sorted(levels.items(), key=_most_urgent)
    )
    return Message(
        id=_digest([{"held back": [message_of(story).id for story in stories]}]),
        level=max(levels, key=urgency),
        title=f"{len(stories):,} more stories were held back: {text}",
        actor="",
        cluster="",
        steps=("k8sidx findings list shows them.",),
        more=0,
        began=None,
        findings=(),
    )


def trial() -> Message:
    """Return the message of ``k8sidx notify test``."""
    text = "k8sidx can reach this target. There is no finding."
    return Message(
        _digest([{"test": text}]), "informational", "k8sidx: test", "", "", (text,), 0, None, ()
    )


def inert(text: str) -> str:
    """Return one short line in which nothing is a link or a mention."""
    line = visible(text)
    line = line if len(line) <= MAX_TEXT else f"{line[: MAX_TEXT - 1]}…"
    line = _SCHEME.sub(r"\1xx\2", line)
    line = _OTHER_SCHEME.sub(r"\1[:]//", line)
    line = _HOST.sub("[.]", line)
    return line.replace("@", "(at)")


def _time(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}Z " if moment else ""


def _most_urgent(entry: tuple[str, int]) -> int:
    return -urgency(entry[0])


def _digest(findings: Sequence[dict[str, object]]) -> str:
    text = "\n".join(
        sorted(f"{f.get('hunt')} {f.get('key')} {f.get('audit_ids')} {f}" for f in findings)
    )
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
