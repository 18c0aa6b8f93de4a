"""One worker: chunks of records in, batches for the store out. The hot path of shipping.

No record stops it: one that cannot be decoded, normalized or encoded, for whatever reason, is
rejected with that reason, and its neighbours are stored.
"""

from __future__ import annotations

import gc
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from k8sidx.backends.sink import NOTHING_ADDED, Added, Refused, Rejection, SinkSpec
from k8sidx.errors import K8sidxError, Where
from k8sidx.events.audit_policy import AuditPolicy
from k8sidx.events.core import Rows, choice
from k8sidx.events.decode.decode import decode, rejected, repaired
from k8sidx.events.decode.event_model import UNDECODABLE, to_json
from k8sidx.events.failure import NOT_OF_A_RECORD, failure_reason
from k8sidx.events.normalize.event import Normalized, Normalizer
from k8sidx.events.normalize.places import opened
from k8sidx.events.normalize.reconstruct import whole_event
from k8sidx.events.records import Chunk, Event, Rejected, Skipped
from k8sidx.shipping.drop import EventFilter
from k8sidx.shipping.native import NativeChunks, is_wrapped_text
from k8sidx.shipping.understood import Example, example_of

_NORMALIZERS = 16
"""Clusters whose repeated parts are remembered at the same time."""


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """Settings of a worker, which may run in a process of its own."""

    spec: SinkSpec[Any]
    cluster: str = ""
    format: str = "auto"
    keep_secrets: bool = False
    strict: bool = False
    drop: AuditPolicy | None = None
    address_databases: tuple[Path, ...] = ()


@dataclass(slots=True)
class Outcome:
    """Outcome of a chunk.

    :ivar chunk: its number; ``None`` when batches were finished without one.
    :ivar events: events that are in a batch, returned or not yet.
    :ivar added: how many batches contain them, and how many were in these already.
    :ivar dropped: events that the policy left out.
    :ivar refused: events of this chunk or earlier ones that cannot be encoded, with the text to
        keep of them.
    :ivar examples: a skipped record of each kind, unless one of the same source came before.
    :ivar batches: batches that are finished and can be stored.
    """

    chunk: int | None = None
    events: int = 0
    added: Added = NOTHING_ADDED
    redacted: int = 0
    dropped: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    refused: list[tuple[Rejection, bytes]] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    examples: dict[str, Example] = field(default_factory=dict)
    batches: list[Any] = field(default_factory=list)


class Worker:
    """Decodes, normalizes and packs the chunks it is given."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        self._places = opened(settings.address_databases)
        self._normalizers: dict[str, Normalizer] = {}
        self._normalizer = self._normalizer_of(settings.cluster)
        self._encoder = settings.spec.open()
        self._lines: tuple[Chunk, list[bytes]] | None = None
        self._drop = None if settings.drop is None else EventFilter(settings.drop)
        # Secrets that are kept are those of the reference, whatever they are; and what a policy
        # leaves out is decided event by event.
        is_native = settings.spec.takes_rows and not settings.keep_secrets and not settings.drop
        self._native = (
            NativeChunks(settings.format, bodies=settings.spec.bodies, places=self._places)
            if is_native and choice().name == "native"
            else None
        )
        self._example_source = ""
        self._example_kinds: set[str] = set()

    def take(self, number: int, chunk: Chunk) -> Outcome:
        """Work on a chunk; finished batches are part of the outcome.

        :param number: the chunk's number in this run.
        """
        outcome = Outcome(number)
        self._normalizer = self._normalizer_of(chunk.cluster or self._settings.cluster)
        # Decoding makes no cycles, and looking for them costs a third of the time.
        collecting = gc.isenabled()
        gc.disable()
        try:
            if self._native is None or not self._take_natively(
                self._native, number, chunk, outcome
            ):
                self._add(number, *self._events(chunk, outcome), outcome)
        finally:
            if collecting:
                gc.enable()
        outcome.batches = self._encoder.full()
        outcome.refused = self._refused(number, chunk)
        outcome.events -= len(outcome.refused)
        self._lines = None
        return outcome

    def _normalizer_of(self, cluster: str) -> Normalizer:
        """Return the normalizer for a cluster; few are kept, for names may come from clients."""
        normalizer = self._normalizers.get(cluster)
        if normalizer is None:
            if len(self._normalizers) >= _NORMALIZERS:
                self._normalizers.pop(next(iter(self._normalizers)))
            normalizer = self._normalizers[cluster] = Normalizer(
                cluster=cluster,
                keep_secrets=self._settings.keep_secrets,
                bodies=self._settings.spec.bodies,
                places=self._places,
            )
        return normalizer

    def _take_natively(
        self, native: NativeChunks, number: int, chunk: Chunk, outcome: Outcome
    ) -> bool:
        """Work on a chunk with the native core.

        :returns: false when something went wrong with it: nothing has been added then.
        """
        try:
            cluster = self._normalizer.cluster
            rows, others, wrapped = native.read(chunk, cluster)
            events: list[Normalized] = []
            numbers: list[int] = []
            for piece in others:
                more, records = self._decoded(piece, outcome, wrapped)
                events += more
                numbers += records
            more_rows, left = native.read_wrapped(wrapped, cluster)
            for event in left:
                self._keep(event, self._normalize(event), events, numbers, outcome)
            self._add(number, events, numbers, outcome, [*rows, *more_rows])
        except NOT_OF_A_RECORD:
            raise
        except Exception:  # noqa: BLE001 - the reference shows which record it is, if it is one
            outcome.rejected.clear()
            outcome.skipped.clear()
            return False
        return True

    def _add(
        self,
        number: int,
        events: list[Normalized],
        records: list[int],
        outcome: Outcome,
        rows: Sequence[Rows] = (),
    ) -> None:
        if events or rows:
            outcome.added = self._encoder.add(number, events, records, rows)
            outcome.events = len(events) + sum(some.count for some in rows)
            outcome.redacted = sum(event.redacted for event in events)
            outcome.redacted += sum(some.redacted for some in rows)

    def finish(self) -> Outcome:
        """Finish the open batches; more chunks may follow."""
        batches = self._encoder.finish()
        return Outcome(batches=batches, refused=self._refused())

    def _refused(
        self, number: int | None = None, chunk: Chunk | None = None
    ) -> list[tuple[Rejection, bytes]]:
        """Return the events that could not be encoded.

        :param chunk: the only chunk whose records are at hand as they were read.
        """
        refused = []
        for refusal in self._encoder.take_refused():
            as_read = chunk is not None and refusal.chunk == number
            raw = self._line(chunk, refusal.record) if chunk and as_read else _written(refusal)
            refused.append((Rejection(refusal.chunk, refusal.record, refusal.reason), raw))
        return refused

    def _events(self, chunk: Chunk, outcome: Outcome) -> tuple[list[Normalized], list[int]]:
        """Return the chunk's events, and the number of the record that each comes from."""
        try:
            return self._decoded(chunk, outcome)
        except (MemoryError, K8sidxError):
            raise
        except Exception:  # noqa: BLE001 - of some record: each by itself shows of which
            return self._record_by_record(chunk, outcome)

    def _record_by_record(
        self, chunk: Chunk, outcome: Outcome
    ) -> tuple[list[Normalized], list[int]]:
        """Return the events of the records that can be decoded; the others are rejected."""
        outcome.rejected.clear()
        outcome.skipped.clear()
        outcome.dropped = 0
        events: list[Normalized] = []
        numbers: list[int] = []
        for number, line in enumerate(chunk.data.split(b"\n"), chunk.first):
            outcome_of_line = Outcome()
            try:
                decoded, records = self._decoded(
                    chunk._replace(first=number, data=line), outcome_of_line
                )
            except (MemoryError, K8sidxError):
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, the others are stored
                where = Where(chunk.source, number)
                outcome.rejected.append(Rejected(failure_reason(error), where, line))
            else:
                events += decoded
                numbers += records
                outcome.rejected += outcome_of_line.rejected
                outcome.skipped += outcome_of_line.skipped
                outcome.dropped += outcome_of_line.dropped
                outcome.examples |= outcome_of_line.examples
        return events, numbers

    def _decoded(
        self, chunk: Chunk, outcome: Outcome, wrapped: list[Event] | None = None
    ) -> tuple[list[Normalized], list[int]]:
        """Return the chunk's events, and the number of the record that each comes from.

        :param wrapped: gets the events that the native core may be able to read.
        """
        events: list[Normalized] = []
        numbers: list[int] = []
        for record in decode(chunk, self._settings.format):
            if isinstance(record, Skipped):
                self._skip(record, chunk, outcome)
            elif wrapped is not None and isinstance(record, Event) and is_wrapped_text(record):
                wrapped.append(record)
            else:
                result = record if isinstance(record, Rejected) else self._normalize(record)
                self._keep(record, result, events, numbers, outcome)
        return events, numbers

    @staticmethod
    def _keep(
        record: Event | Rejected,
        result: Normalized | Rejected | None,
        events: list[Normalized],
        numbers: list[int],
        outcome: Outcome,
    ) -> None:
        if result is None:
            outcome.dropped += 1
        elif isinstance(result, Rejected):
            outcome.rejected.append(result)
        else:
            events.append(result)
            numbers.append(record.where.record)

    def _skip(self, record: Skipped, chunk: Chunk, outcome: Outcome) -> None:
        kind, where = record
        if self._settings.strict:
            # Of a record with many parts that are skipped, one reject has them all.
            if not (outcome.rejected and outcome.rejected[-1].where == where):
                line = self._line(chunk, where.record)
                outcome.rejected.append(Rejected(f"not an audit event: {kind}", where, line))
            return
        outcome.skipped[kind] += 1
        if chunk.source != self._example_source:
            self._example_source = chunk.source
            self._example_kinds.clear()
        if kind not in self._example_kinds:
            self._example_kinds.add(kind)
            outcome.examples[kind] = example_of(where, self._line(chunk, where.record))

    def _line(self, chunk: Chunk, record: int) -> bytes:
        """Return a record of a chunk as it was read; a chunk is split once for all its records."""
        if self._lines is None or self._lines[0] is not chunk:
            self._lines = chunk, chunk.data.split(b"\n")
        return self._lines[1][record - chunk.first]

    def _normalize(self, event: Event) -> Normalized | Rejected | None:
        """Return the event to store, or its reject; ``None`` when the policy leaves it out."""
        try:
            normalized = self._normalizer.normalize(
                event.audit, event.rest, event.context, event.size
            )
            return None if self._drop and self._drop.leaves_out(event.audit) else normalized
        except UNDECODABLE as error:
            if not event.text:
                return rejected(event, error)
        except (MemoryError, K8sidxError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the others are stored
            return rejected(event, error)
        result = repaired(event)
        return result if isinstance(result, Rejected) else self._normalize(result)


def _written(refused: Refused) -> bytes:
    """Return the JSON of a normalized event, whose record is gone by now; secrets are redacted."""
    row = refused.event.row
    try:
        return to_json(whole_event(row))
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - it may be this that made the event impossible to encode
        return json.dumps(row, default=repr).encode("utf-8", "replace")
