"""Lists that rules name as Sigma placeholders (``|expand: '%system_namespaces%'``).

The lists that are shipped with k8sidx are in ``lists.toml`` beside this module, with their
sources; the files that the configuration names add to them, one entry a line.
"""

from __future__ import annotations

import difflib
import ipaddress
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import Any

from k8sidx.errors import UsageError, Where
from k8sidx.hunt.impersonators import TrustedImpersonator

ADDRESSES = "addresses"
TRUSTED, TRUSTED_NETWORKS = "trusted_impersonators", "trusted_impersonator_networks"
CLUSTER_NETWORKS = "private_networks"
"""Addresses that a trusted impersonator runs at where the user gives none."""

_PROXY = "_impersonators"
_SHIPPED_FILE = resources.files("k8sidx") / "hunt" / "lists.toml"


@dataclass(frozen=True, slots=True)
class ShippedList:
    """A list that is shipped with k8sidx.

    :param holds: users, namespaces, addresses, agents, paths, images or nodes.
    :param entries: its own; ``*`` and ``?`` match any text and one character.
    :param includes: lists whose entries belong to it as well.
    :param sources: where the entries are documented.
    :param platform: the platform of the entries; empty for every one.
    :param reviewed: the day on which the entries were compared with the sources.
    :param needed: whether it is useless without entries of the user.
    """

    name: str
    about: str
    holds: str
    entries: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    platform: str = ""
    reviewed: str = ""
    needed: bool = False


class Lists:
    """The shipped lists together with the user's.

    :param given: entries of the user's, by list; they add to the shipped list of the name.
    :param proxies: the user's trusted impersonators, in addition to those that are shipped.
    """

    def __init__(
        self,
        given: Mapping[str, Sequence[str]] | None = None,
        proxies: Sequence[TrustedImpersonator] = (),
    ) -> None:
        self._proxies = tuple(proxies)
        self._given = {name: tuple(entries) for name, entries in (given or {}).items()}
        if proxies:
            accounts = tuple(proxy.account for proxy in proxies)
            self._given[TRUSTED] = (*self._given.get(TRUSTED, ()), *accounts)
            networks = tuple(network for proxy in proxies for network in proxy.networks)
            self._given[TRUSTED_NETWORKS] = (*self._given.get(TRUSTED_NETWORKS, ()), *networks)
        self._collected: dict[str, tuple[str, ...] | None] = {}

    def entries(self, name: str) -> tuple[str, ...] | None:
        """Return the list's entries, each once; ``None`` for a list that is not configured."""
        if name not in self._collected:
            self._collected[name] = self._collect(name)
        return self._collected[name]

    def digest(self) -> str:
        """Return a text that differs when the user's entries do."""
        given = sorted((name, entries) for name, entries in self._given.items())
        return sha256(repr((given, self._proxies)).encode()).hexdigest()

    def impersonators(self) -> tuple[TrustedImpersonator, ...]:
        """Return the trusted impersonators: an account at other addresses than the user gave for
        it is not one."""
        own = {proxy.account for proxy in self._proxies}
        inside = self.entries(CLUSTER_NETWORKS) or ()
        shipped = [
            TrustedImpersonator(name.removesuffix(_PROXY), account, inside)
            for name in shipped_lists()[TRUSTED].includes
            for account in self.entries(name) or ()
            if account not in own
        ]
        return (*self._proxies, *shipped)

    def _collect(self, name: str) -> tuple[str, ...] | None:
        shipped = shipped_lists().get(name)
        given = self._given.get(name)
        if shipped is None or shipped.needed:
            return given
        parts = [self.entries(included) or () for included in shipped.includes]
        return tuple(
            dict.fromkeys(
                entry for part in (shipped.entries, *parts, given or ()) for entry in part
            )
        )


def how_to_give(name: str) -> str:
    """Return how to configure a list that is missing."""
    shipped = shipped_lists().get(name)
    if shipped is None:
        near = difflib.get_close_matches(name, shipped_lists(), n=1)
        hint = f" Or is {near[0]} meant?" if near else ""
        return f'Name a file with it in k8sidx.toml, under [lists]: {name} = "{name}.txt".{hint}'
    return (
        f"It holds {shipped.holds}, one a line. Name the file in k8sidx.toml, under [lists]: "
        f'{name} = "{name}.txt".'
    )


@cache
def shipped_lists() -> dict[str, ShippedList]:
    """Return the lists of ``lists.toml``, by name."""
    tables: dict[str, dict[str, Any]] = tomllib.loads(_SHIPPED_FILE.read_text(encoding="utf-8"))
    return {name: _shipped(name, **values) for name, values in tables.items()}


def _shipped(name: str, *, about: str, holds: str, **more: Any) -> ShippedList:
    frozen: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in more.items()
    }
    return ShippedList(name, about, holds, **frozen)


SHIPPED = Lists()


def lists_from(
    files: Mapping[str, Sequence[Path]], proxies: Sequence[TrustedImpersonator] = ()
) -> Lists:
    """Return the shipped lists with the entries of the files.

    :param proxies: trusted impersonators of the user.
    :raises UsageError: for a file that cannot be read, or an entry that its list cannot have.
    """
    given = {
        name: tuple(dict.fromkeys(entry for path in paths for entry in _entries(name, path)))
        for name, paths in files.items()
    }
    return Lists(given, proxies) if given or proxies else SHIPPED


def _entries(name: str, path: Path) -> list[str]:
    """Return the lines of a file that are neither empty nor comments (``#``)."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not valid UTF-8"
        raise UsageError(
            f"the list {name} cannot be read: {reason}.", where=Where(str(path))
        ) from error
    shipped = shipped_lists().get(name)
    addresses = shipped is not None and shipped.holds == ADDRESSES
    entries = []
    for number, line in enumerate(text.splitlines(), 1):
        entry = line.partition("#")[0].strip()
        if not entry:
            continue
        if addresses and not is_network(entry):
            raise UsageError(
                f"the list {name} contains addresses, and {entry!r} is not one.",
                remedy="Write an address or a network, for example 192.0.2.0/24.",
                where=Where(str(path), number),
            )
        entries.append(entry)
    return entries


def is_network(text: str) -> bool:
    """Whether a text is an address or a network of them (CIDR)."""
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True
