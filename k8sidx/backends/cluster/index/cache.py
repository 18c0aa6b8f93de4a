"""The indices that a run writes to: each is made sure of before the first event goes there,
so that none ever comes about by itself, with a mapping that was guessed."""

from __future__ import annotations

import threading

from k8sidx.backends.cluster.http.api_errors import ClusterRefused
from k8sidx.backends.cluster.http.client import Cluster, ClusterUnreachable
from k8sidx.backends.cluster.http.retrying import OVERLOADED
from k8sidx.backends.cluster.index.create import ensure_index

_SECONDS = 5.0
"""How long to try in one go; the delivery that waits for the index has patience of its own."""


class KnownIndices:
    """Remembers which indices are there; safe to be used by several threads.

    :param prefix: that the names of the indices begin with.
    """

    def __init__(self, cluster: Cluster, prefix: str) -> None:
        self._cluster = cluster
        self._prefix = prefix
        self._known: set[str] = set()
        self._lock = threading.Lock()

    def prepare(self, names: set[str]) -> None:
        """Make those that are not there.

        :raises ClusterUnreachable: when the cluster is away, or too busy for it.
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
        """Look again before the next event goes there."""
        with self._lock:
            self._known -= names
