"""Actor timelines: the findings about one actor within a time, called stories in output."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from k8sidx.hunt.attack.chain import Tactics, chain_in, describe_chain
from k8sidx.hunt.level import LEVELS, urgency
from k8sidx.hunt.result import Finding

QUIET = timedelta(hours=1)
"""Time without a finding after which the next one begins another timeline."""

CLUSTER = "orchestrator.cluster.name"
NOBODY = "the cluster as a whole"
"""Actor of findings that name none, for example a surge of refusals."""

_WHO = ("user.username", "user.effective.name", "user.name")
_FROM = ("source.ip", "source.claimed_ip", "sourceIPs")
_ANONYMOUS = ("system:anonymous", "system:unauthenticated")
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ActorTimeline:
    """Timeline of one actor: the findings about it.

    :param actor: a user; without a name, the source address.
    :param level: of its most urgent finding; critical where findings form a chain.
    :param findings: in order of time.
    :param chain: the findings that follow the order of an attack
        (:mod:`k8sidx.hunt.attack.chain`); empty without such.
    :param chain_text: the chain as a phrase.
    """

    actor: str
    level: str
    findings: tuple[Finding, ...]
    chain: tuple[Finding, ...] = ()
    chain_text: str = ""

    @property
    def first_seen(self) -> datetime | None:
        return min((f.first_seen for f in self.findings if f.first_seen), default=None)

    @property
    def steps(self) -> tuple[tuple[Finding, ...], ...]:
        """Findings by time; those about the same requests together, the most urgent first."""
        steps: dict[object, list[Finding]] = {}
        for index, finding in enumerate(self.findings):
            steps.setdefault(finding.audit_ids or index, []).append(finding)
        return tuple(
            tuple(sorted(step, key=lambda finding: -urgency(finding.level)))
            for step in steps.values()
        )

    @property
    def last_seen(self) -> datetime | None:
        return max((f.last_seen for f in self.findings if f.last_seen), default=None)


def timelines_of(
    findings: Iterable[Finding], quiet: timedelta = QUIET, tactics: Tactics | None = None
) -> list[ActorTimeline]:
    """Return timelines, the most urgent first, then those with most findings, then by time.

    Findings of one actor belong to one timeline as long as no more than ``quiet`` lies between
    the end of one and the beginning of the next. Findings without a time belong to the actor's
    first timeline.

    :param tactics: of the hunts, to find chains; ``None`` to look for none.
    """
    by_actor: dict[str, list[Finding]] = {}
    for finding in findings:
        by_actor.setdefault(actor_of(finding), []).append(finding)
    timelines = [
        _timeline(actor, part, tactics or {})
        for actor, about in by_actor.items()
        for part in _parts(sorted(about, key=_begin), quiet)
    ]
    return sorted(
        timelines,
        key=lambda timeline: (
            -urgency(timeline.level), -len(timeline.findings),
            timeline.first_seen or _LONG_AGO, timeline.actor,
        ),
    )  # fmt: skip


def _timeline(actor: str, findings: Sequence[Finding], tactics: Tactics) -> ActorTimeline:
    chain = chain_in(findings, tactics)
    level = LEVELS[-1] if chain else max((f.level for f in findings), key=urgency)
    return ActorTimeline(actor, level, tuple(findings), chain, describe_chain(chain, tactics))


def actor_of(finding: Finding) -> str:
    """Return the actor that a finding is about, with the cluster where it has a name."""
    actor, cluster = _actor(finding), finding.key.get(CLUSTER)
    return f"{actor} in {cluster}" if cluster else actor


def _actor(finding: Finding) -> str:
    name = finding.actor or _first(finding, _WHO)
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
    """Return the findings, split where the actor was quiet."""
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
