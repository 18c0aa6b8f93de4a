"""Addresses and networks as numbers, the same on every engine.

As in Lucene, an IPv4 address is the IPv6 address that it is mapped to: ``1.2.3.4`` and
``::ffff:1.2.3.4`` are one address, and lie in ``1.2.3.0/24`` both. A network of IPv6 that is
larger than all of IPv4 (``::/0``) is about IPv6 only, as whoever writes it means.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import NamedTuple

from k8sidx.errors import InvalidQuery

_MAPPED = 0xFFFF << 32
_LAST_MAPPED = _MAPPED | 0xFFFFFFFF
_BITS = 32


class Network(NamedTuple):
    """The first and last address, as 128-bit numbers."""

    first: int
    last: int


def parse_network(text: str) -> Network:
    """Parse a network in CIDR notation; bits beyond the prefix are ignored.

    :raises InvalidQuery: when it is not a valid network.
    """
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise InvalidQuery(
            f"{text!r} is not a valid network.", remedy="Write it as 10.0.0.0/8."
        ) from error
    return Network(_number(network[0]), _number(network[-1]))


def ranges(text: str) -> list[Network]:
    """Return the addresses of a network, without IPv4 where it is one of IPv6.

    :raises InvalidQuery: when it is not a valid network.
    """
    network = parse_network(text)
    if network.last - network.first <= _LAST_MAPPED - _MAPPED or not (
        network.first <= _MAPPED <= network.last
    ):
        return [network]
    parts = [Network(network.first, _MAPPED - 1), Network(_LAST_MAPPED + 1, network.last)]
    return [part for part in parts if part.first <= part.last]


def address_text(number: int) -> str:
    """Return the address of a 128-bit number as text."""
    if number >> _BITS == 0xFFFF:
        return str(ipaddress.IPv4Address(number & 0xFFFFFFFF))
    return str(ipaddress.IPv6Address(number))


class NetworkSet:
    """Networks, looked up by address in as many steps as there are prefix lengths.

    :param networks: addresses and networks (CIDR) of IPv4 and IPv6.
    :raises InvalidQuery: when one of them is not valid.
    """

    def __init__(self, networks: Iterable[str]) -> None:
        self._starts: dict[int, set[int]] = {}
        for first, last in map(parse_network, networks):
            host_bits = (last - first).bit_length()
            self._starts.setdefault(host_bits, set()).add(first >> host_bits)

    def __contains__(self, text: object) -> bool:
        try:
            number = _number(ipaddress.ip_address(str(text)))
        except ValueError:
            return False
        is_ipv4 = number >> _BITS == 0xFFFF
        return any(
            number >> bits in starts
            for bits, starts in self._starts.items()
            if not (is_ipv4 and bits > _BITS)
        )


def _number(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> int:
    return int(address) | _MAPPED if isinstance(address, ipaddress.IPv4Address) else int(address)
