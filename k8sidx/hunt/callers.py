"""Known callers: from where, and with which client, identities of the platform act.

Hunts leave out identities whose work looks like an attack: controllers, kubelets, operators that
read Secrets. Such an exemption rests on a name, and whoever holds the identity's credential has
the name as well. So a request is exempt only if its caller is *known*: the address that the API
server saw and the client are those that the data show for the identity. The others are *foreign*,
and hunts judge them without their exemptions (:meth:`k8sidx.hunt.definition.Hunt.judging`).

What the data show, from the baseline where there is one and else from the window itself:

- A control-plane component or controller acts from the API server's own machine, or from an address
  at which components of the control plane act.
- A kubelet acts from its node's network: the one with most of the node's requests.
- Every other account acts from inside the cluster, and not with a client that people use.
- An address and a client that the baseline has for the identity are known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from functools import cache
from ipaddress import ip_address, ip_network

from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Value
from k8sidx.events.normalize.actors import network_of
from k8sidx.hunt.kinds.evidence import COUNT, EVIDENCE_METRICS, as_count, as_texts
from k8sidx.hunt.kinds.time_window import Window, compared_spans, extent_of, reaches_back
from k8sidx.hunt.lists import SHIPPED
from k8sidx.query.algebra import (
    And,
    Compare,
    Condition,
    Not,
    OneOf,
    Or,
    Present,
    Query,
    Terms,
    Wildcard,
)

MOST_CLAUSES = 100
"""Foreign callers that a condition names one by one; of more, it names the identities."""

OUTWEIGHED = 10
"""Number of times more requests that another network of a node has where one is foreign."""

SEEN = 10
"""Requests of control-plane components that show an address to be theirs."""

HISTORY = timedelta(days=30)
"""Length of the baseline when none is requested."""

BY = ("orchestrator.cluster.name", "user.username", "source.ip", "user_agent.name")
"""Fields of a caller: an identity in a cluster, at an address, with a client."""

_CLOUD_CONTROLLERS = ("cloud-provider", "node-controller", "route-controller", "service-controller")
_CONTROLLER_PREFIX = "system:serviceaccount:kube-system:"
_NODE_PREFIX = "system:node:"


@dataclass(frozen=True, slots=True)
class Caller:
    """An identity at an address, with a client.

    :param agent: product of the user agent; empty without one.
    :param evidence: first and last time, and auditIDs.
    """

    cluster: str | None
    user: str
    address: str
    agent: str
    requests: int = 0
    evidence: tuple[Value, ...] = ()

    @property
    def network(self) -> str:
        """Its /24 or /48; the address itself where it is none."""
        return network_of(self.address)

    @property
    def identity(self) -> tuple[str | None, str]:
        return self.cluster, self.user

    @property
    def first_seen(self) -> datetime | None:
        return self.evidence[0] if isinstance(self.evidence[0], datetime) else None

    @property
    def last_seen(self) -> datetime | None:
        return self.evidence[1] if isinstance(self.evidence[1], datetime) else None

    @property
    def audit_ids(self) -> tuple[str, ...]:
        return as_texts(self.evidence[2])


@dataclass(frozen=True, slots=True)
class ForeignCaller:
    """A caller that is not known, and why."""

    caller: Caller
    why: str


def queried(identities: Condition, since: datetime | None, until: datetime | None) -> Query:
    """Return the query for the callers of some identities, with evidence."""
    question = callers_question(identities)
    metrics = (*question.metrics, *EVIDENCE_METRICS)
    return replace(question, since=since, until=until, metrics=metrics)


def callers_question(identities: Condition) -> Query:
    """Return the query for the callers of some identities, as daily summaries answer it."""
    return Query(
        where=identities,
        group_by=tuple(Terms(name, keep_missing=True) for name in BY),
        metrics=(COUNT,),
    )


@cache
def platform_identities() -> Condition:
    """Return the identities that lists of the library exempt, and those that show places."""
    names = [
        *(SHIPPED.entries("platform_identities") or ()),
        *(SHIPPED.entries("operators_reading_secrets") or ()),
    ]
    plain = tuple(dict.fromkeys(name for name in names if "*" not in name))
    patterns = [name for name in dict.fromkeys(names) if "*" in name]
    spaces = SHIPPED.entries("system_namespaces") or ()
    patterns += [f"system:serviceaccount:{space}:*" for space in spaces]
    return Or(
        (OneOf("user.username", plain), *(Wildcard("user.username", text) for text in patterns))
    )


def platform_or(identities: Condition) -> Condition:
    """Return the identities of the platform, which show places, and some more."""
    return Or((platform_identities(), identities))


def callers_in(engine: Engine, query: Query) -> list[Caller]:
    """Return the callers that a query finds."""
    width = len(BY)
    callers = []
    for row in engine.run(query).rows:
        cluster, user, address, agent = (str(value or "") for value in row[:width])
        if user and address:
            callers.append(
                Caller(
                    cluster or None, user, address, agent, as_count(row[width]),
                    tuple(row[width + 1 :]),
                )
            )  # fmt: skip
    return callers


@dataclass(frozen=True, slots=True)
class _Shown:
    """Places and clients that the data show.

    :param before: networks and clients of each identity in the baseline.
    :param control_plane: addresses of each cluster at which its components act.
    :param requests: of each identity by network.
    """

    before: Mapping[tuple[str | None, str], tuple[set[str], set[str]]]
    control_plane: Mapping[str | None, set[str]]
    requests: Mapping[tuple[str | None, str], Mapping[str, int]] = field(default_factory=dict)


def foreign_callers(now: Sequence[Caller], before: Sequence[Caller]) -> list[ForeignCaller]:
    """Return the callers that are not known.

    :param now: callers of the window.
    :param before: callers of the baseline; empty without one.
    """
    shown = _shown(now, before)
    foreign = []
    for caller in now:
        why = _foreign(caller, shown)
        if why:
            foreign.append(ForeignCaller(caller, why))
    return foreign


def _shown(now: Sequence[Caller], before: Sequence[Caller]) -> _Shown:
    history: dict[tuple[str | None, str], tuple[set[str], set[str]]] = {}
    for caller in before:
        networks, agents = history.setdefault(caller.identity, (set(), set()))
        networks.add(caller.network)
        agents.add(caller.agent)
    requests: dict[tuple[str | None, str], dict[str, int]] = {}
    counted: dict[tuple[str | None, str], int] = {}
    for caller in (*now, *before):
        by_network = requests.setdefault(caller.identity, {})
        by_network[caller.network] = by_network.get(caller.network, 0) + caller.requests
        if caller.user in _entries("control_plane_users") and not _hands_on(caller.agent):
            source = (caller.cluster, caller.address)
            counted[source] = counted.get(source, 0) + caller.requests
    control_plane: dict[str | None, set[str]] = {}
    for (cluster, address), count in counted.items():
        if count >= SEEN and is_private(address) and not _loopback(address):
            control_plane.setdefault(cluster, set()).add(address)
    return _Shown(history, control_plane, requests)


def _foreign(caller: Caller, shown: _Shown) -> str:
    """Return why a caller is foreign; empty for one that is known."""
    if _loopback(caller.address):
        return ""
    networks, agents = shown.before.get(caller.identity, (set(), set()))
    if caller.network in networks and caller.agent in agents:
        return ""
    if _hands_on(caller.agent) and caller.agent not in agents:
        return f"{caller.agent} is a client that people use"
    if caller.user.startswith(_NODE_PREFIX):
        return _foreign_node(caller, shown, networks)
    if not is_private(caller.address) and caller.network not in networks and _stays_inside(caller):
        return "the address is outside the cluster"
    if _is_control_plane(caller):
        places = shown.control_plane.get(caller.cluster, set())
        if places and caller.address not in places and caller.network not in networks:
            return f"components of the control plane act from {_listed(places)}"
    return ""


def _foreign_node(caller: Caller, shown: _Shown, networks: set[str]) -> str:
    if caller.agent and not any(
        fnmatchcase(caller.agent.casefold(), name) for name in _entries("node_agents")
    ):
        return f"{caller.agent} is not software of a node"
    if caller.network in networks:
        return ""
    by_network = shown.requests[caller.identity]
    usual = max(by_network, key=lambda network: by_network[network])
    if by_network[usual] >= OUTWEIGHED * by_network[caller.network]:
        return f"the node acts from {usual}"
    if not is_private(caller.address) and not _nodes_are_outside(caller, shown):
        return "the address is outside the cluster"
    return ""


def _nodes_are_outside(caller: Caller, shown: _Shown) -> bool:
    """Whether most nodes of the cluster act from public addresses, as where they have no others."""
    homes = [
        max(by_network, key=lambda network: by_network[network])
        for (cluster, user), by_network in shown.requests.items()
        if cluster == caller.cluster and user.startswith(_NODE_PREFIX) and user != caller.user
    ]
    outside = sum(not is_private(home.partition("/")[0]) for home in homes)
    return bool(homes) and 2 * outside > len(homes)


def _stays_inside(caller: Caller) -> bool:
    """Whether an identity has no business outside: service accounts and components of the
    cluster, not the services of a cloud."""
    return caller.user.startswith("system:")


def _is_control_plane(caller: Caller) -> bool:
    account = caller.user.removeprefix(_CONTROLLER_PREFIX)
    if account in _CLOUD_CONTROLLERS and caller.agent != "kube-controller-manager":
        return False
    return caller.user in _entries("controller_service_accounts")


def foreign_requests(foreign: Sequence[ForeignCaller]) -> Condition | None:
    """Return the condition of the requests of foreign callers; ``None`` without any."""
    if not foreign:
        return None
    if len(foreign) > MOST_CLAUSES:
        return OneOf("user.username", tuple(sorted({each.caller.user for each in foreign})))
    return Or(tuple(_clause(each.caller) for each in foreign))


def _clause(caller: Caller) -> Condition:
    agent: Condition = Compare("user_agent.name", "=", caller.agent)
    parts: list[Condition] = [
        Compare("user.username", "=", caller.user),
        Compare("source.ip", "=", caller.address),
        agent if caller.agent else Not(Present("user_agent.name")),
    ]
    if caller.cluster is not None:
        parts.append(Compare("orchestrator.cluster.name", "=", caller.cluster))
    return And(tuple(parts))


def _hands_on(agent: str) -> bool:
    """Whether a client is one that people and their scripts use."""
    name = agent.casefold()
    return any(fnmatchcase(name, pattern) for pattern in _entries("hands_on_clients"))


@cache
def _entries(name: str) -> tuple[str, ...]:
    entries = SHIPPED.entries(name) or ()
    if name in ("hands_on_clients", "node_agents"):
        return tuple(entry.casefold() for entry in entries)
    return entries


@cache
def is_private(address: str) -> bool:
    """Whether an address is one of a private network."""
    return _is_in(address, "private_networks")


@cache
def _loopback(address: str) -> bool:
    return _is_in(address, "loopback_addresses")


def _is_in(address: str, name: str) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in ip_network(entry, strict=False) for entry in SHIPPED.entries(name) or ())


def _listed(values: Iterable[str]) -> str:
    return ", ".join(sorted(values)[:3])


def callers_of(
    identities: Condition, engine: Engine, window: Window, past: Engine
) -> list[ForeignCaller]:
    """Return the foreign callers of some identities in a window.

    :param past: answers the query about the baseline.
    """
    now = callers_in(engine, queried(platform_or(identities), window.since, window.until))
    before = _history(engine, window, past) if now else []
    return foreign_callers(now, before)


def _history(engine: Engine, window: Window, past: Engine) -> list[Caller]:
    """Return the callers of the baseline; none where no ``since`` was requested, or the data do
    not reach back."""
    if window.since is None:
        return []
    extent = extent_of(engine, window)
    spans = compared_spans(window, extent, timedelta(0), HISTORY)
    if spans is None or not reaches_back(extent, spans):
        return []
    question = callers_question(platform_identities())
    return callers_in(past, question.replace(since=spans.start, until=spans.since))
