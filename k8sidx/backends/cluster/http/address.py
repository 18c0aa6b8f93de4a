"""Cluster addresses: one URL or several, with credentials."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import SecretStr

from k8sidx.errors import UsageError

PORTS = {"http": 80, "https": 443}
EXAMPLE = "Write it as https://search.example.com:9200"


class NodeAddress(NamedTuple):
    """One node, without credentials.

    :param prefix: path before every request's own; empty, or begins with ``/``.
    """

    scheme: str
    host: str
    port: int
    prefix: str = ""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if PORTS[self.scheme] == self.port else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.prefix}"


class Location(NamedTuple):
    """The nodes of one cluster, and the credentials in their URLs."""

    nodes: tuple[NodeAddress, ...]
    username: str = ""
    password: SecretStr | None = None

    def __str__(self) -> str:
        return ",".join(str(node) for node in self.nodes)


def is_cluster(location: str) -> bool:
    """Whether the location is the address of a cluster, not a folder."""
    return location.lower().startswith(("http://", "https://"))


def parse_location(text: str) -> Location:
    """Parse ``https://search-1:9200``, or several addresses joined by commas.

    A URL without a port has that of its scheme. Credentials are taken out of the URLs.

    :raises UsageError: when it is not such a list, or the URLs name several users. The error
        does not contain the text, which may contain a password.
    """
    parts = [_split(url.strip()) for url in text.split(",") if url.strip()]
    nodes = tuple(dict.fromkeys(_address(part) for part in parts))
    users = {(part.username, part.password) for part in parts if part.username}
    if len(users) > 1:
        raise UsageError(
            "the addresses of the store name several users.",
            remedy="Give one in the environment: K8SIDX_USERNAME and K8SIDX_PASSWORD.",
        )
    if not users:
        return Location(nodes)
    [(username, password)] = users
    secret = None if password is None else SecretStr(unquote(password))
    return Location(nodes, unquote(username or ""), secret)


def _split(text: str) -> SplitResult:
    try:
        split = urlsplit(text)
        _ = split.port
    except ValueError:
        split = None
    if split is None or split.scheme.lower() not in PORTS or not split.hostname:
        # Not "from error": the message of urlsplit quotes what may be a password.
        raise UsageError(
            "the store's address is not a valid URL of a cluster.", remedy=EXAMPLE
        ) from None
    if split.query or split.fragment:
        raise UsageError("the store's address has a query or a fragment.", remedy=EXAMPLE)
    return split


def _address(split: SplitResult) -> NodeAddress:
    scheme = split.scheme.lower()
    port = PORTS[scheme] if split.port is None else split.port
    return NodeAddress(scheme, split.hostname or "", port, split.path.rstrip("/"))
