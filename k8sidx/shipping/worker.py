"""One worker: chunks of records in, batches for the store out. The hot path of shipping."""

from __future__ import annotations

import gc
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from k8sidx.backends.sink import NOTHING_ADDED, Added, SinkSpec
from k8sidx.events.decode.decode import decode, rejected, repaired
from k8sidx.events.decode.event_model import UNDECODABLE
from k8sidx.events.normalize.event import Normalized, Normalizer
from k8sidx.events.records import Chunk, Event, Rejected, Skipped


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """Settings of a worker, which may run in a process of its own."""

    spec: SinkSpec[Any]
    cluster: str = ""
    format: str = "auto"
    keep_secrets: bool = False


@dataclass(slots=True)
class Outcome:
    """Outcome of a chunk.

    :ivar chunk: its number; ``None`` when batches were finished without one.
    :ivar events: events that are in a batch, returned or not yet.
    :ivar added: how many batches contain them, and how many were in these already.
    :ivar batches: batches that are finished and can be stored.
    """

    chunk: int | None = None
    events: int = 0
    added: Added = NOTHING_ADDED
    redacted: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    batches: list[Any] = field(default_factory=list)


class Worker:
    """Decodes, normalizes and packs the chunks it is given."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        self._normalizer = Normalizer(
            cluster=settings.cluster,
            keep_secrets=settings.keep_secrets,
            bodies=settings.spec.bodies,
        )
        self._encoder = settings.spec.open()

    def take(self, number: int, chunk: Chunk) -> Outcome:
        """Work on a chunk; finished batches are part of the outcome.

        :param number: the chunk's number in this run.
        """
        outcome = Outcome(number)
        # Decoding makes no cycles, and looking for them costs a third of the time.
        collecting = gc.isenabled()
        gc.disable()
        try:
            events, records = self._events(chunk, outcome)
            if events:
                outcome.added = self._encoder.add(number, events, records)
                outcome.events = len(events)
                outcome.redacted = sum(event.redacted for event in events)
        finally:
            if collecting:
                gc.enable()
        outcome.batches = self._encoder.full()
        return outcome

    def finish(self) -> Outcome:
        """Finish the open batches; more chunks may follow."""
        return Outcome(batches=self._encoder.finish())

    def _events(self, chunk: Chunk, outcome: Outcome) -> tuple[list[Normalized], list[int]]:
        """Return the chunk's events, and the number of the record that each comes from."""
        events: list[Normalized] = []
        numbers: list[int] = []
        for record in decode(chunk, self._settings.format):
            if isinstance(record, Skipped):
                outcome.skipped[record.kind] += 1
                continue
            result = record if isinstance(record, Rejected) else self._normalize(record)
            if isinstance(result, Rejected):
                outcome.rejected.append(result)
            else:
                events.append(result)
                numbers.append(record.where.record)
        return events, numbers

    def _normalize(self, event: Event) -> Normalized | Rejected:
        try:
            return self._normalizer.normalize(event.audit, event.rest, event.context, event.size)
        except UNDECODABLE as error:
            if not event.text:
                return rejected(event, error)
        result = repaired(event)
        return result if isinstance(result, Rejected) else self._normalize(result)
