"""Shipping into the embedded store: workers stage Parquet parts, the sink commits them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from k8sidx.backends.embedded.storage.compaction import ENOUGH, SMALL_ROWS, merge_small_parts
from k8sidx.backends.sink import Added, Settled
from k8sidx.events.fields.table import FROM_BODIES
from k8sidx.events.normalize.event import Normalized

if TYPE_CHECKING:
    from k8sidx.backends.embedded.storage.parts import Compression, StagedPart
    from k8sidx.backends.embedded.store import EmbeddedStore


@dataclass(frozen=True, slots=True)
class PartPacking:
    """How a worker stages parts.

    :param columns: names of the columns to keep; ``None`` for all.
    """

    staging: Path
    compression: Compression
    columns: frozenset[str] | None

    @property
    def bodies(self) -> bool:
        """Whether a column comes from them."""
        return self.columns is None or not self.columns.isdisjoint(FROM_BODIES)

    def open(self) -> PartPacker:
        """A packer for one worker."""
        return PartPacker(self)


class PartPacker:
    """Stages events as Parquet parts, one for each day."""

    def __init__(self, packing: PartPacking) -> None:
        import pyarrow

        from k8sidx.backends.embedded.storage.parts import PartBuilder

        # Arrow's own allocator keeps what it has once had: half as much memory again.
        pyarrow.set_memory_pool(pyarrow.system_memory_pool())
        self._release = pyarrow.default_memory_pool().release_unused
        self._builder = PartBuilder(packing.staging, packing.compression, packing.columns)

    def add(self, chunk: int, events: Sequence[Normalized], records: Sequence[int]) -> Added:
        """Take a chunk's events in."""
        doubled = self._builder.add(events, chunk)
        return Added(doubled, self._builder.holding(chunk))

    def full(self) -> list[StagedPart]:
        """Parts that have grown to their size."""
        parts = self._builder.full()
        if parts:
            # Otherwise the heap, in pieces by then, grows from part to part.
            self._release()
        return parts

    def finish(self) -> list[StagedPart]:
        """All parts."""
        return self._builder.finish()


class EmbeddedSink:
    """Commits staged parts to an embedded store.

    :raises StoreError: when the store cannot be written.
    """

    refuses = False
    is_idle = True

    def __init__(self, store: EmbeddedStore, on_wait: Callable[[str], None] | None) -> None:
        self._store = store
        self._writer = store.writer(on_wait)
        self.packing = PartPacking(self._writer.staging, store.compression, store.columns)
        self._settled = Settled()
        self._small = 0

    def put(self, packages: Sequence[StagedPart]) -> None:
        """Commit parts, all of them or none; now and then small ones are merged."""
        committed = self._writer.commit(packages)
        self._settled.indexed += committed.indexed
        self._settled.duplicates += committed.duplicates
        for part in packages:
            self._settled.chunks += part.chunks
        self._small += sum(part.rows < SMALL_ROWS for part in packages)
        if self._small >= ENOUGH and not self._store.thrown_away:
            self._small = 0
            merge_small_parts(self._writer, growing=True)

    def settled(self) -> Settled:
        """What was committed since the last time."""
        settled, self._settled = self._settled, Settled()
        return settled

    def finish(self) -> None:
        """Merge small files; a commit is final already."""
        if not self._store.thrown_away:
            merge_small_parts(self._writer)

    def hurry(self) -> None:
        """A folder is never away."""

    def close(self) -> None:
        """Remove what was staged and not committed."""
        self._writer.close()
