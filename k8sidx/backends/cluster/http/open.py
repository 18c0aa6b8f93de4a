"""Opening a connection to a cluster."""

from __future__ import annotations

from k8sidx.backends.cluster.http.address import Location, parse_location
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.connection import ConnectionSettings


def open_cluster(location: str | Location, settings: ConnectionSettings | None = None) -> Cluster:
    """Connect, and learn which product and version it is.

    :param location: address, or several of one cluster, joined by commas.
    :raises UsageError: when the settings cannot be used.
    :raises ClusterUnreachable: when nothing answers there.
    :raises StoreError: when it refuses us, is too old, or is something else.
    """
    from k8sidx.backends.cluster.http.detect import recognize

    located = parse_location(location) if isinstance(location, str) else location
    cluster = Cluster(located, settings or ConnectionSettings())
    cluster.became(*recognize(cluster))
    return cluster
