"""The protocol of a store.

A store consists of a write path (its sink), a query engine, saved findings, daily summaries and
health checks. Each kind of store is a folder beside this module, and is opened in
:mod:`k8sidx.backends.open`; nothing else depends on which kinds there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from k8sidx.backends.changes import Changes, Checkpoint
from k8sidx.backends.check import Check
from k8sidx.backends.finding_record import Record
from k8sidx.backends.finding_state import StateChange
from k8sidx.backends.protocol import QueryOptions, StoreEngine
from k8sidx.backends.setup import SetupPlan, SetupRequest
from k8sidx.backends.sink import Sink
from k8sidx.errors import StoreError

OnWait = Callable[[str], None]
"""Called with what is being waited for: another process, or a cluster that is unavailable."""


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """Contents of a store.

    :param first: earliest and ``last`` latest ``@timestamp``.
    :param rejected: records in the store's dead-letter files; ``None`` when it has none of its own.
    """

    events: int
    first: datetime | None
    last: datetime | None
    rejected: int | None = None


class StoreIdentity(NamedTuple):
    """Distinguishing marks of a store, also against earlier copies of itself.

    :param id: never given twice.
    :param events: number of events in it; ``None`` where it may become less.
    """

    id: str
    events: int | None = None


class SavedFindings(NamedTuple):
    """Result of saving findings.

    :param new: how many were not saved before.
    :param location: the file or index that contains them.
    """

    new: int
    location: str


@dataclass(slots=True)
class Rebuilt:
    """Result of a rebuild.

    :ivar events: events in the store, each once.
    :ivar duplicates: copies of events that were left out, mostly left over from merges.
    :ivar parts: parts of the store.
    :ivar unreadable: files that cannot be read, each with the reason. They stay where they are
        and are not part of the store.
    """

    events: int = 0
    duplicates: int = 0
    parts: int = 0
    unreadable: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Renewed:
    """Result of normalizing stored events again, by the present rules.

    :ivar events: events that were looked at.
    :ivar changed: events that were stored again.
    :ivar values: values that were replaced by redaction.
    :ivar duplicates: events that turned out to be others that are stored.
    """

    events: int = 0
    changed: int = 0
    values: int = 0
    duplicates: int = 0

    def __iadd__(self, other: Renewed) -> Renewed:
        self.events += other.events
        self.changed += other.changed
        self.values += other.values
        self.duplicates += other.duplicates
        return self


class StoredEvent(NamedTuple):
    """A stored event, as it is stored.

    :param location: the UTC day, or the index.
    :param row: fields by name: moments as microseconds since 1970, JSON as text or bytes.
    """

    location: str
    row: dict[str, Any]


class StoredSummary(NamedTuple):
    """A daily summary, as it is stored.

    :param location: the file or index that contains it.
    :param name: its day, and the digest of its query.
    """

    location: str
    name: str
    rows: Sequence[Any]


class Findings(Protocol):
    """The saved findings of a store."""

    def save(self, records: Mapping[str, Record]) -> SavedFindings:
        """Add or update findings.

        :param records: by id.
        :raises StoreError: when they cannot be written.
        """

    def load(self) -> dict[str, Record]:
        """Return all saved findings by id; none where nothing was saved.

        :raises StoreError: when they cannot be read.
        """

    def redact(self) -> int:
        """Replace credentials in saved findings, and return how many fields had any.

        :raises StoreError: when they cannot be read or written.
        """

    def states(self) -> list[StateChange]:
        """Return all state changes, in order of time.

        :raises StoreError: when they cannot be read.
        """

    def change(self, changes: Sequence[StateChange]) -> None:
        """Add state changes; those that are there stay.

        :raises StoreError: when they cannot be written.
        """


class Store(Protocol):
    """Events, and what belongs to them. Nothing is opened before it is needed."""

    @property
    def folder(self) -> Path | None:
        """The store's own folder on this machine, whose files are never input."""

    @property
    def dead_letter_folder(self) -> Path:
        """Where dead-letter files are written by default."""

    @property
    def state_folder(self) -> Path:
        """Where state files are written by default."""

    @property
    def state_key(self) -> tuple[str, ...]:
        """Distinguishes the store from others with the same :attr:`state_folder`."""

    def identity(self) -> StoreIdentity | None:
        """Return the store's identity; ``None`` when there is no store, or it has none yet.

        :raises StoreError: when it cannot be read.
        """

    def engine(
        self, answering: QueryOptions | None = None, *, threads: int | None = None
    ) -> AbstractContextManager[StoreEngine]:
        """Return an engine over the store as it is now.

        :param threads: cores to use, where the engine runs on this machine; ``None`` for all.
        :raises StoreError: when the store cannot be read.
        """

    def sink(
        self,
        give_up_after: float,
        on_wait: OnWait | None,
        *,
        keep_secrets: bool = False,
        relabel: str = "",
    ) -> Sink[Any]:
        """Open the store for writing; it is created when it does not exist.

        :param give_up_after: seconds that an unavailable cluster is waited for.
        :param keep_secrets: a migration of stored events keeps the secrets in them.
        :param on_wait: may be called in other threads.
        :param relabel: cluster name for the events that are stored already; their ids stay.
        :raises StoreError: when the store cannot be written.
        """

    def stored_events(self) -> Iterator[StoredEvent]:
        """Yield every event as it is stored.

        :raises StoreError: when the store cannot be read as a whole.
        """

    def stored_summaries(self) -> Iterator[StoredSummary]:
        """Yield every daily summary.

        :raises StoreError: when they cannot be read.
        """

    def redact_existing(self, on_progress: Callable[[Renewed], None]) -> Renewed:
        """Store the events again that the present rules would redact or identify otherwise.

        Saved findings are redacted, and summaries with values to replace are deleted.

        :param on_progress: called with the counts so far.
        :raises StoreError: when the store cannot be read or written.
        """

    def rebuild(self) -> Rebuilt:
        """Recover a store whose manifest is missing or damaged, from the events in it.

        :raises UsageError: when there is nothing to rebuild.
        :raises StoreError: when there are no events, or the store cannot be written.
        """

    def findings(self) -> Findings:
        """Return the saved findings.

        :raises StoreError: when the store cannot be reached.
        """

    def info(self) -> StoreInfo:
        """Return what the store contains.

        :raises StoreError: when it cannot be read.
        """

    def changes(self, after: Checkpoint | None) -> Changes:
        """Return the times of the events that were stored since a checkpoint.

        :param after: the checkpoint of an earlier call; ``None`` for all events.
        :raises StoreError: when the store cannot be read.
        """

    def checks(self, now: Callable[[], datetime]) -> Iterator[Check]:
        """Run the health checks; ends early when the store cannot be opened.

        :param now: clock of this machine.
        """

    def plan_setup(self, *, shards: int | None, replicas: int | None, retention: str) -> SetupPlan:
        """Plan the requests that prepare the store for events.

        :param shards: primary shards of each index.
        :param replicas: replicas of each index.
        :param retention: age at which indices are deleted, for example ``90d``; or empty.
        :raises UsageError: when this kind of store needs no setup.
        :raises StoreError: when it cannot be reached, or refuses access.
        """

    def carry_out(self, plan: SetupPlan) -> Iterator[tuple[SetupRequest, StoreError | None]]:
        """Send the requests of a plan, and yield each with the error of those that are forbidden.

        :raises StoreError: when one fails for another reason.
        """
