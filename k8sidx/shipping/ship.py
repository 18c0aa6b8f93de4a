"""Shipping: sources → decode → normalize → store, with every record accounted for."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from k8sidx.decode.envelopes import Unwrapper
from k8sidx.decode.record import Rejected, Skipped
from k8sidx.errors import UsageError
from k8sidx.shipping.dead_letter import DeadLetter
from k8sidx.shipping.pool import WorkerPool, worker_count
from k8sidx.shipping.worker import Outcome, Worker, WorkerSettings
from k8sidx.sources.chunks import Chunk, read_chunks
from k8sidx.sources.expand import Source, expand
from k8sidx.store.commit import Committed
from k8sidx.store.merge import merge_small_parts
from k8sidx.store.open import EmbeddedStore
from k8sidx.store.parts import StagedPart

CHUNK_BYTES = 1024 * 1024
INLINE_CHUNKS = 6
"""Inputs of so many chunks are done before further processes would have started."""
SHOWN_REJECTS = 20


@dataclass(frozen=True, slots=True)
class ShipOptions:
    """How to ship.

    :param cluster: name of the cluster, for events that do not say it.
    :param format: envelope to expect; ``auto`` recognises it.
    :param keep_secrets: store secrets as they are.
    :param dead_letter: file for what cannot be stored; in the store's folder by default.
    :param record_limit: longest record in bytes.
    :param processes: processes that work, this one included; 0 means one a core.
    """

    cluster: str = ""
    format: str = "auto"
    keep_secrets: bool = False
    dead_letter: Path | None = None
    record_limit: int = 32 * 1024 * 1024
    processes: int = 0


@dataclass(slots=True)
class Progress:
    """How far shipping is; ``bytes_total`` is unknown for standard input."""

    events: int = 0
    bytes_done: int = 0
    bytes_total: int | None = None


@dataclass(slots=True)
class ShipReport:
    """What became of the input: ``read = indexed + duplicates + rejected``.

    :param skipped: records that are no audit events, by kind; not counted as read.
    :param rejects: the first rejected records, without their raw text.
    :param dead_letter: the file that has all rejected records; ``None`` when there are none.
    """

    read: int = 0
    indexed: int = 0
    duplicates: int = 0
    rejected: int = 0
    redacted: int = 0
    seconds: float = 0.0
    skipped: Counter[str] = field(default_factory=Counter)
    rejects: list[Rejected] = field(default_factory=list)
    dead_letter: Path | None = None


def ship(
    inputs: Sequence[str],
    store: EmbeddedStore,
    options: ShipOptions | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    on_wait: Callable[[str], None] | None = None,
) -> ShipReport:
    """Store the audit events of the inputs, each once.

    :param inputs: files, globs, folders, ``-``.
    :param on_wait: told when another process is writing to the store.
    :raises UsageError: when an input cannot be found or read.
    :raises StoreError: when the store cannot be written.
    """
    options = options or ShipOptions()
    Unwrapper(options.format)  # refuses an unknown format before a store is made for it
    sources = expand(inputs)
    run = _Run(sources, store, options, on_progress)
    run.refuse_loop()
    started = time.monotonic()
    writer = store.writer(on_wait)
    try:
        run.work(WorkerSettings(
            writer.staging, store.compression, store.columns, options.cluster, options.format,
            options.keep_secrets,
        ), writer.commit)  # fmt: skip
        if not store.thrown_away:
            merge_small_parts(writer)
    finally:
        run.dead_letter.close()
        writer.close()
    run.report.seconds = time.monotonic() - started
    return run.report


class _Run:
    """The state of one run of ship."""

    def __init__(
        self,
        sources: Sequence[Source],
        store: EmbeddedStore,
        options: ShipOptions,
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self.sources = sources
        self.options = options
        self.report = ShipReport()
        moment = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
        default = store.path / "dead-letter" / f"{moment}.jsonl"
        self.dead_letter = DeadLetter(options.dead_letter or default)
        sizes = [source.size for source in sources]
        known = [size for size in sizes if size is not None]
        self.progress = Progress(bytes_total=sum(known) if len(known) == len(sizes) else None)
        self._on_progress = on_progress

    def refuse_loop(self) -> None:
        """Shipping a dead-letter file into itself would never end."""
        path = self.dead_letter.path
        for source in self.sources:
            if path.exists() and Path(source.name).exists() and path.samefile(source.name):
                raise UsageError(
                    f"{source.name} is both input and dead-letter file.",
                    remedy="Give --dead-letter another name.",
                )

    def work(
        self, settings: WorkerSettings, commit: Callable[[Sequence[StagedPart]], Committed]
    ) -> None:
        """Read all sources and commit what the workers make of them."""
        for outcome in self._outcomes(settings):
            self._account(outcome)
            if outcome.parts:
                committed = commit(outcome.parts)
                self.report.indexed += committed.indexed
                self.report.duplicates += committed.duplicates
            self._tell()
        report = self.report
        report.read = report.indexed + report.duplicates + report.rejected

    def _outcomes(self, settings: WorkerSettings) -> Iterator[Outcome]:
        inline = Worker(settings)
        count = self.options.processes or worker_count()
        pool: WorkerPool | None = None
        try:
            for place, chunk in enumerate(self._chunks()):
                if count > 1 and place == INLINE_CHUNKS:
                    pool = WorkerPool(settings, count - 1)
                if pool is not None and pool.has_room:
                    pool.submit(chunk)
                else:
                    yield inline.take(chunk)
                if pool is not None:
                    yield from pool.ready()
            yield inline.finish()
            if pool is not None:
                yield from pool.finish()
        finally:
            if pool is not None:
                pool.stop()

    def _chunks(self) -> Iterator[Chunk]:
        for source in self.sources:
            for piece in read_chunks(
                source, CHUNK_BYTES, self.options.record_limit, self._count_bytes
            ):
                if isinstance(piece, Chunk):
                    yield piece
                elif isinstance(piece, Skipped):
                    self.report.skipped[piece.kind] += 1
                else:
                    self._reject(piece)

    def _account(self, outcome: Outcome) -> None:
        self.progress.events += outcome.events + outcome.doubled
        self.report.duplicates += outcome.doubled
        self.report.redacted += outcome.redacted
        self.report.skipped.update(outcome.skipped)
        for rejected in outcome.rejected:
            self._reject(rejected)

    def _reject(self, rejected: Rejected) -> None:
        self.dead_letter.add(rejected)
        self.report.rejected += 1
        self.report.dead_letter = self.dead_letter.path
        if len(self.report.rejects) < SHOWN_REJECTS:
            self.report.rejects.append(rejected._replace(raw=b""))

    def _count_bytes(self, count: int) -> None:
        self.progress.bytes_done += count

    def _tell(self) -> None:
        if self._on_progress:
            self._on_progress(self.progress)
