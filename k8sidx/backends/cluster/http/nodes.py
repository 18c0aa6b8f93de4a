"""Node pools: the nodes of a cluster in turn, without those that failed recently.

The next node, and how long one is skipped, is decided by the official client of
the product. The HTTP exchange itself is :mod:`k8sidx.backends.cluster.http.exchange`: the clients
decode answers, raise on statuses, log bodies and know no proxies.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol, cast

import urllib3

from k8sidx.backends.cluster.http.address import NodeAddress

LEFT_ASIDE = 2.0
"""Seconds that a node is skipped after its first failure; doubled with each further one."""
LEFT_ASIDE_AT_MOST = 32.0

# Without a handler Python would write the clients' warnings to stderr.
for _name in ("opensearch", "elastic_transport"):
    logging.getLogger(_name).addHandler(logging.NullHandler())

MakePool = Callable[[NodeAddress], urllib3.HTTPConnectionPool]


class Node(Protocol):
    """One node and its connections."""

    address: NodeAddress
    connections: urllib3.HTTPConnectionPool


class Nodes(Protocol):
    """Chooses the next node."""

    def next(self) -> Node:
        """Return a node that is not skipped; if all are, the one that was skipped for longest."""

    def failed(self, node: Node) -> None:
        """Skip the node for a while."""

    def answered(self, node: Node) -> None:
        """Use the node again."""

    def close(self) -> None:
        """Close all connections."""


def opensearch_nodes(addresses: tuple[NodeAddress, ...], make_pool: MakePool) -> Nodes:
    """Nodes chosen by opensearch-py's connection pool."""
    from opensearchpy.connection import Connection
    from opensearchpy.connection_pool import ConnectionPool

    class OpenSearchNode(Connection):
        def __init__(self, address: NodeAddress) -> None:
            super().__init__(host=address.host, port=address.port, scheme=address.scheme)
            self.address = address
            self.connections = make_pool(address)

    class OpenSearchNodes:
        def __init__(self) -> None:
            self._nodes = [OpenSearchNode(address) for address in addresses]
            self._pool = ConnectionPool(
                [(node, {}) for node in self._nodes], dead_timeout=LEFT_ASIDE, timeout_cutoff=4
            )

        def next(self) -> Node:
            return cast(Node, self._pool.get_connection())

        def failed(self, node: Node) -> None:
            self._pool.mark_dead(node)

        def answered(self, node: Node) -> None:
            self._pool.mark_live(node)

        def close(self) -> None:
            for node in self._nodes:
                node.connections.close()

    return OpenSearchNodes()


def elasticsearch_nodes(addresses: tuple[NodeAddress, ...], make_pool: MakePool) -> Nodes:
    """Nodes chosen by elastic_transport's node pool."""
    from elastic_transport import BaseNode, NodeConfig, NodePool

    class ElasticsearchNode(BaseNode):
        def __init__(self, config: NodeConfig) -> None:
            super().__init__(config)
            self.address = NodeAddress(config.scheme, config.host, config.port, config.path_prefix)
            self.connections = make_pool(self.address)

    class ElasticsearchNodes:
        def __init__(self) -> None:
            self._pool = NodePool(
                [NodeConfig(node.scheme, node.host, node.port, node.prefix) for node in addresses],
                ElasticsearchNode,
                dead_node_backoff_factor=LEFT_ASIDE,
                max_dead_node_backoff=LEFT_ASIDE_AT_MOST,
            )

        def next(self) -> Node:
            return cast(Node, self._pool.get())

        def failed(self, node: Node) -> None:
            self._pool.mark_dead(cast(BaseNode, node))

        def answered(self, node: Node) -> None:
            self._pool.mark_live(cast(BaseNode, node))

        def close(self) -> None:
            for node in self._pool.all():
                cast(Node, node).connections.close()

    return ElasticsearchNodes()
