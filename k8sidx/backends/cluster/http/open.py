"""Opening a connection to a cluster."""

from __future__ import annotations

from k8sidx.backends.cluster.http.address import Location, parse_location
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.connection import ConnectionSettings


def open_cluster(location: str | Location, settings: ConnectionSettings | None = None) -> Cluster:
    """Connect, and detect product and version.

    :param location: address, or several of one cluster, joined by commas.
    :raises UsageError: when the settings are not valid.
    :raises ClusterUnreachable: when there is no response.
    :raises StoreError: when it denies access, is too old, or is another product.
    """
    from k8sidx.backends.cluster.http.detect import recognize

    located = parse_location(location) if isinstance(location, str) else location
    cluster = Cluster(located, settings or ConnectionSettings())
    cluster.became(*recognize(cluster))
    return cluster
