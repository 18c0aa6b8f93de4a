"""Sink of the embedded store: workers stage Parquet parts, the shipping process commits them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from k8sidx.backends.embedded.storage.compaction import (
    MANY_SMALL_PARTS,
    is_small,
    merge_small_parts,
)
from k8sidx.backends.sink import Added, Refused, SinkResults
from k8sidx.events.core import Rows
from k8sidx.events.fields.table import FROM_BODIES
from k8sidx.events.normalize.event import Normalized

if TYPE_CHECKING:
    from k8sidx.backends.embedded.storage.parts import Compression, StagedPart
    from k8sidx.backends.embedded.store import EmbeddedStore


@dataclass(frozen=True, slots=True)
class PartSpec:
    """Specification of a worker's part encoder.

    :param staging: folder of the parts that are not committed yet.
    :param columns: names of the columns to keep; ``None`` for all.
    """

    staging: Path
    compression: Compression
    columns: frozenset[str] | None
    takes_rows = True

    @property
    def bodies(self) -> bool:
        """Whether a column is made from them."""
        return self.columns is None or not self.columns.isdisjoint(FROM_BODIES)

    def open(self) -> PartEncoder:
        """Return an encoder for one worker."""
        return PartEncoder(self)


class PartEncoder:
    """Stages events as Parquet parts, by day."""

    def __init__(self, spec: PartSpec) -> None:
        import pyarrow

        from k8sidx.backends.embedded.storage.part_builder import PartBuilder

        # Arrow's own allocator keeps what it has once had: half as much memory again.
        pyarrow.set_memory_pool(pyarrow.system_memory_pool())
        self._release = pyarrow.default_memory_pool().release_unused
        self._refused: list[Refused] = []
        self._columns = spec.columns
        self._builder = PartBuilder(
            spec.staging, spec.compression, spec.columns, on_refused=self._refused.append
        )

    def add(
        self,
        chunk: int,
        events: Sequence[Normalized],
        records: Sequence[int],
        rows: Sequence[Rows] = (),
    ) -> Added:
        """Add a chunk's events."""
        duplicates = self._builder.add(events, chunk, records)
        for some in rows:
            duplicates += self._builder.add_rows(some, chunk)
        return Added(duplicates, self._builder.holding(chunk))

    def full(self) -> list[StagedPart]:
        """Return the parts that have reached their size."""
        parts = self._builder.full()
        if parts:
            # Otherwise the heap, fragmented by then, grows from part to part.
            self._release()
        return parts

    def finish(self) -> list[StagedPart]:
        """Return all parts."""
        return self._builder.finish()

    def take_refused(self) -> list[Refused]:
        """Return the events that were refused since the last call."""
        refused = self._refused.copy()
        self._refused.clear()
        return refused


class EmbeddedSink:
    """Commits staged parts to an embedded store.

    :param relabel: cluster name for the events that are stored already.
    :raises StoreError: when the store cannot be written.
    """

    can_reject = False
    is_idle = True

    def __init__(
        self,
        store: EmbeddedStore,
        on_wait: Callable[[str], None] | None,
        *,
        keep_secrets: bool = False,
        relabel: str = "",
    ) -> None:
        self._store = store
        self._writer = store.writer(on_wait, keep_secrets=keep_secrets)
        self.spec = PartSpec(self._writer.staging, store.compression, store.columns)
        self._results = SinkResults()
        self._small = 0
        self._relabel = relabel

    def put(self, batches: Sequence[StagedPart]) -> None:
        """Commit parts, all of them or none; small ones are merged once there are many."""
        self._small += sum(
            is_small(part.rows, part.path.stat().st_size) for part in batches if part.rows
        )
        self._results.tally += self._writer.commit(batches, self._relabel)
        for part in batches:
            self._results.chunks += part.chunks
        if self._small >= MANY_SMALL_PARTS and not self._store.temporary:
            self._small = 0
            merge_small_parts(self._writer, growing=True)

    def take_results(self) -> SinkResults:
        """Return what was committed since the last call."""
        results, self._results = self._results, SinkResults()
        return results

    def finish(self) -> None:
        """Merge small files; commits are final already."""
        if not self._store.temporary:
            merge_small_parts(self._writer)

    def shorten_deadline(self) -> None:
        """Do nothing: a folder is always available."""

    def close(self) -> None:
        """Remove what was staged and not committed."""
        self._writer.close()
