"""A caller: an identity in a cluster, at an address, with a client."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from functools import cache
from ipaddress import ip_address, ip_network

from k8sidx.backends.result import Value
from k8sidx.events.normalize.actors import network_of
from k8sidx.hunt.kinds.evidence import as_texts
from k8sidx.hunt.lists import SHIPPED

Identity = tuple[str | None, str]
"""A cluster and a user."""

_FOLDED = ("hands_on_clients", "library_clients", "node_agents")
"""Lists of user agents, which do not differ by case."""


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
    def identity(self) -> Identity:
        return self.cluster, self.user

    @property
    def place(self) -> tuple[str | None, str, str, str]:
        """Everything that identifies it."""
        return self.cluster, self.user, self.address, self.agent

    @property
    def first_seen(self) -> datetime | None:
        return self.evidence[0] if isinstance(self.evidence[0], datetime) else None

    @property
    def last_seen(self) -> datetime | None:
        return self.evidence[1] if isinstance(self.evidence[1], datetime) else None

    @property
    def audit_ids(self) -> tuple[str, ...]:
        return as_texts(self.evidence[2])


def is_listed(text: str, name: str) -> bool:
    """Whether a user or the product of a user agent is in a shipped list."""
    folded = text.casefold() if name in _FOLDED else text
    return any(fnmatchcase(folded, pattern) for pattern in _entries(name))


@cache
def _entries(name: str) -> tuple[str, ...]:
    entries = SHIPPED.entries(name) or ()
    return tuple(entry.casefold() for entry in entries) if name in _FOLDED else entries


@cache
def is_private(address: str) -> bool:
    """Whether an address is one of a private network."""
    return _is_in(address, "private_networks")


@cache
def is_loopback(address: str) -> bool:
    """Whether an address is the API server's own machine."""
    return _is_in(address, "loopback_addresses")


def _is_in(address: str, name: str) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in ip_network(entry, strict=False) for entry in SHIPPED.entries(name) or ())
