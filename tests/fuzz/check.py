"""Properties of a chunk of records, whatever is in them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple

import orjson

from k8sidx.backends.cluster.bulk.batch import Batch
from k8sidx.backends.cluster.sink import BatchSpec
from k8sidx.backends.embedded.sink import PartSpec
from k8sidx.backends.embedded.storage.parts import TEMPORARY, StagedPart
from k8sidx.events.decode.decode import decode
from k8sidx.events.normalize.event import Normalizer
from k8sidx.events.normalize.stored import renormalize
from k8sidx.events.records import Chunk, Event, Rejected, Skipped
from k8sidx.shipping.worker import Worker, WorkerSettings

NEIGHBOUR = (
    b'{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"neighbour",'
    b'"stage":"ResponseComplete","verb":"get","stageTimestamp":"2026-11-23T12:00:00.000000Z"}'
)


class Counted(NamedTuple):
    """Outcomes of the records of a chunk."""

    events: int
    rejected: int
    skipped: int


def decoded(data: bytes) -> Counted:
    """Count what records decode to; every record is one of three."""
    kinds = [type(record) for record in decode(Chunk("fuzz", 1, data))]
    assert set(kinds) <= {Event, Rejected, Skipped}
    return Counted(kinds.count(Event), kinds.count(Rejected), kinds.count(Skipped))


def check(record: bytes) -> None:
    """Raise AssertionError unless a record between two events costs neither of them.

    The events are stored, its outcomes add up, and what is stored of it is redacted and
    identified as it would be if it were shipped again.
    """
    counted = decoded(record)
    data = b"\n".join((NEIGHBOUR, record, NEIGHBOUR.replace(b"neighbour", b"second")))
    documents = _batched(data, counted)
    assert sum(b'"neighbour"' in line or b'"second"' in line for line in documents) >= 2
    with tempfile.TemporaryDirectory() as folder:
        _staged(data, counted, Path(folder))
    _normalized_again(record)


def _batched(data: bytes, counted: Counted) -> list[bytes]:
    worker = Worker(WorkerSettings(BatchSpec("k8s-audit")))
    outcome = worker.take(1, Chunk("fuzz", 1, data))
    batches: list[Batch] = [*outcome.batches, *worker.finish().batches]
    documents = [document for batch in batches for document in batch.documents]
    refused = len(outcome.refused) + len(outcome.rejected)
    assert len(documents) == outcome.events
    assert outcome.events + refused == counted.events + counted.rejected + 2
    assert sum(outcome.skipped.values()) == counted.skipped
    for document in documents:
        action, _, source = document.partition(b"\n")
        assert orjson.loads(action)
        assert source.endswith(b"}\n")
    return documents


def _staged(data: bytes, counted: Counted, folder: Path) -> None:
    worker = Worker(WorkerSettings(PartSpec(folder, TEMPORARY, None)))
    outcome = worker.take(1, Chunk("fuzz", 1, data))
    last = worker.finish()
    parts: list[StagedPart] = [*outcome.batches, *last.batches]
    rejected = len(outcome.rejected) + len(outcome.refused) + len(last.refused)
    rows = sum(part.rows for part in parts) + outcome.added.duplicates
    assert rows + rejected == counted.events + counted.rejected + 2


def _normalized_again(record: bytes) -> None:
    normalizer = Normalizer()
    for event in decode(Chunk("fuzz", 1, record)):
        if not isinstance(event, Event):
            continue
        try:
            stored = normalizer.normalize(event.audit, event.rest, event.context, event.size)
        except Exception:  # noqa: BLE001, S112 - it is a reject: counted above
            continue
        again = renormalize(stored.row, normalizer)
        assert not again.replaced, f"not redacted at once: {again.replaced}"
        assert again.event.values.id == stored.values.id, "another id when stored and read"
