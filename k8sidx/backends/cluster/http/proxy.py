"""Connection pools to a node, direct or through an HTTP proxy."""

from __future__ import annotations

import ssl
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3

from k8sidx.backends.cluster.http.address import NodeAddress
from k8sidx.backends.connection import ConnectionSettings
from k8sidx.errors import UsageError

IN_FLIGHT = 8
"""Connections kept open to a node: four bulk requests, and as many others."""


class Forwarding(urllib3.HTTPConnectionPool):
    """Connections to a proxy that forwards plain HTTP, which requires the complete URL."""

    origin = ""

    def urlopen(self, method: str, url: str, *arguments: Any, **named: Any) -> Any:
        named["headers"] = {**self.headers, **named["headers"]}
        return super().urlopen(method, self.origin + url, *arguments, **named)


def connections(
    address: NodeAddress, settings: ConnectionSettings, context: ssl.SSLContext | None
) -> urllib3.HTTPConnectionPool:
    """Return a pool of connections to a node; none is opened yet.

    :param context: for ``https``.
    :raises UsageError: when the proxy's URL is not valid.
    """
    proxy = _proxy(address, settings)
    host = f"[{address.host}]" if ":" in address.host else address.host
    if proxy is None:
        if address.scheme == "https":
            return urllib3.HTTPSConnectionPool(
                host, address.port, maxsize=IN_FLIGHT, ssl_context=context
            )
        return urllib3.HTTPConnectionPool(host, address.port, maxsize=IN_FLIGHT)
    headers = _proxy_headers(proxy)
    bare = f"{proxy.scheme}://{proxy.netloc.rpartition('@')[2]}"
    if address.scheme == "https":
        manager = urllib3.ProxyManager(
            bare, proxy_headers=headers, maxsize=IN_FLIGHT, ssl_context=context
        )
        return manager.connection_from_host(host, address.port, "https")
    if proxy.scheme == "https":
        raise UsageError(
            "plain HTTP through a proxy that speaks TLS is not supported.",
            remedy="Give an https:// store, or an http:// proxy.",
        )
    forwarding = Forwarding(
        proxy.hostname or "", proxy.port or 80, maxsize=IN_FLIGHT, headers=headers
    )
    forwarding.origin = f"http://{host}:{address.port}"
    return forwarding


def _proxy(address: NodeAddress, settings: ConnectionSettings) -> SplitResult | None:
    """Return the configured proxy, else the environment's unless it excludes the node."""
    if settings.proxy is not None:
        url = settings.proxy.get_secret_value()
    else:
        known = getproxies()
        url = known.get(address.scheme) or known.get("all") or ""
        if not url or proxy_bypass(f"{address.host}:{address.port}"):
            return None
    return _split(url if "://" in url else f"http://{url}")


def _split(url: str) -> SplitResult:
    try:
        split = urlsplit(url)
        _ = split.port
    except ValueError:
        split = None
    if split is None or split.scheme not in ("http", "https") or not split.hostname:
        # The URL is not shown: it may contain a password.
        raise UsageError(
            "the proxy is no http:// or https:// URL.",
            remedy="Check K8SIDX_PROXY, HTTPS_PROXY and proxy in k8sidx.toml.",
        ) from None
    return split


def _proxy_headers(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    user, password = unquote(proxy.username), unquote(proxy.password or "")
    return dict(urllib3.make_headers(proxy_basic_auth=f"{user}:{password}"))
