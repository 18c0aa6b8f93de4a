"""Scan of an embedded store: every event of it, of whatever version, as it is stored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from k8sidx.backends.embedded.storage.garbage import reading
from k8sidx.backends.embedded.storage.integrity import damaged_part, reason_of
from k8sidx.backends.embedded.storage.migrate import stored_rows
from k8sidx.backends.store import StoredEvent


def stored_events(store: Path) -> Iterator[StoredEvent]:
    """Yield the events of a store, part by part; some thousand are in memory at a time.

    :raises StoreError: when the folder is not a store, or a part is missing or damaged.
    """
    with reading(store, any_version=True) as manifest:
        for part in sorted(manifest.parts, key=lambda part: part.path):
            try:
                for rows in stored_rows(store / part.path):
                    yield from (StoredEvent(part.day, row) for row in rows)
            except (OSError, pa.ArrowException) as error:
                raise damaged_part(store, part.path, reason_of(error)) from error
