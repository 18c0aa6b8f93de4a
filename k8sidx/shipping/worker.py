"""One worker: chunks of records in, staged parts out. The hot path of shipping."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pyarrow

from k8sidx.decode.apiserver import V1
from k8sidx.decode.audit_event import AuditEvent, decode_line, from_object
from k8sidx.decode.decode import decode
from k8sidx.decode.record import Context, Event, Rejected, Skipped
from k8sidx.fields.table import FROM_BODIES
from k8sidx.normalize.event import Normalized, Normalizer
from k8sidx.sources.chunks import Chunk
from k8sidx.store.parts import Compression, PartBuilder, StagedPart

_BARE = Context()


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What a worker needs to know; it may run in a process of its own."""

    staging: Path
    compression: Compression
    columns: frozenset[str] | None
    cluster: str = ""
    format: str = "auto"
    keep_secrets: bool = False


@dataclass(slots=True)
class Outcome:
    """What became of a chunk.

    :ivar events: events that are in a part, staged or not yet.
    :ivar doubled: events whose id was in the same part already.
    :ivar parts: parts that are finished and can be committed.
    """

    events: int = 0
    doubled: int = 0
    redacted: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    parts: list[StagedPart] = field(default_factory=list)


class Worker:
    """Decodes, normalizes and stages the chunks it is given."""

    def __init__(self, settings: WorkerSettings) -> None:
        # Arrow's own allocator keeps what it has once had: half as much memory again.
        pyarrow.set_memory_pool(pyarrow.system_memory_pool())
        self._settings = settings
        self._normalizer = Normalizer(
            cluster=settings.cluster,
            keep_secrets=settings.keep_secrets,
            bodies=settings.columns is None or not settings.columns.isdisjoint(FROM_BODIES),
        )
        self._builder = PartBuilder(settings.staging, settings.compression, settings.columns)

    def take(self, chunk: Chunk) -> Outcome:
        """Work on a chunk; finished parts come with the outcome."""
        outcome = Outcome()
        # Decoding makes no cycles, and looking for them costs a third of the time.
        collecting = gc.isenabled()
        gc.disable()
        try:
            events = self._events(chunk, outcome)
            if events:
                outcome.doubled = self._builder.add(events)
                outcome.events = len(events) - outcome.doubled
                outcome.redacted = sum(event.redacted for event in events)
        finally:
            if collecting:
                gc.enable()
        outcome.parts = self._builder.full()
        if outcome.parts:
            # Otherwise the heap, in pieces by then, grows from part to part.
            pyarrow.default_memory_pool().release_unused()
        return outcome

    def finish(self) -> Outcome:
        """Finish the open parts."""
        return Outcome(parts=self._builder.finish())

    def _events(self, chunk: Chunk, outcome: Outcome) -> list[Normalized]:
        events: list[Normalized] = []
        keep, normalize = events.append, self._normalizer.normalize
        quick = self._settings.format in ("auto", "apiserver")
        for number, line in enumerate(_lines(chunk.data), chunk.first):
            if quick:
                try:
                    event = decode_line(line)
                    if _is_plain(event):
                        keep(normalize(event, None, _BARE))
                        continue
                except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                    pass  # not the plain form: the envelope readers say what it is
            if line:
                self._decode(Chunk(chunk.source, number, bytes(line)), outcome, events)
        return events

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
            return self._normalizer.normalize(plain, rest, event.context)
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
