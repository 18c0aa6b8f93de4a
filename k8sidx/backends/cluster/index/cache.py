"""Cache of the indices that a run writes to: each is created before its first event is sent, so
that the server never creates one by itself, with a guessed mapping.

A log with events of very many days would make as many indices, which a cluster cannot bear. A
run creates :data:`DAYS` for days, of which :data:`SPARSE_DAYS` for days with few events; further
days share the index of their month, and after :data:`MONTHS` of those the index of undated events.
The cluster remembers which: the write target of such a day is an alias of the shared index, and of
two shippers that decide differently at the same time, the cluster refuses the second. So an
event that is shipped again is always written to where it is already.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from k8sidx.backends.cluster.http.api_errors import ClusterRefused
from k8sidx.backends.cluster.http.client import Cluster, ClusterUnreachable
from k8sidx.backends.cluster.http.retrying import (
    FORBIDDEN,
    OVERLOADED,
    expect_success,
    retrying_request,
)
from k8sidx.backends.cluster.index.create import ensure_index, is_taken
from k8sidx.backends.cluster.index.names import UNDATED, day_of_index, month_index
from k8sidx.backends.cluster.index.template import write_target

DAYS = 250
SPARSE_DAYS = 100
MONTHS = 100
SPARSE_EVENTS = 16
"""A day with fewer events in a batch is sparse."""
RECENT_DAYS = 3
"""Days from today whose indices are always created, and not counted."""
_SECONDS = 5.0
"""Seconds of one attempt; the delivery that waits for the index has its own deadline."""
_ALIASES = 500
"""Names in one request."""


class KnownIndices:
    """Remembers which indices exist; safe to be used by several threads.

    :param prefix: of the indices.
    """

    def __init__(self, cluster: Cluster, prefix: str) -> None:
        self._cluster = cluster
        self._prefix = prefix
        self._known: set[str] = set()
        self._created = 0
        self._months: set[str] = set()
        self._lock = threading.Lock()

    def prepare(self, names: Mapping[str, int]) -> None:
        """Make all names writable: create indices, or let days share one.

        :param names: the number of events of each.
        :raises ClusterUnreachable: when the cluster is unreachable, or too busy for it.
        :raises StoreError: when the cluster refuses.
        """
        if names.keys() <= self._known:
            return
        with self._lock:
            try:
                self._prepare({name: names[name] for name in names.keys() - self._known})
            except ClusterRefused as error:
                if error.status not in OVERLOADED:
                    raise
                raise ClusterUnreachable(error.message) from error

    def forget(self, names: Iterable[str]) -> None:
        """Check again before the next event is sent there."""
        with self._lock:
            self._known.difference_update(names)

    def _prepare(self, names: Mapping[str, int]) -> None:
        late = []
        for name in sorted(names, key=lambda name: (-names[name], name)):
            if self._has_own_index(name, names[name]):
                self._ensure(name)
            else:
                late.append(name)
        for start in range(0, len(late), _ALIASES):
            self._share(late[start : start + _ALIASES])

    def _has_own_index(self, name: str, events: int) -> bool:
        day = day_of_index(name)
        if day is None or abs((day - datetime.now(UTC).date()).days) <= RECENT_DAYS:
            return True
        return self._created < (SPARSE_DAYS if events < SPARSE_EVENTS else DAYS)

    def _ensure(self, name: str) -> None:
        if ensure_index(self._cluster, self._prefix, name, seconds=_SECONDS):
            self._created += 1
        self._known.add(name)

    def _share(self, names: Sequence[str]) -> None:
        """Make days writable that have no index of their own yet, in a shared index."""
        try:
            while missing := self._missing(names):
                self._add_aliases({name: self._shared_index(name) for name in missing})
        except ClusterRefused as refused:
            if refused.status != FORBIDDEN:
                raise
            for name in names:  # without the right to manage aliases, each has its own
                self._ensure(name)
        self._known.update(names)

    def _missing(self, names: Sequence[str]) -> list[str]:
        """Return the names without a write target."""
        path = f"/_alias/{quote(write_target(self._prefix + '-*'), safe='*')}"
        answer = retrying_request(self._cluster, "GET", path, seconds=_SECONDS)
        if answer.status == 404:
            return list(names)
        present = {
            alias
            for index in expect_success(answer, "GET", path).values()
            for alias in index.get("aliases", {})
        }
        return [name for name in names if write_target(name) not in present]

    def _shared_index(self, name: str) -> str:
        month = month_index(name)
        if month in self._months or len(self._months) < MONTHS:
            self._months.add(month)
            return month
        return f"{self._prefix}-{UNDATED}"

    def _add_aliases(self, shared: Mapping[str, str]) -> None:
        """Add the write targets of days to indices, unless another shipper was faster."""
        for index in sorted(set(shared.values()) - self._known):
            ensure_index(self._cluster, self._prefix, index, seconds=_SECONDS)
            self._known.add(index)
        actions = [
            {"add": {"index": index, "alias": write_target(name), "is_write_index": True}}
            for name, index in shared.items()
        ]
        answer = retrying_request(
            self._cluster, "POST", "/_aliases", body={"actions": actions}, seconds=_SECONDS
        )
        try:
            expect_success(answer, "POST", "/_aliases")
        except ClusterRefused as refused:
            if not is_taken(refused):
                raise
