"""Batches of a few megabytes of encoded documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from k8sidx.backends.cluster.index.document import as_text, document, document_id
from k8sidx.backends.cluster.index.names import IndexNames
from k8sidx.backends.cluster.index.template import write_target
from k8sidx.backends.sink import Refused
from k8sidx.events.failure import NOT_OF_A_RECORD, failure_reason
from k8sidx.events.normalize.event import Normalized

BATCH_BYTES = 2 * 1024 * 1024
"""A batch is finished at the end of the chunk with which it reaches this size in bytes."""


@dataclass(slots=True)
class Batch:
    """Documents to be sent together.

    :ivar documents: lines of the bulk API for each: the action with the index, and the document.
    :ivar records: for each document, the number of the record that its event comes from.
    :ivar chunks: number of a chunk, and the end of its documents; in their order.
    :ivar indices: the number of documents of each index.
    """

    documents: list[bytes] = field(default_factory=list)
    records: list[int] = field(default_factory=list)
    chunks: list[tuple[int, int]] = field(default_factory=list)
    indices: Counter[str] = field(default_factory=Counter)

    def chunk_of(self, position: int) -> int:
        """Return the number of the chunk that a document comes from."""
        return next(number for number, end in self.chunks if position < end)


class _Actions:
    """The beginnings of the bulk API's actions for each index.

    :ivar documents: the number of documents of each index.
    """

    def __init__(self) -> None:
        self.documents: Counter[str] = Counter()
        self._texts: dict[str, bytes] = {}

    def of(self, index: str) -> bytes:
        """Return the action of an index's documents, up to the id."""
        action = self._texts.get(index)
        if action is None:
            target = write_target(index).encode()
            action = self._texts[index] = b'{"create":{"_index":"%b","_id":"' % target
        return action


class BatchBuilder:
    """Encodes normalized events into batches."""

    def __init__(self, names: IndexNames) -> None:
        self._names = names
        self._batch = Batch()
        self._bytes = 0
        self._refused: list[Refused] = []

    def add(self, chunk: int, events: Sequence[Normalized], records: Sequence[int]) -> None:
        """Add a chunk's events.

        :param chunk: the chunk's number.
        :param records: the number of the record that each event comes from.
        """
        actions = _Actions()
        try:
            documents = self._encoded(events, actions)
        except NOT_OF_A_RECORD:
            raise
        except Exception:  # noqa: BLE001 - of some event: each by itself shows of which
            actions.documents.clear()
            documents, records = self._one_by_one(chunk, events, records, actions)
        batch = self._batch
        batch.documents += documents
        batch.records += records
        batch.chunks.append((chunk, len(batch.documents)))
        batch.indices.update(actions.documents)
        self._bytes += sum(map(len, documents))

    def _encoded(self, events: Sequence[Normalized], actions: _Actions) -> list[bytes]:
        """Return the documents, and add the actions of their indices."""
        name_of, documents = self._names.of, []
        for event in events:
            index = name_of(event.own_time)
            action = actions.of(index)
            documents.append(
                b'%b%b"}}\n%b\n' % (action, document_id(event.values.id), document(event))
            )
            actions.documents[index] += 1
        return documents

    def _one_by_one(
        self,
        chunk: int,
        events: Sequence[Normalized],
        records: Sequence[int],
        actions: _Actions,
    ) -> tuple[list[bytes], list[int]]:
        """Return the documents of the events that can be encoded, with their records."""
        documents: list[bytes] = []
        kept: list[int] = []
        for event, record in zip(events, records, strict=True):
            try:
                documents += self._encoded([event], actions)
            except NOT_OF_A_RECORD:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, the others are encoded
                self._refused.append(Refused(chunk, record, failure_reason(error), event))
            else:
                kept.append(record)
        return documents, kept

    def take_refused(self) -> list[Refused]:
        """Return the events that were refused since the last call."""
        refused, self._refused = self._refused, []
        return refused

    def full(self) -> list[Batch]:
        """Return the batch, if it has reached its size."""
        return self.finish() if self._bytes >= BATCH_BYTES else []

    def finish(self) -> list[Batch]:
        """Return the batch, if it is not empty."""
        batch, self._batch, self._bytes = self._batch, Batch(), 0
        return [batch] if batch.documents else []


def with_json_as_text(line: bytes) -> bytes:
    """Return the two lines of a document with its JSON fields as text."""
    action, _, written = line.partition(b"\n")
    return action + b"\n" + as_text(written[:-1]) + b"\n"
