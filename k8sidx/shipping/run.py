"""One run of the shipping pipeline: chunks to workers to the sink; every record has an outcome."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

from k8sidx.backends.sink import Sink, SinkResults
from k8sidx.backends.store import Store
from k8sidx.errors import NotDelivered, StoreError, UsageError, Where
from k8sidx.events.records import Chunk, Rejected, Skipped
from k8sidx.shipping.checkpoint import Checkpoint, Checkpoints, NoCheckpoint
from k8sidx.shipping.dead_letter import DeadLetter
from k8sidx.shipping.in_flight import ChunksInFlight
from k8sidx.shipping.input_stream import (
    InputStream,
    Pause,
    Piece,
    followed,
    resumed,
    whole,
    with_remote,
)
from k8sidx.shipping.pool import WorkerPool, worker_count
from k8sidx.shipping.report import SHOWN_REJECTS, ShipOptions, ShipProgress, ShipReport
from k8sidx.shipping.signals import Stop
from k8sidx.shipping.sources.files.inputs import Source
from k8sidx.shipping.sources.follow.registry import Registry
from k8sidx.shipping.sources.remote.reader import RemoteReader
from k8sidx.shipping.sources.remote.receipts import ReceiptCheckpoint
from k8sidx.shipping.sources.remote.source import RemoteSource
from k8sidx.shipping.spool.replay import replayed
from k8sidx.shipping.spool.spool import Spool, SpoolReport
from k8sidx.shipping.state import State
from k8sidx.shipping.undelivered import Undelivered
from k8sidx.shipping.understood import Example, Understanding
from k8sidx.shipping.worker import Outcome, Worker, WorkerSettings

INLINE_CHUNKS = 6
"""Inputs of up to this many chunks are done before further processes would have started."""


class Run:
    """One run of ship."""

    def __init__(
        self,
        sources: Sequence[Source],
        store: Store,
        options: ShipOptions,
        on_progress: Callable[[ShipProgress], None] | None,
        state: State | None,
        understanding: Understanding,
        spool: Spool | None,
        remote: Sequence[RemoteSource] = (),
    ) -> None:
        self.sources = sources
        self.remote = remote
        self.options = options
        self.report = ShipReport(
            relabel=options.stored_cluster if options.relabel else "",
            dropped=0 if options.drop else None,
        )
        moment = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
        default = store.dead_letter_folder / f"{moment}.jsonl"
        self.dead_letter = DeadLetter(options.dead_letter or default)
        sizes = [source.size for source in sources]
        known = [size for size in sizes if size is not None]
        self._on_progress = on_progress
        self._state = state
        self._understanding = understanding
        self._spool = spool
        self.register = Registry() if state is None else state.register
        total = sum(known) if len(known) == len(sizes) and not remote else None
        self.progress = ShipProgress(0, 0, total, self.report, self.register)
        self._started: set[str] = set()

    @property
    def has_inputs(self) -> bool:
        """Whether anything is read besides a spool."""
        return bool(self.sources or self.remote)

    def refuse_loop(self) -> None:
        """Raise for a dead-letter file that is also an input: shipping it would never end."""
        path = self.dead_letter.path
        for source in self.sources:
            if path.exists() and Path(source.name).exists() and path.samefile(source.name):
                raise UsageError(
                    f"{source.name} is both input and dead-letter file.",
                    remedy="Give --dead-letter another name.",
                )

    def stream(
        self, store: Store, on_wait: Callable[[str], None], stop: Stop | None
    ) -> InputStream:
        """Return what to read."""
        stream = self._files(store, on_wait, stop)
        if not self.remote:
            return stream
        group = hashlib.sha256("\n".join(store.state_key).encode("utf-8", "replace")).hexdigest()
        follow = self.options.follow
        remote = RemoteReader(
            self.remote,
            self.register,
            self.options.record_limit,
            f"k8sidx-{group[:16]}",
            on_wait,
            follow=follow,
        )
        return with_remote(stream, remote, _stopped(stop) if follow else None)

    def _files(
        self, store: Store, on_wait: Callable[[str], None], stop: Stop | None
    ) -> InputStream:
        limit = self.options.record_limit
        if self.options.follow and not self.sources:
            return InputStream(iter(()))
        if self.options.follow:
            excluded = [self.dead_letter.path]
            excluded += [store.folder] if store.folder else []
            excluded += [self._state.path, self._state.lock] if self._state else []
            excluded += [self._spool.folder] if self._spool else []
            return followed(
                [source.name for source in self.sources],
                self.register,
                limit,
                excluded,
                on_wait,
                _stopped(stop),
                until_delivered=self._state is not None,
            )
        if self._state is not None:
            return resumed(self.sources, self.register, limit, self._count_bytes, on_wait)
        return whole(self.sources, limit, self._count_bytes)

    def work(
        self,
        sink: Sink[Any],
        stop: Stop | None,
        stream: InputStream,
        on_wait: Callable[[str], None],
    ) -> None:
        """Read all chunks, and store the batches that the workers encode."""
        self._report_progress()
        checkpoint: Checkpoint = self._state or NoCheckpoint()
        if self._spool is not None:
            checkpoint = Checkpoints(self._spool, checkpoint)
        if stream.remote is not None:
            checkpoint = ReceiptCheckpoint(stream.remote.receipts, checkpoint)
        in_flight = ChunksInFlight(checkpoint, self._data_keeper(sink))
        pieces: Iterator[Piece] = stream.pieces
        if stop is not None:
            stop.on_signal(sink.shorten_deadline)
            # A follower ends by itself, and loses nothing that was read; so does a spool.
            if self.has_inputs and not self.options.follow:
                pieces = stop.until_signal(pieces)
        if self._spool is not None and self.has_inputs:
            pieces = chain(self._replay(self._spool, stop, on_wait), pieces)
        try:
            self._deliver(sink, in_flight, pieces)
        except BaseException as error:
            if self._spool is not None:
                self._fill_spool(self._spool, stream, in_flight, store_failed=True)
            elif not isinstance(error, NotDelivered):
                raise
            if not isinstance(error, StoreError):
                raise
            self.report.failure = error
        else:
            if self._spool is not None:
                self._fill_spool(self._spool, stream, in_flight, store_failed=False)

    def _deliver(self, sink: Sink[Any], in_flight: ChunksInFlight, pieces: Iterable[Piece]) -> None:
        try:
            for outcome in self._outcomes(sink, in_flight, pieces):
                self._account(outcome, in_flight)
                if outcome.chunk is not None:
                    self.dead_letter.flush()  # before the checkpoint passes its records
                    in_flight.encoded(outcome.chunk, outcome.added.batches)
                if outcome.batches:
                    sink.put(outcome.batches)
                self._apply_results(sink.take_results(), in_flight)
                self._report_progress()
            sink.finish()
        finally:
            self._apply_results(sink.take_results(), in_flight)
        self._report_progress()

    def _data_keeper(self, sink: Sink[Any]) -> Callable[[Chunk], bool]:
        """Return whether the records of a chunk may be needed until it is delivered."""
        has_spool = self._spool is not None
        return lambda chunk: (
            sink.can_reject or (has_spool and chunk.position is None and not chunk.segment)
        )

    def _replay(
        self, spool: Spool, stop: Stop | None, on_wait: Callable[[str], None]
    ) -> Iterator[Piece]:
        """Read what earlier runs left in the spool."""
        if spool.segments:
            on_wait(f"delivering what is in the spool {spool.folder} ({spool.used:,} bytes) first")
            pieces: Iterator[Piece] = replayed(spool, self.options.record_limit, on_wait)
            yield from pieces if stop is None else stop.until_signal(pieces)
            yield Pause.PAUSE

    def _fill_spool(
        self,
        spool: Spool,
        stream: InputStream,
        in_flight: ChunksInFlight,
        *,
        store_failed: bool,
    ) -> None:
        left = Undelivered(spool, self.register, self.options.cluster, self._other)
        left.write(stream.files, in_flight, store_failed=store_failed)
        self.report.spool = SpoolReport(spool.folder, spool.segments, spool.used, left.lost)

    def _other(self, piece: Rejected | Skipped) -> None:
        if isinstance(piece, Skipped):
            self._skip(piece)
        else:
            self._understanding.understood(piece.where.source)
            self._reject(piece)

    def _outcomes(
        self, sink: Sink[Any], in_flight: ChunksInFlight, pieces: Iterable[Piece]
    ) -> Iterator[Outcome]:
        options = self.options
        settings = WorkerSettings(
            sink.spec,
            options.stored_cluster,
            options.format,
            options.keep_secrets,
            options.strict,
            options.drop,
            options.address_databases,
        )
        inline = Worker(settings)
        count = options.processes or worker_count()
        pool: WorkerPool | None = None
        in_a_row = 0
        try:
            for piece in pieces:
                if isinstance(piece, Chunk):
                    number = in_flight.begin(piece)
                    self._note_resumed(piece)
                    enough = count > 1 and in_a_row >= INLINE_CHUNKS
                    if enough and pool is None and sink.is_idle:
                        pool = WorkerPool(settings, count - 1)
                    in_a_row += 1
                    if pool is not None and pool.has_room:
                        pool.submit(number, piece)
                    else:
                        yield inline.take(number, piece)
                elif piece is Pause.PAUSE:
                    in_a_row = 0
                    yield inline.finish()
                    if pool is not None:
                        pool.flush()
                else:
                    self._other(piece)
                if pool is not None:
                    yield from pool.ready()
            yield inline.finish()
            if pool is not None:
                yield from pool.finish()
        finally:
            if pool is not None:
                pool.stop()

    def _account(self, outcome: Outcome, in_flight: ChunksInFlight) -> None:
        self.progress.events += outcome.events
        self.report.duplicates += outcome.added.duplicates
        self.report.redacted += outcome.redacted
        if outcome.dropped:
            self.report.dropped = (self.report.dropped or 0) + outcome.dropped
        if outcome.chunk is not None:
            source = in_flight.source(outcome.chunk)
            self._count_skipped(source, outcome.skipped, outcome.examples)
            if outcome.events or outcome.rejected or outcome.dropped:
                self._understanding.understood(source)
        for rejected in outcome.rejected:
            self._reject(rejected)
        for (chunk, record, reason), raw in outcome.refused:
            self._reject(Rejected(reason, Where(in_flight.source(chunk), record), raw))

    def _note_resumed(self, chunk: Chunk) -> None:
        """Take a source that is not read from its start for understood, as it was before."""
        if chunk.first > 1 and chunk.source not in self._started and not chunk.receipt:
            self._understanding.understood(chunk.source)
        self._started.add(chunk.source)

    def _skip(self, skipped: Skipped) -> None:
        """Account for a source, or a part of one, that cannot be read as records."""
        kind, where = skipped
        if self.options.strict:
            self._understanding.understood(where.source)
            self._reject(Rejected(f"not an audit event: {kind}", where, b""))
        else:
            self._count_skipped(where.source, {kind: 1}, {kind: Example(where)})

    def _count_skipped(
        self, source: str, kinds: Mapping[str, int], examples: Mapping[str, Example]
    ) -> None:
        self.report.skipped.update(kinds)
        self._understanding.skipped(source, kinds, examples)
        for kind, example in examples.items():
            self.report.examples.setdefault(kind, example)

    def _apply_results(self, results: SinkResults, in_flight: ChunksInFlight) -> None:
        self.report += results.tally
        if self._state is not None:
            self._state.indexed(results.tally.indexed)
        for chunk, record, reason in results.rejections:
            where = Where(in_flight.source(chunk), record)
            self._reject(Rejected(reason, where, in_flight.record(chunk, record)))
        self.dead_letter.flush()
        in_flight.stored(results.chunks)
        if self._state is not None:
            self._state.keep()

    def _reject(self, rejected: Rejected) -> None:
        self.dead_letter.add(rejected)
        self.report.rejected += 1
        self.report.dead_letter = self.dead_letter.path
        if len(self.report.rejects) < SHOWN_REJECTS:
            self.report.rejects.append(rejected._replace(raw=b""))

    def _count_bytes(self, count: int) -> None:
        self.progress.bytes_done += count

    def _report_progress(self) -> None:
        if self._on_progress:
            self._on_progress(self.progress)


def _stopped(stop: Stop | None) -> Callable[[], bool]:
    return lambda: stop is not None and stop.signal is not None
