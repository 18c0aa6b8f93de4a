"""Migration of an older store to this version's columns, from the complete events that it keeps.

Nothing is derived from old derived columns: every event is put together again, decoded
and normalized as if it had just been shipped, so a migrated store is what a new one
would be. The old files count until the new ones are all there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from k8sidx.backends.embedded.storage.columns import STORED, TIME
from k8sidx.backends.embedded.storage.manifest import VERSION, Manifest, Part, write_manifest
from k8sidx.backends.embedded.storage.parts import PartBuilder, StagedPart
from k8sidx.events.decode.event_model import from_object
from k8sidx.events.fields.moment import text_of
from k8sidx.events.normalize.event import Normalized, Normalizer
from k8sidx.events.normalize.reconstruct import whole_event
from k8sidx.events.records import Context

BATCH_ROWS = 4096


def migrate(
    store: Path, manifest: Manifest, builder: PartBuilder, place: Callable[[StagedPart], Part]
) -> None:
    """Rewrite all parts of an older store; the caller holds the store's write lock.

    :param place: moves a staged part into the store and returns its manifest entry.
    """
    # Secrets that were kept stay; those that were redacted cannot come back.
    normalizer = Normalizer(keep_secrets=True)
    staged: list[StagedPart] = []
    for part in manifest.parts:
        for events in _events(store / part.path, normalizer):
            builder.add(events)
            staged += builder.full()
    staged += builder.finish()
    parts: list[Part] = [place(part) for part in staged if part.rows]
    migrated = replace(
        manifest,
        parts=tuple(parts),
        garbage=(*manifest.garbage, *(part.path for part in manifest.parts)),
        version=VERSION,
        columns=tuple(field.name for field in STORED),
    )
    write_manifest(store, migrated)


def _events(path: Path, normalizer: Normalizer) -> Iterator[list[Normalized]]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=BATCH_ROWS):
            rows = _with_whole_numbers(batch).to_pylist()
            yield [_again(row, normalizer) for row in rows]


def _with_whole_numbers(batch: pa.RecordBatch) -> pa.Table:
    """Return times as microseconds since 1970."""
    table = pa.Table.from_batches([batch])
    for index, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            table = table.set_column(index, field.name, table.column(index).cast(pa.int64()))
    return table


def _again(row: dict[str, Any], normalizer: Normalizer) -> Normalized:
    whole = whole_event(row)
    event, rest, length = from_object(whole)
    moment = row.get(TIME)
    context = Context(
        row.get("event.provider") or "kube-apiserver",
        row.get("orchestrator.cluster.name") or "",
        text_of(moment) if moment is not None else "",
    )
    # A store from before event.bytes was kept: the size of the event as it is stored.
    size = row.get("event.bytes") or length
    return normalizer.normalize(event, rest, context, size)
