"""The cluster store: events in indices of OpenSearch or Elasticsearch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from k8sidx.backends.cluster.http.address import parse_location
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.http.open import open_cluster
from k8sidx.backends.cluster.index.target import Target
from k8sidx.backends.connection import ConnectionSettings
from k8sidx.backends.durable import user_state_folder
from k8sidx.backends.protocol import EXACT, QueryOptions
from k8sidx.backends.store import (
    OnWait,
    Rebuilt,
    Renewed,
    StoredEvent,
    StoredSummary,
    StoreIdentity,
    StoreInfo,
)
from k8sidx.errors import UsageError

if TYPE_CHECKING:
    from k8sidx.backends.changes import Changes, Checkpoint
    from k8sidx.backends.check import Check
    from k8sidx.backends.cluster.engine.deriving import DerivingEngine, Temporary
    from k8sidx.backends.cluster.engine.engine import SearchEngine
    from k8sidx.backends.cluster.findings import ClusterFindings
    from k8sidx.backends.cluster.http.api_errors import ClusterRefused
    from k8sidx.backends.cluster.sink import ClusterSink
    from k8sidx.backends.setup import SetupPlan, SetupRequest


class ClusterStore:
    """Indices of one cluster; see :class:`k8sidx.backends.store.Store`. No request is sent
    before its answer is needed.

    :param location: address of the cluster; credentials in it are taken out.
    :param target: the indices.
    :param settings: settings of the connection.
    :param temporary: makes stores for the fields that are derived from documents of others at
        query time; without it such fields cannot be queried.
    """

    folder = None
    dead_letter_folder = Path("k8sidx-dead-letter")

    def __init__(
        self,
        location: str,
        target: Target,
        settings: ConnectionSettings,
        temporary: Temporary | None = None,
    ) -> None:
        self._temporary = temporary
        self._location = parse_location(location)
        self._settings = settings
        self.target = target

    @property
    def location(self) -> str:
        """The address, without credentials."""
        return str(self._location)

    @property
    def state_folder(self) -> Path:
        """A folder of the user, where programs keep their state."""
        return user_state_folder()

    @property
    def state_key(self) -> tuple[str, ...]:
        """The address and the indices."""
        return (self.location, self.target.name)

    @cached_property
    def cluster(self) -> Cluster:
        """The connected cluster.

        :raises StoreError: when it cannot be reached, refuses access or is not a known product.
        """
        return open_cluster(self._location, self._settings)

    @cached_property
    def pattern(self) -> str:
        """The indices to search: the dated ones of a prefix, and the one named exactly so."""
        name = self.target.name
        if self.target.is_pattern or self.cluster.request("HEAD", f"/{name}").status != 200:
            return self.target.dated
        return f"{name},{self.target.dated}"

    def identity(self) -> StoreIdentity | None:
        """Return the cluster's UUID with the name of the indices; ``None`` for a service that
        has none.

        :raises StoreError: when the cluster cannot be reached.
        """
        if self.cluster.flavor == "amazon-serverless":
            return None
        # A proxy may keep the first of them to itself.
        for path in ("/", "/_cluster/stats?filter_path=cluster_uuid"):
            answer = self.cluster.request("GET", path)
            uuid = answer.json().get("cluster_uuid") if answer.status == 200 else None
            # A cluster that is just being formed has "_na_".
            if isinstance(uuid, str) and uuid != "_na_":
                return StoreIdentity(f"{uuid}/{self.target.name}")
        return None

    def engine(
        self, answering: QueryOptions | None = None, *, threads: int | None = None
    ) -> SearchEngine | DerivingEngine:
        """Return an engine over the indices; a context manager.

        :param threads: has no effect, the cluster decides.
        :raises StoreError: when the cluster cannot be reached, or has no such index.
        """
        from k8sidx.backends.cluster.engine.deriving import DerivingEngine
        from k8sidx.backends.cluster.engine.engine import SearchEngine
        from k8sidx.backends.cluster.schema.detect import (
            NoAuditFields,
            SeveralShapes,
            choose_profile,
        )

        options = answering or EXACT
        try:
            profile = choose_profile(self.cluster, self.pattern)
        except (NoAuditFields, SeveralShapes) as error:
            if self._temporary is None:
                raise
            return DerivingEngine(
                self.cluster, self.pattern, None, options, self._temporary, error.message
            )
        if profile.is_read and self._temporary is not None:
            return DerivingEngine(self.cluster, self.pattern, profile, options, self._temporary)
        return SearchEngine(
            self.cluster,
            self.pattern,
            profile,
            answering=options,
            summaries_of="" if self.target.is_pattern else self.target.prefix,
        )

    def sink(
        self,
        give_up_after: float,
        on_wait: OnWait | None,
        *,
        keep_secrets: bool = False,
        relabel: str = "",
    ) -> ClusterSink:
        """Open the indices for writing.

        :param give_up_after: seconds that an unavailable cluster is waited for.
        :param on_wait: is called in other threads.
        :param keep_secrets: has no effect, shipping migrates no documents.
        :param relabel: cluster name for the events that are stored already.
        :raises StoreError: when the cluster cannot be reached, or nothing can be shipped there.
        """
        from k8sidx.backends.cluster.sink import ClusterSink

        return ClusterSink(self, give_up_after, on_wait, relabel)

    def stored_events(self) -> Iterator[StoredEvent]:
        """Yield every event as it is stored; see :class:`k8sidx.backends.store.Store`."""
        from k8sidx.backends.cluster.scan import stored_documents

        for page in stored_documents(self.cluster, self.pattern):
            yield from (StoredEvent(stored.index_name, stored.row) for stored in page)

    def stored_summaries(self) -> Iterator[StoredSummary]:
        """Yield every daily summary; see :class:`k8sidx.backends.store.Store`."""
        from k8sidx.backends.cluster.summaries import stored_summaries

        if self.target.is_pattern:
            return iter(())  # there are none of the indices of others
        return stored_summaries(self.cluster, self.target.prefix)

    def redact_existing(self, on_progress: Callable[[Renewed], None]) -> Renewed:
        """Rewrite the documents and findings that the present rules would change.

        :param on_progress: called after each page.
        :raises StoreError: when the cluster cannot be read, or refuses a document.
        """
        from k8sidx.backends.cluster.index.companions import forget_summaries
        from k8sidx.backends.cluster.redact import redact_documents
        from k8sidx.backends.finding_record import has_secrets

        values = self.findings().redact()
        with_secrets = sum(map(has_secrets, self.stored_summaries()))
        if with_secrets:
            forget_summaries(self.cluster, self.target.prefix)
        renewed = redact_documents(self.cluster, self.pattern, self.target.prefix, on_progress)
        renewed.values += values + with_secrets
        return renewed

    def rebuild(self) -> Rebuilt:
        """Refuse: a cluster keeps its own metadata.

        :raises UsageError: always.
        """
        raise UsageError(
            "--rebuild is for embedded stores; a cluster keeps its own metadata.",
            remedy="Give --store the path of a folder.",
        )

    def findings(self) -> ClusterFindings:
        """Return the saved findings.

        :raises StoreError: when the cluster cannot be reached.
        """
        from k8sidx.backends.cluster.findings import ClusterFindings
        from k8sidx.backends.cluster.index.target import findings_index, states_index

        name = self.target.name
        return ClusterFindings(self.cluster, findings_index(name), states_index(name))

    def info(self) -> StoreInfo:
        """Return what the indices contain.

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
        return StoreInfo(
            events if isinstance(events, int) else 0,
            first if isinstance(first, datetime) else None,
            last if isinstance(last, datetime) else None,
        )

    def changes(self, after: Checkpoint | None) -> Changes:
        """Return the events that were stored since a checkpoint.

        :raises StoreError: when the cluster cannot be reached, or refuses access.
        """
        from k8sidx.backends.cluster.changes import changes

        return changes(self.cluster, self.pattern, after)

    def checks(self, now: Callable[[], datetime]) -> Iterator[Check]:
        """Run the health checks; ends early when the cluster cannot be reached."""
        from k8sidx.backends.cluster.checks import check_cluster

        return check_cluster(self, now)

    def plan_setup(self, *, shards: int | None, replicas: int | None, retention: str) -> SetupPlan:
        """Plan template, mapping and lifecycle policy.

        :raises StoreError: when the cluster cannot be reached, or refuses access.
        """
        from k8sidx.backends.cluster.index.setup import plan_setup

        return plan_setup(
            self.cluster,
            self.target.prefix,
            shards=shards,
            replicas=replicas,
            retention=retention,
        )

    def carry_out(self, plan: SetupPlan) -> Iterator[tuple[SetupRequest, ClusterRefused | None]]:
        """Send the requests of a plan, and yield each with the error of those that are forbidden.

        :raises StoreError: when one fails for another reason.
        """
        from k8sidx.backends.cluster.index.setup import carry_out

        return carry_out(self.cluster, plan)
