"""Cache of the indices that a run writes to: each is created before its first event is sent, so
that the server never creates one by itself, with a guessed mapping."""

from __future__ import annotations

import threading

from k8sidx.backends.cluster.http.api_errors import ClusterRefused
from k8sidx.backends.cluster.http.client import Cluster, ClusterUnreachable
from k8sidx.backends.cluster.http.retrying import OVERLOADED
from k8sidx.backends.cluster.index.create import ensure_index

_SECONDS = 5.0
"""Seconds of one attempt; the delivery that waits for the index has its own deadline."""


class KnownIndices:
    """Remembers which indices exist; safe to be used by several threads.

    :param prefix: of the indices.
    """

    def __init__(self, cluster: Cluster, prefix: str) -> None:
        self._cluster = cluster
        self._prefix = prefix
        self._known: set[str] = set()
        self._lock = threading.Lock()

    def prepare(self, names: set[str]) -> None:
        """Create those that do not exist.

        :raises ClusterUnreachable: when the cluster is unreachable, or too busy for it.
        :raises StoreError: when the cluster refuses.
        """
        if names <= self._known:
            return
        with self._lock:
            for name in sorted(names - self._known):
                try:
                    ensure_index(self._cluster, self._prefix, name, seconds=_SECONDS)
                except ClusterRefused as error:
                    if error.status not in OVERLOADED:
                        raise
                    raise ClusterUnreachable(error.message) from error
                self._known.add(name)

    def forget(self, names: set[str]) -> None:
        """Check again before the next event is sent there."""
        with self._lock:
            self._known -= names
