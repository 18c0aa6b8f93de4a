"""Embedded stores for tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from k8sidx.backends.embedded.storage.compaction import merge_small_parts
from k8sidx.backends.embedded.storage.part_builder import PartBuilder
from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.backends.sink import Tally
from k8sidx.events.normalize.event import Normalized
from tests.building import normalized


def stored(folder: Path, bodies: Sequence[dict[str, Any]]) -> EmbeddedStore:
    """Create a store with the events."""
    store = EmbeddedStore(folder)
    put(store, bodies)
    return store


def put(store: EmbeddedStore, bodies: Sequence[dict[str, Any]], *, merge: bool = False) -> Tally:
    """Commit the events in one batch."""
    return put_normalized(store, [normalized(body) for body in bodies], merge=merge)


def put_normalized(
    store: EmbeddedStore, events: Sequence[Normalized], *, merge: bool = False
) -> Tally:
    writer = store.writer()
    try:
        builder = PartBuilder(writer.staging, store.compression, store.columns)
        duplicates = builder.add(events)
        tally = writer.commit(builder.finish())
        tally.duplicates += duplicates
        if merge:
            merge_small_parts(writer)
        return tally
    finally:
        writer.close()
