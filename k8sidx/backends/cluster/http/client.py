"""HTTP client of OpenSearch and Elasticsearch clusters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import quote, urlencode

import orjson
from urllib3.exceptions import HTTPError

from k8sidx import __version__
from k8sidx.backends.cluster.http.address import Location, NodeAddress
from k8sidx.backends.cluster.http.auth import signer
from k8sidx.backends.cluster.http.errors import unreachable
from k8sidx.backends.cluster.http.exchange import NOT_SENT, Limits, exchange
from k8sidx.backends.cluster.http.nodes import (
    MakePool,
    Node,
    Nodes,
    elasticsearch_nodes,
    opensearch_nodes,
)
from k8sidx.backends.cluster.http.proxy import connections
from k8sidx.backends.cluster.http.response import Answer, ClusterUnreachable
from k8sidx.backends.cluster.http.secret import Signer
from k8sidx.backends.cluster.http.tls import tls_context
from k8sidx.backends.connection import ConnectionSettings

__all__ = ["Answer", "Cluster", "ClusterUnreachable", "Flavor", "Product"]

Product = Literal["opensearch", "elasticsearch"]
Flavor = Literal["server", "elastic-serverless", "amazon-serverless"]
"""Kind of deployment: a cluster with the complete API, or a service with a part of it."""


class Cluster:
    """One cluster. Requests may be sent from several threads at once.

    :ivar url: its address, without credentials.
    :ivar product: detected when the cluster was opened.
    :ivar version: for example ``(3, 8, 0)``; empty for services without versions.
    :ivar flavor: kind of deployment.
    """

    def __init__(self, location: Location, settings: ConnectionSettings) -> None:
        self.url = str(location)
        self.product: Product = "opensearch"
        self.version: tuple[int, ...] = ()
        self.flavor: Flavor = "server"
        self.settings = settings
        self._location = location
        self._signer: Signer = signer(location, settings)
        self._pools = _pool_maker(location, settings)
        self._nodes: Nodes = opensearch_nodes(location.nodes, self._pools)

    def became(self, product: Product, version: tuple[int, ...], flavor: Flavor) -> None:
        """Set the detected product, and use its client's node pool."""
        if product == "elasticsearch" and self.product != product:
            self._nodes.close()
            self._nodes = elasticsearch_nodes(self._location.nodes, self._pools)
        self.product, self.version, self.flavor = product, version, flavor

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """Send one request, without retries; a response with an error status is returned.

        A node that cannot be connected to is passed over; once a node may have got the
        request, no other does.

        :param path: begins with ``/``; names in it are already percent-encoded.
        :param body: JSON of a mapping, or bytes as they are.
        :param headers: for example ``content-encoding`` of a compressed body.
        :param timeout: seconds until the response is complete; by default ``read_timeout``.
        :raises ClusterUnreachable: when there is no complete response.
        """
        content = orjson.dumps(body) if isinstance(body, Mapping) else body
        if params:
            path += ("&" if "?" in path else "?") + urlencode(params, quote_via=quote)
        sent = {"user-agent": f"k8sidx/{__version__}", "accept": "application/json"}
        if content is not None:
            sent["content-type"] = "application/json"
        sent.update(headers or {})
        limits = Limits(self.settings.connect_timeout, timeout or self.settings.read_timeout)
        nodes_left = len(self._location.nodes)
        while True:
            nodes_left -= 1
            node = self._nodes.next()
            try:
                answer = self._on(node, method, path, content, sent, limits)
            except HTTPError as error:
                self._nodes.failed(node)
                if not (nodes_left and isinstance(error, NOT_SENT)):
                    raise unreachable(node.address, error, limits) from error
            else:
                self._nodes.answered(node)
                return answer

    def _on(
        self,
        node: Node,
        method: str,
        path: str,
        content: bytes | None,
        headers: Mapping[str, str],
        limits: Limits,
    ) -> Answer:
        target = node.address.prefix + path
        url = f"{node.address._replace(prefix='')}{target}"
        signed = {**headers, **self._signer.headers(method, url, content, headers)}
        return exchange(node.connections, method, target, content, signed, limits)

    def close(self) -> None:
        """Close the connections."""
        self._nodes.close()


def _pool_maker(location: Location, settings: ConnectionSettings) -> MakePool:
    encrypted = any(node.scheme == "https" for node in location.nodes)
    context = tls_context(settings) if encrypted else None

    def make(address: NodeAddress) -> Any:
        return connections(address, settings, context)

    return make
