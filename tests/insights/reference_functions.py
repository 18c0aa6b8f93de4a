"""The functions of the reference, by their names. A missing argument makes a missing result;
``coalesce`` and the like, for which that is not so, are in ``reference``."""

from __future__ import annotations

import ipaddress
import json
import math
from collections.abc import Callable
from typing import Any

from tests.insights.reference_values import (
    Time,
    Value,
    as_time,
    canonical,
    from_json,
    from_milliseconds,
    milliseconds,
    number,
    plain,
    text,
)

_MAPPED = 0xFFFF << 32
IPV4, IPV6 = 4, 6
_MOST_BITS = 1024
"""A power of 2 or more beyond that is no number any more."""


def arithmetic(operator: str, left: Value, right: Value) -> Value:
    """``+ - * / % ^``; missing for what is no number, and for results that are none. Exact for
    whole numbers."""
    a, b = number(left), number(right)
    if a is None or b is None:
        return None
    try:
        return plain(_arithmetic(operator, a, b))
    except (OverflowError, ZeroDivisionError, ValueError):
        return None


def _arithmetic(operator: str, a: int | float, b: int | float) -> Any:
    whole = isinstance(a, int) and isinstance(b, int)
    match operator:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
        case "/":
            return a // b if isinstance(a, int) and isinstance(b, int) and a % b == 0 else a / b
        case "%":
            if not whole:
                return math.fmod(a, b)
            rest = abs(a) % abs(b)
            return -rest if a < 0 else rest
    if whole and b >= 0:
        return None if abs(a) > 1 and b > _MOST_BITS else a**b
    result = float(a) ** float(b)
    return None if isinstance(result, complex) else result


def negative(value: Value) -> Value:
    found = number(value)
    return None if found is None else plain(-found)


def _numeric(of: Callable[..., Any]) -> Callable[..., Value]:
    def function(*arguments: Value) -> Value:
        numbers = [number(one) for one in arguments]
        if any(one is None for one in numbers):
            return None
        try:
            return plain(of(*numbers))
        except (ValueError, OverflowError):
            return None

    return function


def _textual(of: Callable[..., Value]) -> Callable[..., Value]:
    def function(*arguments: Value) -> Value:
        return of(*(text(one) for one in arguments))

    return function


def _substring(value: Value, start: Value, length: Value = None) -> Value:
    whole, begin, count = text(value), number(start), number(length)
    if whole is None or begin is None or (length is not None and count is None):
        return None
    rest = whole[max(0, int(begin)) :]
    return rest if count is None else rest[: max(0, int(count))]


def _difference(first: Value, second: Value) -> Value:
    begin, end = as_time(first), as_time(second)
    if begin is None or end is None:
        return None
    return plain(milliseconds(end.micros - begin.micros))


def _from_millis(value: Value) -> Value:
    found = number(value)
    return None if found is None else from_milliseconds(found)


def _to_millis(value: Value) -> Value:
    moment = as_time(value)
    return None if moment is None else plain(milliseconds(moment.micros))


def address(value: object) -> int | None:
    """The 128-bit number of an address; one of IPv4 is the IPv6 address it is mapped to."""
    try:
        found = ipaddress.ip_address(str(value))
    except ValueError:
        return None
    return int(found) | _MAPPED if found.version == 4 else int(found)


def is_ipv4(found: int) -> bool:
    return found >> 32 == 0xFFFF


def _version(value: Value) -> int | None:
    """How the address is written: one of IPv4 written as IPv6 is IPv6."""
    try:
        return ipaddress.ip_address(text(value) or "").version
    except ValueError:
        return None


def _in_its_network(version: int) -> Callable[[Value, Value], Value]:
    """Address and network are both written as of that version, and the one lies in the other."""

    def function(value: Value, network: Value) -> Value:
        wanted = ipaddress.ip_network(str(network), strict=False)
        alike = _version(value) == wanted.version == version
        return int(alike and in_network(value, network))

    return function


def in_network(value: Value, network: Value) -> bool:
    """Whether an address lies in a network; a network of IPv6 that is larger than all of IPv4 is
    about IPv6 only."""
    found = address(text(value))
    if found is None:
        return False
    wanted = ipaddress.ip_network(str(network), strict=False)
    first, last = address(wanted[0]), address(wanted[-1])
    assert first is not None
    assert last is not None
    if is_ipv4(found) and last - first > 0xFFFFFFFF:
        return False
    return first <= found <= last


def _parsed(value: Value) -> Value:
    said = text(value)
    assert said is not None
    try:
        found = from_json(json.loads(said, parse_constant=_refuse))
    except (ValueError, RecursionError):
        return None
    return plain(found) if isinstance(found, float) else found


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _stringified(value: Value) -> Value:
    return canonical(text(value) if isinstance(value, Time) else value)


FUNCTIONS: dict[str, Callable[..., Value]] = {
    "abs": _numeric(abs),
    "ceil": _numeric(math.ceil),
    "floor": _numeric(math.floor),
    "greatest": _numeric(max),
    "least": _numeric(min),
    "log": _numeric(math.log),
    "sqrt": _numeric(math.sqrt),
    "ltrim": _textual(lambda value, chars=None: value.lstrip(chars)),
    "rtrim": _textual(lambda value, chars=None: value.rstrip(chars)),
    "trim": _textual(lambda value, chars=None: value.strip(chars)),
    "strlen": _textual(len),
    "tolower": _textual(str.lower),
    "toupper": _textual(str.upper),
    "substr": _substring,
    "replace": _textual(lambda value, find, by: value.replace(find, by)),
    "strcontains": _textual(lambda value, part: int(part in value)),
    "datediff": _difference,
    "fromMillis": _from_millis,
    "toMillis": _to_millis,
    "isValidIp": lambda value: int(_version(value) is not None),
    "isValidIpv4": lambda value: int(_version(value) == IPV4),
    "isValidIpv6": lambda value: int(_version(value) == IPV6),
    "isIpInSubnet": lambda value, by: int(in_network(value, by)),
    "isIpv4InSubnet": _in_its_network(IPV4),
    "isIpv6InSubnet": _in_its_network(IPV6),
    "jsonParse": _parsed,
    "jsonStringify": _stringified,
}
