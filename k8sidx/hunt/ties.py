"""Ties between findings of several actors: the address that they share, or the credential that one
of them minted and another used.

A scanner that is anonymous first and a service account afterwards, from one address, is one actor
under two names. People behind one gateway are not, nor are the components of a node. An address
ties its users together if

- at most :data:`MOST_IDENTITIES` identities use it, and at most one of them has no finding there;
  that one is neither a node nor of the control plane;
- no trusted proxy sends requests of people from it, and it is not a loopback address;
- no two of its identities used it before :data:`LONG_BEFORE` the first of its findings.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import NamedTuple, TypeAlias

from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Value
from k8sidx.errors import UnsupportedQuery
from k8sidx.events.accounts import ANONYMOUS_NAMES, CONTROL_PLANE, NODE
from k8sidx.hunt.attack.chain import SHORTEST
from k8sidx.hunt.finding_events import AUDIT_ID, IDS_AT_ONCE, events_of
from k8sidx.hunt.impersonators import CALLER, EFFECTIVE, TrustedImpersonator, trusted_condition
from k8sidx.hunt.kinds.credential import ID as CREDENTIAL
from k8sidx.hunt.kinds.credential import ISSUED
from k8sidx.hunt.kinds.evidence import COUNT, OPENING
from k8sidx.hunt.kinds.time_window import CLUSTER, Window
from k8sidx.hunt.level import urgency
from k8sidx.hunt.lists import SHIPPED
from k8sidx.hunt.result import Finding, HuntResult
from k8sidx.query.algebra import And, Condition, InNetwork, Not, OneOf, Query, Terms

ADDRESS, KIND, OUTCOME, STAGE = "source.ip", "user.kind", "event.outcome", "stage"
MOST_IDENTITIES = 4
"""Identities with a name that use an address which ties them together."""
LONG_BEFORE = timedelta(days=1)
HISTORY = timedelta(days=30)
"""Time before :data:`LONG_BEFORE` in which identities that share an address are looked for."""
_MOST_ADDRESSES = 200
_PLATFORM = (NODE, CONTROL_PLANE)

_FIELDS = (AUDIT_ID, STAGE, CALLER, ADDRESS, CREDENTIAL, CLUSTER, OUTCOME)
CONTEXT = frozenset({*_FIELDS, ISSUED, KIND})
"""Stored fields that ties are made of."""

At: TypeAlias = tuple[Value, str]
"""A cluster, and an address or a credential: two clusters may have one private address."""


class _Request(NamedTuple):
    caller: str
    address: At
    credential: At
    outcome: str


@dataclass(slots=True)
class _Origin:
    """Where the requests of a finding came from."""

    callers: set[str] = field(default_factory=set)
    addresses: set[At] = field(default_factory=set)
    credentials: set[At] = field(default_factory=set)
    outcomes: set[str] = field(default_factory=set)

    @property
    def outcome(self) -> str:
        return "mixed" if len(self.outcomes) > 1 else next(iter(self.outcomes), "")


def with_ties(
    results: Sequence[HuntResult],
    impersonators: Iterable[TrustedImpersonator],
    engine: Engine,
    window: Window,
) -> list[HuntResult]:
    """Return the results with the ties and the outcomes of their findings.

    Findings too few to form a chain have none, and so have those of an index that lacks the fields.

    :param impersonators: trusted proxies, whose addresses tie nobody together.
    :raises StoreError: when the store cannot be read.
    """
    findings = [
        finding
        for result in results
        for finding in result.findings
        if urgency(finding.level) >= urgency("low")
    ]
    if len(findings) < SHORTEST:
        return list(results)
    try:
        origins = _origins(findings, engine, window)
        addresses = _tying_addresses(findings, origins, tuple(impersonators), engine, window)
        minters = _minters(origins, engine, window)
    except UnsupportedQuery:
        return list(results)
    minted: dict[str, set[At]] = defaultdict(set)
    for credential, caller in minters:
        minted[caller].add(credential)
    used = {credential for credential, _ in minters}

    def tied(finding: Finding) -> Finding:
        origin = origins.get(id(finding))
        if origin is None:
            return finding
        ties = (origin.addresses & addresses) | (origin.credentials & used)
        for caller in origin.callers:
            ties |= minted.get(caller, set())
        named = sorted((str(value), str(cluster or "")) for cluster, value in ties)
        return replace(finding, ties=tuple(named), outcome=finding.outcome or origin.outcome)

    return [replace(result, findings=list(map(tied, result.findings))) for result in results]


def _origins(findings: Sequence[Finding], engine: Engine, window: Window) -> dict[int, _Origin]:
    """Return where the requests of findings came from, by the identity of the finding."""
    requests: dict[str, list[_Request]] = defaultdict(list)
    for event in events_of(findings, _FIELDS, engine, window):
        audit_id, stage, caller, address, credential, cluster, outcome = event
        requests[str(audit_id)].append(
            _Request(
                str(caller or ""),
                (cluster, str(address or "")),
                (cluster, str(credential or "")),
                "" if stage in OPENING else str(outcome or ""),
            )
        )
    return {id(finding): _origin(finding, requests) for finding in findings}


def _origin(finding: Finding, requests: Mapping[str, Sequence[_Request]]) -> _Origin:
    """Return the origin of a finding: of requests with its auditIDs, which clients can choose,
    those of its caller and address."""
    caller = finding.key.get(CALLER) or finding.key.get(EFFECTIVE)
    address = finding.key.get(ADDRESS)
    origin = _Origin()
    for audit_id in finding.audit_ids:
        for request in requests.get(audit_id, ()):
            if isinstance(caller, str) and request.caller != caller:
                continue
            if isinstance(address, str) and request.address[1] != address:
                continue
            origin.callers.add(request.caller)
            origin.addresses.add(request.address)
            origin.credentials.add(request.credential)
            origin.outcomes.add(request.outcome)
    origin.addresses = {at for at in origin.addresses if at[1]}
    origin.credentials = {at for at in origin.credentials if at[1]}
    origin.outcomes.discard("")
    return origin


def _tying_addresses(
    findings: Sequence[Finding],
    origins: Mapping[int, _Origin],
    impersonators: tuple[TrustedImpersonator, ...],
    engine: Engine,
    window: Window,
) -> set[At]:
    """Return the addresses that tie those together who have findings from there."""
    callers: dict[At, set[str]] = defaultdict(set)
    for finding in findings:
        for address in origins[id(finding)].addresses:
            callers[address] |= origins[id(finding)].callers
    several = [address for address, names in callers.items() if len(names) > 1]
    if not several:
        return set()
    several = sorted(several, key=lambda at: -len(callers[at]))[:_MOST_ADDRESSES]
    here = OneOf(ADDRESS, tuple({address for _, address in several}))
    loopback = InNetwork(ADDRESS, SHIPPED.entries("loopback_addresses") or ())
    users = _users(And((here, Not(loopback))), engine, window)
    proxied = _users(And((here, trusted_condition(impersonators))), engine, window)
    starts = [finding.first_seen for finding in findings if finding.first_seen]
    begin = min(starts, default=None)
    before: Mapping[At, Mapping[str, Value]] = {}
    if begin is not None:
        until = begin - LONG_BEFORE
        before = _users(here, engine, replace(window, since=until - HISTORY, until=until))
    return {
        address
        for address in several
        if address in users
        and address not in proxied
        and not _is_shared(users[address], callers[address], before.get(address, {}))
    }


def _is_shared(
    users: Mapping[str, Value], acting: Collection[str], before: Mapping[str, Value]
) -> bool:
    """Whether an address is that of people, or components, who have no more in common.

    :param users: kinds of the identities that use it, by name.
    :param acting: names of those with findings from there.
    :param before: kinds of those that used it long before.
    """
    bystanders = [name for name in users if name not in acting]
    return (
        len(users) > MOST_IDENTITIES
        or len(bystanders) > 1
        or any(users[name] in _PLATFORM for name in bystanders)
        or len(before) > 1
    )


def _users(where: Condition, engine: Engine, window: Window) -> dict[At, dict[str, Value]]:
    """Return the kinds of the identities with a name, by address and name."""
    query = Query(
        where=And((where, Not(OneOf(CALLER, tuple(sorted(ANONYMOUS_NAMES)))))),
        since=window.since,
        until=window.until,
        group_by=(Terms(CLUSTER, keep_missing=True), Terms(ADDRESS), Terms(CALLER),
                  Terms(KIND, keep_missing=True)),
        metrics=(COUNT,),
    )  # fmt: skip
    users: dict[At, dict[str, Value]] = {}
    for cluster, address, caller, kind, _ in engine.run(query).rows:
        users.setdefault((cluster, str(address)), {})[str(caller)] = kind
    return users


def _minters(
    origins: Mapping[int, _Origin], engine: Engine, window: Window
) -> list[tuple[At, str]]:
    """Return the credentials of findings that somebody minted, and who; kubelets and the control
    plane mint those of all pods."""
    used = sorted({value for origin in origins.values() for _, value in origin.credentials})
    minters: list[tuple[At, str]] = []
    for first in range(0, len(used), IDS_AT_ONCE):
        query = Query(
            where=And((OneOf(ISSUED, tuple(used[first : first + IDS_AT_ONCE])),
                       Not(OneOf(KIND, _PLATFORM)))),
            since=window.since and window.since - LONG_BEFORE,
            until=window.until,
            group_by=(Terms(CLUSTER, keep_missing=True), Terms(ISSUED), Terms(CALLER)),
            metrics=(COUNT,),
        )  # fmt: skip
        for cluster, credential, caller, _ in engine.run(query).rows:
            minters.append(((cluster, str(credential)), str(caller)))
    return minters
