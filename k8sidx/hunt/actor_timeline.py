"""Findings folded into stories: what one actor did within a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from k8sidx.hunt.level import urgency
from k8sidx.hunt.result import Finding

QUIET = timedelta(hours=1)
"""After so long without a finding the next one begins another story."""

NOBODY = "the cluster as a whole"
"""Actor of findings that are about no one, such as a surge of refusals."""

_WHO = ("user.effective.name", "user.username", "user.name")
_FROM = ("source.ip", "source.claimed_ip", "sourceIPs")
_ANONYMOUS = ("system:anonymous", "system:unauthenticated")
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Story:
    """What one actor did, told by the findings about it.

    :param actor: a user; for those without a name, the address that they came from.
    :param level: of its most urgent finding.
    :param findings: in order of time.
    """

    actor: str
    level: str
    findings: tuple[Finding, ...]

    @property
    def first_seen(self) -> datetime | None:
        return min((f.first_seen for f in self.findings if f.first_seen), default=None)

    @property
    def steps(self) -> tuple[tuple[Finding, ...], ...]:
        """The findings, those about the same requests together, the most urgent of them first."""
        steps: dict[object, list[Finding]] = {}
        for place, finding in enumerate(self.findings):
            steps.setdefault(finding.audit_ids or place, []).append(finding)
        return tuple(
            tuple(sorted(step, key=lambda one: -urgency(one.level))) for step in steps.values()
        )

    @property
    def last_seen(self) -> datetime | None:
        return max((f.last_seen for f in self.findings if f.last_seen), default=None)


def stories_of(findings: Iterable[Finding], quiet: timedelta = QUIET) -> list[Story]:
    """Stories, the most urgent first, then those with most findings, then by time.

    Findings of one actor belong to one story as long as no more than ``quiet`` lies between
    the end of one and the beginning of the next. Findings without a time join the actor's
    first story.
    """
    by_actor: dict[str, list[Finding]] = {}
    for finding in findings:
        by_actor.setdefault(actor_of(finding), []).append(finding)
    stories = [
        Story(actor, max((f.level for f in part), key=urgency), tuple(part))
        for actor, found in by_actor.items()
        for part in _parts(sorted(found, key=_begin), quiet)
    ]
    return sorted(
        stories,
        key=lambda one: (
            -urgency(one.level), -len(one.findings), one.first_seen or _LONG_AGO, one.actor,
        ),
    )  # fmt: skip


def actor_of(finding: Finding) -> str:
    """Who a finding is about."""
    name = _first(finding, _WHO)
    address = _first(finding, _FROM)
    if name and name not in _ANONYMOUS:
        return name
    if address:
        return f"{name} from {address}" if name else f"somebody at {address}"
    return name or NOBODY


def _first(finding: Finding, fields: Sequence[str]) -> str:
    values = [finding.key.get(field) for field in fields]
    return next((str(value) for value in values if value), "")


def _begin(finding: Finding) -> datetime:
    return finding.first_seen or _LONG_AGO


def _parts(findings: Sequence[Finding], quiet: timedelta) -> list[list[Finding]]:
    """The findings, cut where the actor was quiet."""
    parts: list[list[Finding]] = []
    last: datetime | None = None
    for finding in findings:
        begin = finding.first_seen
        if not parts or (last and begin and begin - last > quiet):
            parts.append([])
            last = None
        parts[-1].append(finding)
        end = finding.last_seen or begin
        last = max(last, end) if last and end else last or end
    return parts
