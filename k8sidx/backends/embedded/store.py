"""The embedded store: a folder of Parquet files by event date, with DuckDB as the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

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
from k8sidx.events.fields.moment import to_moment

if TYPE_CHECKING:
    from k8sidx.backends.changes import Changes, Checkpoint
    from k8sidx.backends.check import Check
    from k8sidx.backends.embedded.engine.engine import DuckDBEngine
    from k8sidx.backends.embedded.findings import EmbeddedFindings
    from k8sidx.backends.embedded.sink import EmbeddedSink
    from k8sidx.backends.embedded.storage.parts import Compression
    from k8sidx.backends.embedded.storage.writer import StoreWriter
    from k8sidx.backends.protocol import QueryOptions
    from k8sidx.backends.setup import SetupPlan


class EmbeddedStore:
    """A folder of Parquet files by event date; see :class:`k8sidx.backends.store.Store`.

    :param path: the folder.
    :param columns: for a temporary store: the fields to keep; ``None`` for all, and with them
        the whole events.
    :param temporary: the store is deleted with the command that created it.
    :raises UsageError: where the packages of the engine are not installed.
    """

    state_key: tuple[str, ...] = ()

    def __init__(
        self, path: Path, *, columns: frozenset[str] | None = None, temporary: bool = False
    ) -> None:
        _require_engine()
        self.path = path
        self.columns = columns
        self.temporary = temporary

    @property
    def folder(self) -> Path:
        """The store's own folder."""
        return self.path

    @property
    def dead_letter_folder(self) -> Path:
        """A folder inside the store."""
        return self.path / "dead-letter"

    @property
    def state_folder(self) -> Path:
        """A folder inside the store."""
        return self.path / "state"

    @property
    def compression(self) -> Compression:
        from k8sidx.backends.embedded.storage.parts import SHIPPED, TEMPORARY

        return TEMPORARY if self.temporary else SHIPPED

    def identity(self) -> StoreIdentity | None:
        """Return the identity in the manifest, and how many events the store contains.

        :raises StoreError: when the manifest cannot be read.
        """
        from k8sidx.backends.embedded.storage.manifest import is_store, read_manifest

        if not is_store(self.path):
            return None
        manifest = read_manifest(self.path, any_version=True)
        return StoreIdentity(manifest.store_id, manifest.rows) if manifest.store_id else None

    def engine(
        self, answering: QueryOptions | None = None, *, threads: int | None = None
    ) -> DuckDBEngine:
        """Return an engine over the store as it is now; a context manager.

        :raises StoreError: when the folder is not a store.
        """
        from k8sidx.backends.embedded.engine.engine import DuckDBEngine
        from k8sidx.backends.protocol import EXACT

        return DuckDBEngine(
            self.path,
            answering or EXACT,
            threads=threads,
            keeps_summaries=not self.temporary,
        )

    def sink(
        self,
        give_up_after: float,
        on_wait: OnWait | None,
        *,
        keep_secrets: bool = False,
        relabel: str = "",
    ) -> EmbeddedSink:
        """Open the store for writing; it is migrated when an older k8sidx wrote it.

        :param give_up_after: has no effect, a folder is always available.
        :param keep_secrets: the migration keeps the secrets in stored events.
        :param relabel: cluster name for the events that are stored already.
        :raises StoreError: when the folder cannot be written.
        """
        from k8sidx.backends.embedded.sink import EmbeddedSink

        return EmbeddedSink(self, on_wait, keep_secrets=keep_secrets, relabel=relabel)

    def writer(self, on_wait: OnWait | None = None, *, keep_secrets: bool = False) -> StoreWriter:
        """Return a writer; the store is created or migrated where necessary.

        :param keep_secrets: the migration keeps the secrets in stored events.
        :raises StoreError: when the folder cannot be written.
        """
        from k8sidx.backends.embedded.storage.columns import STORED
        from k8sidx.backends.embedded.storage.writer import StoreWriter

        names = [
            field.name for field in STORED if self.columns is None or field.name in self.columns
        ]
        return StoreWriter(self.path, names, self.compression, on_wait, keep_secrets=keep_secrets)

    def stored_events(self) -> Iterator[StoredEvent]:
        """Yield every event as it is stored; see :class:`k8sidx.backends.store.Store`."""
        from k8sidx.backends.embedded.storage.scan import stored_events

        return stored_events(self.path)

    def stored_summaries(self) -> Iterator[StoredSummary]:
        """Yield every daily summary; see :class:`k8sidx.backends.store.Store`."""
        from k8sidx.backends.embedded.summaries import stored_summaries

        return stored_summaries(self.path)

    def redact_existing(self, on_progress: Callable[[Renewed], None]) -> Renewed:
        """Migrate the store, as the next shipper would, and redact findings and summaries.

        :param on_progress: called at the end.
        :raises StoreError: when the folder is not a store, or cannot be written.
        """
        from k8sidx.backends.embedded.storage.manifest import read_manifest
        from k8sidx.backends.finding_record import has_secrets

        read_manifest(self.path, any_version=True)
        writer = self.writer()
        writer.close()
        renewed = writer.renewed
        renewed.values += self.findings().redact()
        for summary in self.stored_summaries():
            if has_secrets(summary):
                Path(summary.location).unlink(missing_ok=True)
                renewed.values += 1
        on_progress(renewed)
        return renewed

    def rebuild(self) -> Rebuilt:
        """Make the manifest again from the parts; see :class:`k8sidx.backends.store.Store`."""
        from k8sidx.backends.embedded.storage.rebuild import rebuild

        return rebuild(self.path)

    def findings(self) -> EmbeddedFindings:
        """Return the saved findings."""
        from k8sidx.backends.embedded.findings import EmbeddedFindings

        return EmbeddedFindings(self.path)

    def info(self) -> StoreInfo:
        """Return what the store contains.

        :raises StoreError: when the folder is not a store.
        """
        from k8sidx.backends.embedded.storage.manifest import read_manifest

        manifest = read_manifest(self.path)
        first = [part.first for part in manifest.parts if part.first is not None]
        last = [part.last for part in manifest.parts if part.last is not None]
        return StoreInfo(
            manifest.rows,
            to_moment(min(first)) if first else None,
            to_moment(max(last)) if last else None,
            self._rejected(),
        )

    def _rejected(self) -> int:
        count = 0
        for path in self.dead_letter_folder.glob("*.jsonl"):
            with path.open("rb") as file:
                count += sum(1 for _ in file)
        return count

    def changes(self, after: Checkpoint | None) -> Changes:
        """Return the events that were stored since a checkpoint.

        :raises StoreError: when the folder is not a store, or a part cannot be read.
        """
        from k8sidx.backends.embedded.changes import changes

        return changes(self.path, after)

    def checks(self, now: Callable[[], datetime]) -> Iterator[Check]:
        """Run the health checks; ends early when the folder is not a store."""
        from k8sidx.backends.embedded.checks import check_store

        return check_store(self.path, now())

    def plan_setup(self, *, shards: int | None, replicas: int | None, retention: str) -> NoReturn:
        """Raise: the first writer creates everything that an embedded store needs.

        :raises UsageError: always.
        """
        raise UsageError(
            f"{self.path} is an embedded store, not a cluster.",
            remedy="Give --store the http(s):// address of a cluster.",
        )

    def carry_out(self, plan: SetupPlan) -> Iterator[NoReturn]:
        """Return nothing: there are no plans for an embedded store."""
        return iter(())


def _require_engine() -> None:
    """Raise where an installation for clusters alone has left the engine out."""
    missing = [name for name in ("duckdb", "pyarrow") if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"an embedded store needs {' and '.join(missing)}, which this installation lacks.",
            remedy="Give --store the address of a cluster, or run: pip install k8sidx",
        )
