"""Sink of a cluster: workers encode batches of documents, a few threads send them."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from k8sidx.backends.cluster.bulk.batch import Batch, BatchBuilder
from k8sidx.backends.cluster.bulk.relabel import relabel_documents
from k8sidx.backends.cluster.bulk.sender import Sender
from k8sidx.backends.cluster.http.address import parse_location
from k8sidx.backends.cluster.http.retry import ConcurrencyLimiter, Deadline
from k8sidx.backends.cluster.index.cache import KnownIndices
from k8sidx.backends.cluster.index.companions import forget_summaries
from k8sidx.backends.cluster.index.names import IndexNames, Period
from k8sidx.backends.sink import Added, Rejection, SinkResults
from k8sidx.errors import NotDelivered, StoreError
from k8sidx.events.core import Rows
from k8sidx.events.normalize.event import Normalized

if TYPE_CHECKING:
    from k8sidx.backends.cluster.store import ClusterStore

REQUESTS = 3
"""Concurrent requests: one that the cluster works on, one on its way there, one on its way back."""
QUEUE_LENGTH = 2
"""Batches that wait for a sender; with as many, reading waits."""
_POLL_SECONDS = 0.5
_REPORT_SECONDS = 30.0
_LOOPBACK = ("localhost", "127.", "::1")
_REMEDY = "Run the same command again to continue: events are never stored twice."


@dataclass(frozen=True, slots=True)
class BatchSpec:
    """Specification of a worker's document encoder.

    :param prefix: begins the indices' names.
    """

    prefix: str
    period: Period = Period.DAY
    bodies = True
    takes_rows = False

    def open(self) -> BatchEncoder:
        """Return an encoder for one worker."""
        return BatchEncoder(BatchBuilder(IndexNames(self.prefix, self.period)))


class BatchEncoder:
    """Encodes events into batches."""

    def __init__(self, builder: BatchBuilder) -> None:
        self._builder = builder
        self.full = builder.full
        self.finish = builder.finish
        self.take_refused = builder.take_refused

    def add(
        self,
        chunk: int,
        events: Sequence[Normalized],
        records: Sequence[int],
        rows: Sequence[Rows] = (),
    ) -> Added:
        """Add a chunk's events, all of them to one batch."""
        self._builder.add(chunk, events, records)
        return Added(batches=1)


class ClusterSink:
    """Sends batches from a few threads.

    :param give_up_after: seconds without progress after which to give up.
    :param on_wait: called, in other threads, with what is being waited for.
    :param relabel: cluster name for the events that are stored already.
    :raises StoreError: when the cluster cannot be reached, or nothing can be shipped there.
    """

    can_reject = True

    def __init__(
        self,
        store: ClusterStore,
        give_up_after: float,
        on_wait: Callable[[str], None] | None,
        relabel: str = "",
    ) -> None:
        self._store = store
        self._relabel = relabel
        self._has_relabelled = False
        self.spec = BatchSpec(store.target.prefix)
        self._deadline = Deadline(give_up_after)
        self._on_wait = on_wait
        self._reported_at = 0.0
        self._sender = Sender(
            store.cluster,
            KnownIndices(store.cluster, store.target.prefix),
            self._deadline,
            ConcurrencyLimiter(REQUESTS),
            self._report_wait,
            compress=not is_local(store.location),
        )
        self._changed = threading.Condition()
        self._queue: deque[Batch] = deque()
        self._results = SinkResults()
        self._undelivered = 0
        self._sending = 0
        self._failure: BaseException | None = None
        self._closed = False
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(REQUESTS)]
        for thread in self._threads:
            thread.start()

    @property
    def is_idle(self) -> bool:
        """Whether the cluster accepts batches faster than they are made."""
        return not (self._queue or self._sending)

    def put(self, batches: Sequence[Batch]) -> None:
        """Queue batches; blocks while the queue is full."""
        for batch in batches:
            with self._changed:
                self._wait_until(lambda: len(self._queue) < QUEUE_LENGTH)
                self._queue.append(batch)
                self._undelivered += len(batch.documents)
                self._changed.notify_all()

    def take_results(self) -> SinkResults:
        """Return the results since the last call."""
        with self._changed:
            results, self._results = self._results, SinkResults()
        return results

    def finish(self) -> None:
        """Wait until everything is delivered."""
        with self._changed:
            self._wait_until(lambda: not self._undelivered)
        if self._has_relabelled:
            # Also where no name changed: an earlier run that was killed may have changed them.
            forget_summaries(self._store.cluster, self._store.target.prefix)

    def shorten_deadline(self) -> None:
        """Give up after seconds."""
        self._deadline.shorten()

    def close(self) -> None:
        """End the threads; those that wait for the cluster end with the process."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _wait_until(self, condition: Callable[[], bool]) -> None:
        # A signal is handled between two polls.
        while not (self._failure or condition()):
            self._changed.wait(_POLL_SECONDS)
        while self._failure and self._sending:
            self._changed.wait(_POLL_SECONDS)  # what the other threads are sending counts
        if isinstance(self._failure, StoreError):
            message, remedy = self._failure.message.rstrip("."), self._failure.remedy
            left = f"{self._undelivered:,} events that were read are not delivered"
            raise NotDelivered(f"{message}. {left}.", remedy=f"{remedy} {_REMEDY}".strip())
        if self._failure:
            raise self._failure

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._closed)
                if self._closed or self._failure:
                    return
                batch = self._queue.popleft()
                self._sending += 1
                self._changed.notify_all()
            try:
                self._deliver(batch)
            except Exception as error:  # noqa: BLE001 - raised again in the main thread
                self._failure = self._failure or error
                self._deadline.expire()
            finally:
                with self._changed:
                    self._sending -= 1
                    self._changed.notify_all()

    def _deliver(self, batch: Batch) -> None:
        delivered = self._sender.deliver(batch)
        if self._relabel and delivered.existing:
            existing = [batch.documents[position] for position in delivered.existing]
            self._has_relabelled = True
            changed = relabel_documents(self._store.cluster, existing, self._relabel)
            delivered.tally.relabelled += changed
        with self._changed:
            results = self._results
            results.tally += delivered.tally
            results.rejections += [
                Rejection(batch.chunk_of(position), batch.records[position], reason)
                for position, reason in delivered.rejections
            ]
            results.chunks += [chunk for chunk, _ in batch.chunks]
            self._undelivered -= len(batch.documents)
            self._changed.notify_all()

    def _report_wait(self, reason: str) -> None:
        now = time.monotonic()
        if self._on_wait and now - self._reported_at > _REPORT_SECONDS:
            self._reported_at = now
            self._on_wait(f"waiting for the cluster: {reason}")


def is_local(location: str) -> bool:
    """Whether all nodes run on this machine, where compressing takes longer than sending."""
    return all(node.host.startswith(_LOOPBACK) for node in parse_location(location).nodes)
