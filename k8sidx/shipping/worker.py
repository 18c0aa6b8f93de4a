"""One worker: chunks of records in, packages for the store out. The hot path of shipping."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from k8sidx.backends.sink import NOTHING_ADDED, Added, SinkSpec
from k8sidx.events.decode.decode import decode
from k8sidx.events.decode.event_model import AuditEvent, decode_line, from_object, to_json
from k8sidx.events.decode.providers.apiserver import V1
from k8sidx.events.normalize.event import Normalized, Normalizer
from k8sidx.events.records import Chunk, Context, Event, Rejected, Skipped

_BARE = Context()


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What a worker needs to know; it may run in a process of its own."""

    spec: SinkSpec[Any]
    cluster: str = ""
    format: str = "auto"
    keep_secrets: bool = False


@dataclass(slots=True)
class Outcome:
    """What became of a chunk.

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
        """Work on a chunk; finished packages come with the outcome.

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
        """Finish the open packages; more chunks may follow."""
        return Outcome(batches=self._encoder.finish())

    def _events(self, chunk: Chunk, outcome: Outcome) -> tuple[list[Normalized], list[int]]:
        """The chunk's events, and the number of the record that each comes from."""
        events: list[Normalized] = []
        records: list[int] = []
        keep, note, normalize = events.append, records.append, self._normalizer.normalize
        quick = self._settings.format in ("auto", "apiserver")
        for number, line in enumerate(_lines(chunk.data), chunk.first):
            if quick:
                try:
                    event = decode_line(line)
                    if _is_plain(event):
                        keep(normalize(event, None, _BARE, len(line)))
                        note(number)
                        continue
                except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                    pass  # not the plain form: the envelope readers say what it is
            if line:
                self._decode(Chunk(chunk.source, number, bytes(line)), outcome, events)
                records += [number] * (len(events) - len(records))
        return events, records

    def _decode(self, chunk: Chunk, outcome: Outcome, events: list[Normalized]) -> None:
        for record in decode(chunk, self._settings.format):
            if isinstance(record, Event):
                result = self._normalize(record, chunk.data)
                if isinstance(result, Rejected):
                    outcome.rejected.append(result)
                else:
                    events.append(result)
            elif isinstance(record, Skipped):
                outcome.skipped[record.kind] += 1
            else:
                outcome.rejected.append(record)

    def _normalize(self, event: Event, raw: bytes) -> Normalized | Rejected:
        try:
            plain, rest = from_object(event.body)
            size = len(to_json(event.body))
            return self._normalizer.normalize(plain, rest, event.context, size)
        except RecursionError:
            reason = "the event is nested too deeply"
        except (msgspec.MsgspecError, UnicodeError) as error:
            reason = f"the event cannot be written as JSON: {error}"
        return Rejected(reason, event.where, raw)


def _lines(data: bytes) -> Iterator[memoryview]:
    """The lines without copying them."""
    view = memoryview(data)
    start = 0
    while True:
        end = data.find(b"\n", start)
        if end < 0:
            yield view[start:]
            return
        yield view[start:end]
        start = end + 1


def _is_plain(event: AuditEvent) -> bool:
    """As the API server writes it to its log; what lacks its type is for the decoders to judge
    (Rancher's own API audit log has the same keys)."""
    return event.kind == "Event" and event.apiVersion == V1
