"""Stores by their location."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from k8sidx.backends.cluster.http.address import is_cluster
from k8sidx.backends.info import StoreSummary
from k8sidx.events.fields.moment import to_moment

if TYPE_CHECKING:
    from k8sidx.backends.cluster.http.settings import ConnectionSettings
    from k8sidx.backends.cluster.store import ClusterStore
    from k8sidx.backends.embedded.engine.engine import DuckDBEngine
    from k8sidx.backends.embedded.storage.parts import Compression
    from k8sidx.backends.embedded.storage.writer import StoreWriter
    from k8sidx.backends.protocol import Answering, Engine
    from k8sidx.backends.summaries import Summaries


class EmbeddedStore:
    """A folder of Parquet files by event date, with DuckDB as the engine.

    :param path: the folder.
    :param columns: for a store that one command makes for itself: the fields to keep;
        ``None`` for all, and with them the whole events.
    :param thrown_away: the store lives as long as the command that made it.
    """

    def __init__(
        self, path: Path, *, columns: frozenset[str] | None = None, thrown_away: bool = False
    ) -> None:
        self.path = path
        self.columns = columns
        self.thrown_away = thrown_away

    @property
    def compression(self) -> Compression:
        from k8sidx.backends.embedded.storage.parts import SHIPPED, THROWN_AWAY

        return THROWN_AWAY if self.thrown_away else SHIPPED

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

        if self.thrown_away or not isinstance(engine, DuckDBEngine):
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


Store: TypeAlias = "EmbeddedStore | ClusterStore"


def open_store(
    location: str,
    *,
    create: bool = False,
    index: str = "",
    connection: ConnectionSettings | None = None,
) -> Store:
    """The store at a location: the address of a cluster, or the path of an embedded store.

    :param create: a missing store is no error, it will be made by the first writer.
    :param index: for a cluster: prefix of the indices, or a pattern of existing ones.
    :param connection: for a cluster: how to reach it.
    :raises UsageError: when the location or the index cannot be one.
    :raises StoreError: when there is no embedded store. A cluster is not asked yet.
    """
    if is_cluster(location):
        from k8sidx.backends.cluster.http.settings import ConnectionSettings
        from k8sidx.backends.cluster.index.target import DEFAULT_INDEX, parse_target
        from k8sidx.backends.cluster.store import ClusterStore

        target = parse_target(index or DEFAULT_INDEX)
        return ClusterStore(location, target, connection or ConnectionSettings())
    path = Path(location)
    if not create:
        from k8sidx.backends.embedded.storage.manifest import read_manifest

        read_manifest(path)
    return EmbeddedStore(path)


@contextmanager
def temporary_store(columns: frozenset[str] | None) -> Iterator[EmbeddedStore]:
    """An embedded store that is thrown away.

    :param columns: names of the fields that will be asked for; ``None`` for all, and with them
        the whole events.
    """
    from k8sidx.backends.embedded.storage.columns import ALWAYS_STORED

    kept = None if columns is None else columns | ALWAYS_STORED
    folder = tempfile.mkdtemp(prefix="k8sidx-")
    try:
        yield EmbeddedStore(Path(folder) / "store", columns=kept, thrown_away=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
