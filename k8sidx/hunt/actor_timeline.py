"""Actor timelines: the findings about one actor within a time, called stories in output."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from k8sidx.hunt.attack.chain import Tactics, chain_in, describe_chain
from k8sidx.hunt.finding_text import listed
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

    :param actor: a user; without a name, the source address. Several users where they share an
        address, or one minted the credential of another, and their findings form a chain
        (:mod:`k8sidx.hunt.ties`).
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
    def outcome(self) -> str:
        """Outcome of the chain's last step; empty without a chain, or where it is not known."""
        return self.chain[-1].outcome if self.chain else ""

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
        _joined(timelines, quiet, tactics) if tactics else timelines,
        key=lambda timeline: (
            -urgency(timeline.level), -len(timeline.findings),
            timeline.first_seen or _LONG_AGO, timeline.actor,
        ),
    )  # fmt: skip


def _timeline(actor: str, findings: Sequence[Finding], tactics: Tactics) -> ActorTimeline:
    chain = chain_in(findings, tactics)
    level = LEVELS[-1] if chain else max((f.level for f in findings), key=urgency)
    return ActorTimeline(actor, level, tuple(findings), chain, describe_chain(chain, tactics))


def _joined(
    timelines: Sequence[ActorTimeline], quiet: timedelta, tactics: Tactics
) -> list[ActorTimeline]:
    """Return the timelines; those of several actors whose tied findings form a chain as one.

    A finding is in one timeline. One whose own chain would be torn apart stays as it is.
    """
    own = {id(finding): line for line in timelines for finding in line.findings}
    by_tie: dict[tuple[str, str], list[Finding]] = {}
    for finding in (finding for line in timelines for finding in line.findings):
        for tie in finding.ties:
            by_tie.setdefault(tie, []).append(finding)
    joined: list[ActorTimeline] = []
    taken: set[int] = set()
    for tie, tied in sorted(by_tie.items(), key=lambda item: (-len(item[1]), item[0])):
        here = {id(finding) for finding in tied} - taken
        whole = [
            finding
            for finding in tied
            if id(finding) in here and here.issuperset(map(id, own[id(finding)].chain))
        ]
        for part in _parts(sorted(whole, key=_begin), quiet):
            chain = chain_in(part, tactics)
            names = list(dict.fromkeys(_name(finding) for finding in chain))
            if len(names) > 1:
                about = [finding for finding in part if _name(finding) in names]
                taken |= {id(finding) for finding in about}
                joined.append(_of_several(names, tie, about, tactics))
    if not joined:
        return list(timelines)
    left = []
    for line in timelines:
        rest = [finding for finding in line.findings if id(finding) not in taken]
        left += (
            [_timeline(line.actor, part, tactics) for part in _parts(rest, quiet)]
            if len(rest) < len(line.findings)
            else [line]
        )
    return joined + left


def _of_several(
    names: Sequence[str], tie: tuple[str, str], findings: Sequence[Finding], tactics: Tactics
) -> ActorTimeline:
    """Return the timeline of actors that are tied together."""
    value, cluster = tie
    where = f"with {value}" if "=" in value else f"from {value}"
    actor = f"{listed(names)} {where}{f' in {cluster}' if cluster else ''}"
    chain = chain_in(findings, tactics)
    text = describe_chain(chain, tactics, [_name(finding) for finding in chain])
    return ActorTimeline(actor, LEVELS[-1], tuple(findings), chain, text)


def _name(finding: Finding) -> str:
    """Return the name of a finding's actor without its address."""
    return finding.actor or _first(finding, _WHO) or "somebody"


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
