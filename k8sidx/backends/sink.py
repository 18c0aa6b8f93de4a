"""Protocols of a store's write path: encoders in the workers, a sink in the shipping process.

A worker encodes normalized events into batches of a store's kind (a staged Parquet part, the
documents of a bulk request). The shipping process puts batches into the store's sink, and collects
their results there. Everything else is the same for every kind of store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, Self, TypeVar

from k8sidx.events.core import Rows
from k8sidx.events.normalize.event import Normalized

B = TypeVar("B")
"""A store's batch: what its encoders make and its sink writes. It can be sent between processes."""


@dataclass(slots=True)
class Tally:
    """Counts of events by their outcome; tallies add up with ``+=``.

    :ivar indexed: events that are stored now.
    :ivar duplicates: events that were stored already.
    :ivar rejected: records written to the dead-letter file.
    :ivar relabelled: duplicates whose stored events have another cluster name now.
    """

    indexed: int = 0
    duplicates: int = 0
    rejected: int = 0
    relabelled: int = 0

    @property
    def read(self) -> int:
        """Events and rejected records that have their outcome."""
        return self.indexed + self.duplicates + self.rejected

    def __iadd__(self, other: Tally) -> Self:
        self.indexed += other.indexed
        self.duplicates += other.duplicates
        self.rejected += other.rejected
        self.relabelled += other.relabelled
        return self


class Refused(NamedTuple):
    """An event that cannot be encoded.

    :param event: as it was normalized, for the dead-letter file.
    """

    chunk: int
    record: int
    reason: str
    event: Normalized


class Added(NamedTuple):
    """Result of adding a chunk's events to an encoder.

    :param duplicates: events whose id was in the same open batch already.
    :param batches: number of batches, open or full, that contain events of the chunk.
    """

    duplicates: int = 0
    batches: int = 0


NOTHING_ADDED = Added()


class Encoder(Protocol[B]):
    """Encodes the events of one worker into batches.

    No event makes its methods raise: one that cannot be encoded is refused, and the others
    are encoded.
    """

    def add(
        self,
        chunk: int,
        events: Sequence[Normalized],
        records: Sequence[int],
        rows: Sequence[Rows] = (),
    ) -> Added:
        """Add a chunk's events.

        :param chunk: the chunk's number in this run.
        :param records: the number of the record that each event comes from.
        :param rows: events that the native core has read, only where
            :attr:`SinkSpec.takes_rows`. An error in them is raised before any event is added.
        """

    def full(self) -> list[B]:
        """Return the batches that have reached their size."""

    def finish(self) -> list[B]:
        """Return all batches."""

    def take_refused(self) -> list[Refused]:
        """Return the events that were refused since the last call; no batch contains them."""


class SinkSpec(Protocol[B]):
    """Specification of an encoder for a sink; it can be sent to another process."""

    @property
    def bodies(self) -> bool:
        """Whether any part of the request and response objects is stored."""

    @property
    def takes_rows(self) -> bool:
        """Whether the encoders take what the native core reads."""

    def open(self) -> Encoder[B]:
        """Return an encoder for one worker."""


class Rejection(NamedTuple):
    """An event that the store will never accept."""

    chunk: int
    record: int
    reason: str


@dataclass(slots=True)
class SinkResults:
    """Final outcomes of events.

    :ivar tally: the events that are stored.
    :ivar rejections: the events for the dead-letter file, which are counted when written there.
    :ivar chunks: for each batch that is done, the chunks whose events it contained.
    """

    tally: Tally = field(default_factory=Tally)
    rejections: list[Rejection] = field(default_factory=list)
    chunks: list[int] = field(default_factory=list)


class Sink(Protocol[B]):
    """The receiving end of a store."""

    @property
    def spec(self) -> SinkSpec[B]:
        """Specification of the encoders for this sink."""

    @property
    def can_reject(self) -> bool:
        """Whether it may reject single events, so that their records have to be kept until then."""

    @property
    def is_idle(self) -> bool:
        """Whether it waits for batches: more workers would be of use."""

    def put(self, batches: Sequence[B]) -> None:
        """Accept batches; blocks while the store cannot keep up.

        :raises StoreError: when the store denies access or has been unavailable for too long.
        """

    def take_results(self) -> SinkResults:
        """Return the results since the last call, without waiting."""

    def finish(self) -> None:
        """Wait until everything that was put in has its outcome.

        :raises StoreError: as :meth:`put`.
        """

    def shorten_deadline(self) -> None:
        """Wait for an unavailable store for seconds only, as the run is being stopped."""

    def close(self) -> None:
        """Release the store; events without an outcome are abandoned."""
