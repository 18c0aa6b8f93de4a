"""Where shipped events go: what workers make of them, and what receives it.

A worker packs normalized events into packages of a store's kind (a staged Parquet part, a
batch of documents); the shipping process puts packages into the store's sink, and hears
from it what became of them. Everything else is the same for every kind of store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeAlias

from k8sidx.events.normalize.event import Normalized

Package: TypeAlias = Any
"""What one kind of packer makes and its sink takes; it can be sent to another process."""


class Added(NamedTuple):
    """What became of a chunk's events in a packer.

    :param doubled: events whose id was in the same open package already.
    :param packages: packages, open or full, that hold events of the chunk.
    """

    doubled: int = 0
    packages: int = 0


NOTHING_ADDED = Added()


class Packer(Protocol):
    """Collects the events of one worker into packages."""

    def add(self, chunk: int, events: Sequence[Normalized], records: Sequence[int]) -> Added:
        """Take a chunk's events in.

        :param chunk: the chunk's number in this run.
        :param records: the number of the record that each event comes from.
        """

    def full(self) -> list[Package]:
        """Hand over the packages that have grown to their size."""

    def finish(self) -> list[Package]:
        """Hand over all packages."""


class Packing(Protocol):
    """How to pack; it may be sent to a worker in another process."""

    @property
    def bodies(self) -> bool:
        """Whether anything of the request and response objects is wanted."""

    def open(self) -> Packer:
        """A packer for one worker."""


class Refused(NamedTuple):
    """An event that the store will never take."""

    chunk: int
    record: int
    reason: str


@dataclass(slots=True)
class Settled:
    """What has got its final outcome.

    :ivar indexed: events that are stored now.
    :ivar duplicates: events that were stored already.
    :ivar refused: events for the dead-letter file.
    :ivar chunks: for each settled package, the chunks that it held events of.
    """

    indexed: int = 0
    duplicates: int = 0
    refused: list[Refused] = field(default_factory=list)
    chunks: list[int] = field(default_factory=list)


class Sink(Protocol):
    """The receiving end of a store."""

    @property
    def packing(self) -> Packing:
        """What to put in."""

    @property
    def refuses(self) -> bool:
        """Whether it may refuse single events, whose records must be at hand then."""

    @property
    def is_idle(self) -> bool:
        """Whether it waits for packages: more workers would be of use."""

    def put(self, packages: Sequence[Package]) -> None:
        """Take packages; waits while the store cannot keep up.

        :raises StoreError: when the store refuses us or has been away for too long.
        """

    def settled(self) -> Settled:
        """What got its outcome since the last time, without waiting."""

    def finish(self) -> None:
        """Return when all that was put in has its outcome.

        :raises StoreError: as ``put``.
        """

    def hurry(self) -> None:
        """The run is being stopped: wait for a store that is away for seconds only."""

    def close(self) -> None:
        """Leave the store; what has no outcome is given up."""
