"""A store that is a cluster: its events live in indices of OpenSearch or Elasticsearch."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from functools import cached_property

from k8sidx.backends.cluster.http.address import parse_location
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.http.open import open_cluster
from k8sidx.backends.cluster.http.settings import ConnectionSettings
from k8sidx.backends.cluster.index.target import Target
from k8sidx.backends.info import StoreSummary
from k8sidx.backends.protocol import EXACTLY, Answering, Engine
from k8sidx.backends.summary_store import Summaries


class ClusterStore:
    """Indices of one cluster. Nothing is asked of the cluster before it is needed.

    :param location: its address; credentials in it are taken out.
    :param target: which indices.
    :param settings: how to reach it.
    """

    def __init__(self, location: str, target: Target, settings: ConnectionSettings) -> None:
        self._location = parse_location(location)
        self._settings = settings
        self.target = target

    temporary = False
    """The store outlives the command."""

    @property
    def location(self) -> str:
        """The address, without credentials."""
        return str(self._location)

    @cached_property
    def cluster(self) -> Cluster:
        """The connected cluster.

        :raises StoreError: when it cannot be reached, refuses us or is none that we know.
        """
        return open_cluster(self._location, self._settings)

    @cached_property
    def pattern(self) -> str:
        """The indices to search: the dated ones of a prefix, and what has just that name."""
        name = self.target.name
        if self.target.is_pattern or self.cluster.request("HEAD", f"/{name}").status != 200:
            return self.target.dated
        return f"{name},{self.target.dated}"

    def engine(
        self, answering: Answering | None = None, *, threads: int | None = None
    ) -> AbstractContextManager[Engine]:
        """An engine over the indices.

        :param threads: the cluster's own affair.
        :raises StoreError: when the cluster cannot be reached, or has no such index.
        """
        from k8sidx.backends.cluster.engine.engine import SearchEngine
        from k8sidx.backends.cluster.schema.detect import choose_profile

        pattern = self.pattern
        profile = choose_profile(self.cluster, pattern)
        return SearchEngine(self.cluster, pattern, profile, answering=answering or EXACTLY)

    def summaries(self, engine: Engine) -> Summaries | None:
        """The daily summaries of a prefix of our own, on a server; foreign indices and
        serverless offers have none."""
        from k8sidx.backends.cluster.engine.engine import SearchEngine
        from k8sidx.backends.cluster.summaries import ClusterSummaries

        ours = isinstance(engine, SearchEngine) and not engine.is_foreign
        if self.target.is_pattern or self.cluster.flavor != "server" or not ours:
            return None
        return ClusterSummaries(self.cluster, self.target.prefix, self.pattern)

    def summary(self) -> StoreSummary:
        """What the indices hold.

        :raises StoreError: when the cluster cannot be reached, or has no such index.
        """
        from k8sidx.query.algebra import Metric, Query

        metrics = (
            Metric("events", "count"),
            Metric("first", "min", "@timestamp"),
            Metric("last", "max", "@timestamp"),
        )
        with self.engine() as engine:
            [(events, first, last)] = engine.run(Query(metrics=metrics)).rows
        return StoreSummary(
            events if isinstance(events, int) else 0,
            first if isinstance(first, datetime) else None,
            last if isinstance(last, datetime) else None,
        )
