"""Source addresses, and products in user agents."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

# Tokens of browser user agents that name no product of interest.
_BROWSER = frozenset(
    {"Mozilla", "AppleWebKit", "Gecko", "Chrome", "Chromium", "Safari", "Firefox", "Version",
     "Mobile", "Edg", "Electron", "HeadlessChrome"}
)  # fmt: skip


@lru_cache(maxsize=16_384)
def address(text: str) -> str | None:
    """Return the address in its canonical form, or ``None`` for other texts.

    IPv4 in IPv6 (``::ffff:192.0.2.1``) becomes IPv4; zones (``%eth0``) are dropped.
    """
    try:
        parsed = ipaddress.ip_address(text.strip().split("%", 1)[0])
    except ValueError:
        return None
    mapped = getattr(parsed, "ipv4_mapped", None)
    return str(mapped or parsed)


@lru_cache(maxsize=16_384)
def network_of(address: str) -> str:
    """Return the network of an address: /24 of IPv4, /48 of IPv6; a text that is none as it is."""
    try:
        width = 24 if ipaddress.ip_address(address).version == 4 else 48
        return str(ipaddress.ip_network(f"{address}/{width}", strict=False))
    except ValueError:
        return address


@lru_cache(maxsize=16_384)
def product(user_agent: str) -> tuple[str, str]:
    """Return name and version of the product in a User-Agent header (RFC 9110 section 10.1.5).

    For browsers it is the application inside: ``OpenLens`` rather than ``Mozilla``.
    """
    tokens = _tokens(user_agent)
    if not tokens:
        return user_agent.strip(), ""
    if tokens[0][0] in _BROWSER:
        for name, version in tokens:
            if name not in _BROWSER:
                return name, version
    return tokens[0]


def _tokens(user_agent: str) -> list[tuple[str, str]]:
    outside: list[str] = []
    depth = 0
    for part in user_agent.replace("(", " ( ").replace(")", " ) ").split():
        if part == "(":
            depth += 1
        elif part == ")":
            depth = max(0, depth - 1)
        elif not depth:
            outside.append(part)
    return [
        (name, version.split("/", 1)[0])
        for name, _, version in (part.partition("/") for part in outside)
        if name
    ]
