"""Networks and long lists of values → those values of them that the data have.

An indicator list has a hundred thousand addresses, an audit log a few hundred. So the
distinct values of the field are asked for first, and only those that are meant become part
of the statement.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Sequence

from k8sidx.engine.result import Value
from k8sidx.fields.lookup import resolve
from k8sidx.fields.table import Kind
from k8sidx.query.algebra import And, Condition, InNetwork, Leaf, Not, OneOf, Or

LONG = 500
"""Values that a statement may hold for one comparison."""

_UPPER, _LOWER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"
_FOLD = str.maketrans(_UPPER, _LOWER)


class NetworkSet:
    """Networks, looked up by address in as many steps as there are prefix lengths.

    :param networks: addresses and networks (CIDR) of IPv4 and IPv6.
    """

    def __init__(self, networks: Iterable[str]) -> None:
        self._starts: dict[tuple[int, int], set[int]] = {}
        for text in networks:
            network = ipaddress.ip_network(text, strict=False)
            host_bits = network.max_prefixlen - network.prefixlen
            starts = self._starts.setdefault((network.version, host_bits), set())
            starts.add(int(network.network_address) >> host_bits)

    def __contains__(self, text: object) -> bool:
        try:
            address = ipaddress.ip_address(str(text))
        except ValueError:
            return False
        number, version = int(address), address.version
        return any(
            number >> host_bits in starts
            for (of, host_bits), starts in self._starts.items()
            if of == version
        )


def needs_narrowing(leaf: Leaf) -> bool:
    """Whether a comparison is put into a statement only with the values that the data have."""
    if isinstance(leaf, InNetwork):
        return True
    if not isinstance(leaf, OneOf) or len(leaf.values) <= LONG:
        return False
    return resolve(leaf.field).field.kind in (Kind.KEYWORD, Kind.ADDRESS)


def narrowed(condition: Condition, values_of: Callable[[str], Sequence[Value]]) -> Condition:
    """The condition with networks and long lists replaced by the values that there are.

    :param values_of: the distinct values of a field.
    """
    match condition:
        case And(parts):
            return And(tuple(narrowed(one, values_of) for one in parts))
        case Or(parts):
            return Or(tuple(narrowed(one, values_of) for one in parts))
        case Not(part):
            return Not(narrowed(part, values_of))
        case InNetwork(field, networks):
            inside = NetworkSet(networks)
            return OneOf(field, tuple(str(v) for v in values_of(field) if v in inside))
        case OneOf(field, values, ignore_case) if needs_narrowing(condition):
            wanted = {_folded(value, ignore_case) for value in values}
            met = [str(v) for v in values_of(field) if _folded(v, ignore_case) in wanted]
            return OneOf(field, tuple(met))
    return condition


def _folded(value: object, ignore_case: bool) -> str:
    return str(value).translate(_FOLD) if ignore_case else str(value)
