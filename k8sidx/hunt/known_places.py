"""Known places: where the data show that identities of the platform act, and with which clients.

Everything here is what other requests show, not a caller's own name or agent. From the baseline
where there is one, and else from the window itself:

- A control-plane component or controller acts from the API server's own machine, or from an address
  at which components of the control plane act; a component not from where pods act, and a managed
  one not from where nodes act.
- A kubelet acts from its node's network: the one with most of the node's requests.
- Every other account acts from inside the cluster, and not with a client that people use. Where
  most nodes act from public addresses, these are the cluster's own: pods leave it through them.
- The client of a language's library is the account's own where its program acts as well, or where
  the account has no other.
- An address and a client that the baseline has for the identity are known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from k8sidx.events.accounts import NODE_PREFIX, SERVICE_ACCOUNT_PREFIX
from k8sidx.hunt.caller import Caller, Identity, is_listed, is_loopback, is_private

OUTWEIGHED = 10
"""Number of times more requests that another network of a node has where one is foreign."""

SEEN = 10
"""Requests of control-plane components that show an address to be theirs."""

COMPANY = 3
"""Users of the control plane that show an address to be its own: nobody steals so many."""

_CLOUD_CONTROLLERS = ("cloud-provider", "node-controller", "route-controller", "service-controller")
_CONTROLLER_PREFIX = "system:serviceaccount:kube-system:"
_OF_CONTROL_PLANE = (
    "control_plane_users",
    "controller_service_accounts",
    "managed_control_plane_users",
)
_ON_NODES = ("system:kube-proxy", "system:cloud-controller-manager")
"""Control-plane users of software that runs on nodes, or in pods."""

Counts = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class KnownPlaces:
    """Places and clients that the data show.

    :param before: networks and clients of each identity in the baseline.
    :param control_plane: addresses of each cluster at which its components act.
    :param networks: requests of each identity by network.
    :param clients: requests of each identity by address and client.
    :param nodes: networks of each cluster from which nodes act.
    :param pods: networks of each cluster from which service accounts act, and nothing else.
    :param own: public addresses of each cluster that are those of its nodes.
    """

    before: Mapping[Identity, tuple[set[str], set[str]]]
    control_plane: Mapping[str | None, set[str]] = field(default_factory=dict)
    networks: Mapping[Identity, Counts] = field(default_factory=dict)
    clients: Mapping[Identity, Mapping[str, Counts]] = field(default_factory=dict)
    nodes: Mapping[str | None, set[str]] = field(default_factory=dict)
    pods: Mapping[str | None, set[str]] = field(default_factory=dict)
    own: Mapping[str | None, set[str]] = field(default_factory=dict)


def known_places(now: Sequence[Caller], before: Sequence[Caller]) -> KnownPlaces:
    """Return what callers show.

    :param now: callers of the window.
    :param before: callers of the baseline; empty without one.
    """
    history: dict[Identity, tuple[set[str], set[str]]] = {}
    for caller in before:
        networks, agents = history.setdefault(caller.identity, (set(), set()))
        networks.add(caller.network)
        agents.add(caller.agent)
    every = (*now, *before)
    clients: dict[Identity, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    by_network: dict[Identity, dict[str, int]] = defaultdict(dict)
    for caller in every:
        at = clients[caller.identity][caller.address]
        at[caller.agent] = at.get(caller.agent, 0) + caller.requests
        counts = by_network[caller.identity]
        counts[caller.network] = counts.get(caller.network, 0) + caller.requests
    nodes = _networks(every, is_node)
    pods = {
        cluster: networks - nodes[cluster]
        for cluster, networks in _networks(every, _is_workload).items()
        # Where kubelets are not logged, nothing tells a pod from software on its node.
        if cluster in nodes
    }
    return KnownPlaces(
        history, _control_plane(every, pods), by_network, clients, nodes, pods, own_addresses(every)
    )


def is_node(caller: Caller) -> bool:
    """Whether a caller is a kubelet, by its name."""
    return caller.user.startswith(NODE_PREFIX)


def _is_workload(caller: Caller) -> bool:
    """Whether a caller runs in a pod, by its name: a service account that is not a controller's."""
    return caller.user.startswith(SERVICE_ACCOUNT_PREFIX) and not is_listed(
        caller.user, "controller_service_accounts"
    )


def _networks(
    callers: Iterable[Caller], chosen: Callable[[Caller], bool]
) -> dict[str | None, set[str]]:
    networks: dict[str | None, set[str]] = defaultdict(set)
    for caller in callers:
        if chosen(caller):
            networks[caller.cluster].add(caller.network)
    return dict(networks)


def _control_plane(
    callers: Sequence[Caller], pods: Mapping[str | None, set[str]]
) -> dict[str | None, set[str]]:
    """Return the addresses at which components act: often enough, or in company.

    Who holds the credential of one component is alone with it, in a pod.
    """
    counted: dict[tuple[str | None, str], int] = defaultdict(int)
    company: dict[tuple[str | None, str], set[str]] = defaultdict(set)
    alone: set[tuple[str | None, str]] = set()
    for caller in callers:
        if not is_private(caller.address) or is_loopback(caller.address):
            continue
        if is_listed(caller.agent, "hands_on_clients"):
            continue
        place = (caller.cluster, caller.address)
        if any(is_listed(caller.user, name) for name in _OF_CONTROL_PLANE):
            company[place].add(caller.user)
        if is_listed(caller.user, "control_plane_users"):
            counted[place] += caller.requests
            if caller.network in pods.get(caller.cluster, set()):
                alone.add(place)
    places: dict[str | None, set[str]] = defaultdict(set)
    for place, users in company.items():
        often = counted.get(place, 0) >= SEEN and place not in alone
        if often or len(users) >= COMPANY:
            places[place[0]].add(place[1])
    return dict(places)


def own_addresses(callers: Sequence[Caller]) -> dict[str | None, set[str]]:
    """Return the public addresses of the nodes of each cluster most of whose nodes have one.

    Where nodes reach the API server through a load balancer or a NAT gateway, or have public
    addresses themselves, pods have these addresses as well.
    """
    counts: dict[Identity, dict[str, int]] = defaultdict(dict)
    for caller in callers:
        if is_node(caller) and not is_listed(caller.agent, "hands_on_clients"):
            at = counts[caller.identity]
            at[caller.address] = at.get(caller.address, 0) + caller.requests
    homes: dict[str | None, list[str]] = defaultdict(list)
    for (cluster, _), at in counts.items():
        homes[cluster].append(max(at, key=lambda address: at[address]))
    own: dict[str | None, set[str]] = {}
    for cluster, addresses in homes.items():
        public = [address for address in addresses if not is_private(address)]
        if len(public) > 1 and 2 * len(public) > len(addresses):
            own[cluster] = set(public)
    return own


def why_foreign(caller: Caller, places: KnownPlaces) -> str:
    """Return why a caller is foreign; empty for one that is known."""
    if is_listed(caller.user, "provider_support"):
        return "it belongs to people of the provider"
    if is_loopback(caller.address):
        return ""
    networks, agents = places.before.get(caller.identity, (set(), set()))
    if caller.network in networks and caller.agent in agents:
        return ""
    hands_on = is_listed(caller.agent, "hands_on_clients") and caller.agent not in agents
    if hands_on and not _is_own_library(caller, places):
        return f"{caller.agent} is a client that people use"
    if not caller.agent and any(any(at) for at in places.clients[caller.identity].values()):
        return "it sends no user agent, and does so elsewhere"
    if is_node(caller):
        return _foreign_node(caller, places, networks)
    if caller.network in networks:
        return ""
    if not is_private(caller.address):
        inside = caller.address in places.own.get(caller.cluster, set())
        if not inside and _stays_inside(caller.user):
            return "the address is outside the cluster"
    return _outside_control_plane(caller, places)


def _foreign_node(caller: Caller, places: KnownPlaces, networks: set[str]) -> str:
    if caller.agent and not is_listed(caller.agent, "node_agents"):
        return f"{caller.agent} is not software of a node"
    if caller.network in networks:
        return ""
    by_network = places.networks[caller.identity]
    usual = max(by_network, key=lambda network: by_network[network])
    if by_network[usual] >= OUTWEIGHED * by_network[caller.network]:
        return f"the node acts from {usual}"
    own = places.own.get(caller.cluster, set())
    outside = not is_private(caller.address) and caller.address not in own
    if outside and not _others_are_outside(caller, places):
        return "the address is outside the cluster"
    return ""


def _others_are_outside(caller: Caller, places: KnownPlaces) -> bool:
    """Whether most nodes of the cluster act from public addresses, as where they have no others."""
    homes = [
        max(by_network, key=lambda network: by_network[network])
        for (cluster, user), by_network in places.networks.items()
        if cluster == caller.cluster and user.startswith(NODE_PREFIX) and user != caller.user
    ]
    outside = sum(not is_private(home.partition("/")[0]) for home in homes)
    return bool(homes) and 2 * outside > len(homes)


def _outside_control_plane(caller: Caller, places: KnownPlaces) -> str:
    """Return why a caller is not at the control plane, which its identity is part of."""
    known = places.control_plane.get(caller.cluster, set())
    if caller.address in known:
        return ""
    if _is_controller(caller):
        return f"components of the control plane act from {_listed(known)}" if known else ""
    managed = is_listed(caller.user, "managed_control_plane_users")
    if not managed and (
        not is_listed(caller.user, "control_plane_users") or caller.user in _ON_NODES
    ):
        return ""
    if caller.network in places.pods.get(caller.cluster, set()):
        return f"pods act from {caller.network}, and it does not run in one"
    if managed and caller.network in places.nodes.get(caller.cluster, set()):
        return f"nodes act from {caller.network}, and it does not run on one"
    return ""


def _is_own_library(caller: Caller, places: KnownPlaces) -> bool:
    """Whether a library's client is the identity's own.

    Somebody else who has the credential and such a program is at another address, or, in the same
    pod, sends little beside what the program sends.
    """
    if not is_listed(caller.agent, "library_clients"):
        return False
    clients = places.clients[caller.identity]
    here = clients[caller.address]
    requests = sum(here.values())
    if here[caller.agent] * OUTWEIGHED < requests:
        return False
    programs = {agent for at in clients.values() for agent in at if _is_program(agent)}
    if programs:
        return any(agent in programs for agent in here)
    most = max(sum(at.values()) for at in clients.values())
    return requests * OUTWEIGHED >= most and is_listed(caller.user, "platform_identities")


def _is_program(agent: str) -> bool:
    return bool(agent) and not is_listed(agent, "hands_on_clients")


def _stays_inside(user: str) -> bool:
    """Whether an identity has no business outside: service accounts and components of the
    cluster, not the services of a cloud that manage it."""
    if is_listed(user, "eks_outside_users") or "@" in user:
        return False
    return user.startswith("system:") or is_listed(user, "platform_identities")


def _is_controller(caller: Caller) -> bool:
    account = caller.user.removeprefix(_CONTROLLER_PREFIX)
    if account in _CLOUD_CONTROLLERS and caller.agent != "kube-controller-manager":
        return False
    return is_listed(caller.user, "controller_service_accounts")


def _listed(values: Iterable[str]) -> str:
    return ", ".join(sorted(values)[:3])
