"""Shipping to a cluster: workers write batches of documents, the sink sends several at once."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from k8sidx.backends.cluster.bulk.batch import Batch, BatchBuilder
from k8sidx.backends.cluster.bulk.sender import Sender
from k8sidx.backends.cluster.http.address import parse_location
from k8sidx.backends.cluster.http.retry import Gate, Patience
from k8sidx.backends.cluster.index.cache import KnownIndices
from k8sidx.backends.cluster.index.names import IndexNames, Period
from k8sidx.backends.sink import Added, Refused, Settled
from k8sidx.errors import NotDelivered, StoreError
from k8sidx.events.normalize.event import Normalized

if TYPE_CHECKING:
    from k8sidx.backends.cluster.store import ClusterStore

REQUESTS = 3
"""Requests at once: one that the cluster works on, one on its way there, one on its way back."""
WAITING = 2
"""Batches that wait for a sender; with as many, reading waits."""
_LOOK_SECONDS = 0.5
_SAY_SECONDS = 30.0
_LOOPBACK = ("localhost", "127.", "::1")
_REMEDY = "Run the same command again to go on: what is stored is not stored twice."


@dataclass(frozen=True, slots=True)
class BatchPacking:
    """How a worker writes documents.

    :param prefix: begins the indices' names.
    """

    prefix: str
    period: Period = Period.DAY
    bodies = True

    def open(self) -> BatchPacker:
        """A packer for one worker."""
        return BatchPacker(BatchBuilder(IndexNames(self.prefix, self.period)))


class BatchPacker:
    """Writes events into batches."""

    def __init__(self, builder: BatchBuilder) -> None:
        self._builder = builder
        self.full = builder.full
        self.finish = builder.finish

    def add(self, chunk: int, events: Sequence[Normalized], records: Sequence[int]) -> Added:
        """Take a chunk's events in: all of them into one batch."""
        self._builder.add(chunk, events, records)
        return Added(packages=1)


class ClusterSink:
    """Sends batches from a few threads.

    :param patience: seconds that the cluster may take nothing before giving up.
    :param on_wait: told, in other threads, what is being waited for.
    :raises StoreError: when the cluster cannot be reached, or nothing can be shipped there.
    """

    refuses = True

    def __init__(
        self, store: ClusterStore, patience: float, on_wait: Callable[[str], None] | None
    ) -> None:
        self.packing = BatchPacking(store.target.prefix)
        self._patience = Patience(patience)
        self._on_wait = on_wait
        self._said = 0.0
        self._sender = Sender(
            store.cluster,
            KnownIndices(store.cluster, store.target.prefix),
            self._patience,
            Gate(REQUESTS),
            self._trouble,
            compress=not is_near(store.location),
        )
        self._changed = threading.Condition()
        self._waiting: deque[Batch] = deque()
        self._settled = Settled()
        self._unsettled = 0
        self._at_work = 0
        self._failure: BaseException | None = None
        self._closed = False
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(REQUESTS)]
        for thread in self._threads:
            thread.start()

    @property
    def is_idle(self) -> bool:
        """The cluster takes batches faster than they are made."""
        return not (self._waiting or self._at_work)

    def put(self, packages: Sequence[Batch]) -> None:
        """Take batches; waits while there are enough of them."""
        for batch in packages:
            with self._changed:
                self._wait_until(lambda: len(self._waiting) < WAITING)
                self._waiting.append(batch)
                self._unsettled += len(batch.documents)
                self._changed.notify_all()

    def settled(self) -> Settled:
        """What got its outcome since the last time."""
        with self._changed:
            settled, self._settled = self._settled, Settled()
        return settled

    def finish(self) -> None:
        """Return when all is delivered."""
        with self._changed:
            self._wait_until(lambda: not self._unsettled)

    def hurry(self) -> None:
        """Give up after seconds."""
        self._patience.hurry()

    def close(self) -> None:
        """Let the threads end; those that wait for the cluster are left to the process's end."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _wait_until(self, condition: Callable[[], bool]) -> None:
        # A signal is handled between two looks.
        while not (self._failure or condition()):
            self._changed.wait(_LOOK_SECONDS)
        while self._failure and self._at_work:
            self._changed.wait(_LOOK_SECONDS)  # what the others have under way counts
        if isinstance(self._failure, StoreError):
            message, remedy = self._failure.message.rstrip("."), self._failure.remedy
            left = f"{self._unsettled:,} events that were read are not delivered"
            raise NotDelivered(f"{message}. {left}.", remedy=f"{remedy} {_REMEDY}".strip())
        if self._failure:
            raise self._failure

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if self._closed or self._failure:
                    return
                batch = self._waiting.popleft()
                self._at_work += 1
                self._changed.notify_all()
            try:
                self._deliver(batch)
            except Exception as error:  # noqa: BLE001 - raised again in the main thread
                self._failure = self._failure or error
                self._patience.end()
            finally:
                with self._changed:
                    self._at_work -= 1
                    self._changed.notify_all()

    def _deliver(self, batch: Batch) -> None:
        result = self._sender.deliver(batch)
        with self._changed:
            settled = self._settled
            settled.indexed += result.created
            settled.duplicates += result.duplicates
            settled.refused += [
                Refused(batch.chunk_of(place), batch.records[place], why)
                for place, why in result.refused
            ]
            settled.chunks += [number for number, _ in batch.chunks]
            self._unsettled -= len(batch.documents)
            self._changed.notify_all()

    def _trouble(self, why: str) -> None:
        now = time.monotonic()
        if self._on_wait and now - self._said > _SAY_SECONDS:
            self._said = now
            self._on_wait(f"waiting for the cluster: {why}")


def is_near(location: str) -> bool:
    """All nodes are on this machine, where packing takes longer than sending."""
    return all(node.host.startswith(_LOOPBACK) for node in parse_location(location).nodes)
