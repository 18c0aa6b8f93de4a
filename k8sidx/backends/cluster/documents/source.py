"""Indices of a cluster as an input of ``k8sidx ship``: ``https://host:9200/filebeat-*``."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote

from k8sidx.backends.cluster.documents.shards import Shard, read_shard, shards_of
from k8sidx.backends.cluster.engine.filters import EVERYTHING
from k8sidx.backends.cluster.http.address import parse_location
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.http.open import open_cluster
from k8sidx.backends.cluster.index.target import parse_target
from k8sidx.backends.connection import ConnectionSettings
from k8sidx.backends.documents import Documents
from k8sidx.errors import StoreError, UsageError


class ClusterShard:
    """One shard of an index of a cluster; see :class:`k8sidx.backends.documents.DocumentShard`."""

    def __init__(self, cluster: Cluster, location: str, shard: Shard) -> None:
        self._cluster = cluster
        self._location = location
        self._shard = shard

    @property
    def name(self) -> str:
        return f"{self._location}/{self._shard.name}[{self._shard.number}]"

    @property
    def identity(self) -> str:
        return f"{self.name} {self._shard.uuid}"

    def read(self, after: int) -> Iterator[Documents]:
        for page in read_shard(self._cluster, self._shard, EVERYTHING.to_dict(), after):
            yield Documents(page.sources, page.position)


def open_shards(address: str, settings: ConnectionSettings) -> list[ClusterShard]:
    """Return the shards of the indices that an address names.

    :param address: of the cluster, with credentials or without, and a name or pattern of indices.
    :param settings: of the connection.
    :raises UsageError: when it names no index.
    :raises StoreError: when the cluster cannot be reached, refuses access or has no such index.
    """
    base, _, index = address.rpartition("/")
    if not index or base.endswith("/"):
        raise UsageError(
            "the address of a cluster names no index to read.",
            remedy="Write it as https://search.example.com:9200/filebeat-*",
        )
    location = parse_location(base)
    target = parse_target(unquote(index))
    cluster = open_cluster(location, settings)
    shards = shards_of(cluster, target.name)
    if not shards:
        raise StoreError(f"{location} has no index {target.name}.", remedy="Check its name.")
    return [ClusterShard(cluster, str(location), shard) for shard in shards]
