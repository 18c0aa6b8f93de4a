"""Trusted impersonators: proxies that send the requests of people who logged in to them.

Behind Rancher, Pinniped's concierge and the like, each request is an impersonation by the proxy's
account, and what matters is the person. A proxy is known by its account *and* by the addresses
that it runs at: with a stolen token, the account acts from elsewhere, and the request is judged
as the account's own. So is one that impersonates an identity of the system.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from k8sidx.query.algebra import (
    NEVER,
    And,
    Compare,
    Condition,
    InNetwork,
    Not,
    OneOf,
    Or,
    Present,
    Wildcard,
)
from k8sidx.query.networks import NetworkSet
from k8sidx.query.wildcard import to_regex, tokens

CALLER = "user.username"
ACTING = "impersonatedUser.username"
IMPERSONATED_GROUPS = "impersonatedUser.groups"
EFFECTIVE = "user.effective.name"

PRIVILEGED_GROUPS = ("kubeadm:cluster-admins", "system:masters", "system:nodes")
"""Groups that no proxy requests for a person."""


@dataclass(frozen=True, slots=True)
class TrustedImpersonator:
    """A proxy whose users are told by their own names.

    :param name: in sentences: ``rancher``.
    :param account: its user name; ``*`` and ``?`` match any text and one character.
    :param networks: addresses that it runs at, in CIDR notation.
    """

    name: str
    account: str
    networks: tuple[str, ...]


def trusted_condition(impersonators: Iterable[TrustedImpersonator]) -> Condition:
    """Return the condition of requests that a trusted proxy sent for a person."""
    by_networks: dict[tuple[str, ...], list[str]] = {}
    for impersonator in impersonators:
        by_networks.setdefault(impersonator.networks, []).append(impersonator.account)
    sent = [
        And((_accounts(accounts), InNetwork("source.ip", networks)))
        for networks, accounts in by_networks.items()
        if networks
    ]
    if not sent:
        return NEVER
    system = Or((Wildcard(ACTING, "system:*"), OneOf(IMPERSONATED_GROUPS, PRIVILEGED_GROUPS)))
    return And((Present(ACTING), Or(tuple(sent)), Not(system)))


def _accounts(accounts: Iterable[str]) -> Condition:
    tests = tuple(
        Wildcard(CALLER, account) if "*" in account or "?" in account
        else Compare(CALLER, "=", account)
        for account in accounts
    )  # fmt: skip
    return tests[0] if len(tests) == 1 else Or(tests)


def trusted_proxy(
    impersonators: Iterable[TrustedImpersonator],
    caller: str,
    acting: Iterable[str],
    groups: Iterable[str],
    addresses: Iterable[str],
) -> str:
    """Return the name of the trusted proxy that sent requests; empty for any other caller.

    :param acting: whom the requests impersonated; ``groups`` with which groups.
    :param addresses: every address that they came from.
    """
    if any(name.startswith("system:") for name in acting) or set(groups) & {*PRIVILEGED_GROUPS}:
        return ""
    seen = list(addresses)
    for impersonator in impersonators:
        networks = NetworkSet(impersonator.networks)
        at_home = bool(seen) and all(text in networks for text in seen)
        if at_home and re.fullmatch(to_regex(tokens(impersonator.account)), caller, re.DOTALL):
            return impersonator.name
    return ""
