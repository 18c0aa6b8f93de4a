"""A folder of Parquet files by event date, with DuckDB as the engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from k8sidx.backends.info import StoreSummary
from k8sidx.events.fields.moment import to_moment

if TYPE_CHECKING:
    from k8sidx.backends.embedded.engine.engine import DuckDBEngine
    from k8sidx.backends.embedded.storage.parts import Compression
    from k8sidx.backends.embedded.storage.writer import StoreWriter
    from k8sidx.backends.protocol import Answering, Engine
    from k8sidx.backends.summary_store import Summaries


class EmbeddedStore:
    """A folder of Parquet files by event date, with DuckDB as the engine.

    :param path: the folder.
    :param columns: for a store that one command makes for itself: the fields to keep;
        ``None`` for all, and with them the whole events.
    :param temporary: the store lives as long as the command that made it.
    """

    def __init__(
        self, path: Path, *, columns: frozenset[str] | None = None, temporary: bool = False
    ) -> None:
        self.path = path
        self.columns = columns
        self.temporary = temporary

    @property
    def compression(self) -> Compression:
        from k8sidx.backends.embedded.storage.parts import SHIPPED, TEMPORARY

        return TEMPORARY if self.temporary else SHIPPED

    def engine(
        self, answering: Answering | None = None, *, threads: int | None = None
    ) -> DuckDBEngine:
        """An engine over the store as it is now; a context manager.

        :raises StoreError: when the folder is no store.
        """
        from k8sidx.backends.embedded.engine.engine import DuckDBEngine
        from k8sidx.backends.protocol import EXACTLY

        return DuckDBEngine(self.path, answering or EXACTLY, threads=threads)

    def summaries(self, engine: Engine) -> Summaries | None:
        """The daily summaries of the store as an engine sees it; a store that is thrown away
        has none."""
        from k8sidx.backends.embedded.engine.engine import DuckDBEngine
        from k8sidx.backends.embedded.summaries import EmbeddedSummaries

        if self.temporary or not isinstance(engine, DuckDBEngine):
            return None
        return EmbeddedSummaries(self.path, engine.manifest)

    def writer(self, on_wait: Callable[[str], None] | None = None) -> StoreWriter:
        """A writer; the store is made when there is none, and migrated when it is old.

        :raises StoreError: when the folder cannot be written.
        """
        from k8sidx.backends.embedded.storage.columns import STORED
        from k8sidx.backends.embedded.storage.writer import StoreWriter

        wanted = self.columns
        names = [one.name for one in STORED if wanted is None or one.name in wanted]
        return StoreWriter(self.path, names, self.compression, on_wait)

    def summary(self) -> StoreSummary:
        """What the store holds.

        :raises StoreError: when the folder is no store.
        """
        from k8sidx.backends.embedded.storage.manifest import read_manifest

        manifest = read_manifest(self.path)
        first = [part.first for part in manifest.parts if part.first is not None]
        last = [part.last for part in manifest.parts if part.last is not None]
        return StoreSummary(
            manifest.rows,
            to_moment(min(first)) if first else None,
            to_moment(max(last)) if last else None,
        )
