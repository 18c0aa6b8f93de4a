"""Shipping pipeline: sources, decode, normalize, store; every record has an outcome."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain

from k8sidx.backends.documents import DocumentShard
from k8sidx.backends.store import Store
from k8sidx.errors import UsageError
from k8sidx.events.decode.unwrap import Unwrapper
from k8sidx.events.normalize.parts import cluster_name
from k8sidx.shipping.input_stream import InputStream, Piece
from k8sidx.shipping.report import ShipOptions, ShipProgress, ShipReport
from k8sidx.shipping.run import Run
from k8sidx.shipping.signals import Stop
from k8sidx.shipping.sources.documents import document_chunks
from k8sidx.shipping.sources.files.inputs import Source, expand
from k8sidx.shipping.sources.remote.open import is_remote, open_sources
from k8sidx.shipping.spool.spool import Spool
from k8sidx.shipping.state import State
from k8sidx.shipping.understood import Understanding

__all__ = ["ShipOptions", "ShipProgress", "ShipReport", "deliver", "ship"]


def ship(
    inputs: Sequence[str],
    store: Store,
    options: ShipOptions | None = None,
    on_progress: Callable[[ShipProgress], None] | None = None,
    on_wait: Callable[[str], None] | None = None,
    *,
    stop: Stop | None = None,
    state: State | None = None,
    spool: Spool | None = None,
    documents: Mapping[str, Sequence[DocumentShard]] | None = None,
) -> ShipReport:
    """Store the audit events of the inputs, each once.

    :param inputs: files, globs, folders, ``-``, and addresses of inputs in clouds.
    :param on_wait: called with what is being waited for: another process that is writing to
        the store, or a cluster that does not respond.
    :param stop: ends reading; events that were read are still stored.
    :param state: positions to resume from, which are updated.
    :param documents: indices of other programs to ship as well, by the names to print.
    :param spool: delivered first; at the end it receives what nobody can read once more.
    :raises UsageError: when an input does not exist or cannot be read.
    :returns: also when a cluster did not accept everything, see ``ShipReport.failure``.
    :raises StoreError: when the store cannot be written.
    """
    options = options or ShipOptions()
    Unwrapper(options.format)  # raises for an unknown format before a store is created
    check_relabel(options, resumes=state is not None or spool is not None)
    remote = open_sources([given for given in inputs if is_remote(given)])
    given_inputs, inputs = inputs, [given for given in inputs if not is_remote(given)]
    if options.follow:
        sources = _as_given(inputs)
        understanding = Understanding({", ".join(dict.fromkeys(given_inputs)): ()})
    else:
        sources = expand(inputs)
        named = {given: [source.name for source in expand([given])] for given in inputs}
        for given, shards in (documents or {}).items():
            named[given] = [shard.name for shard in shards]
        named |= {source.address.text: [source.address.text] for source in remote}
        understanding = Understanding(named)
    run = Run(sources, store, options, on_progress, state, understanding, spool, remote)
    run.refuse_loop()
    on_wait = on_wait or (lambda text: None)
    stream = run.stream(store, on_wait, stop)
    if documents:
        shards = [shard for group in documents.values() for shard in group]
        stream.pieces = chain(document_chunks(shards, run.register), stream.pieces)
    _work(run, store, stream, stop, on_wait, state)
    if stream.remote is not None:
        run.report.failure = run.report.failure or stream.remote.failure
    run.report.not_understood = understanding.not_understood()
    return run.report


def deliver(
    spool: Spool,
    store: Store,
    options: ShipOptions,
    pieces: Iterator[Piece],
    stop: Stop,
    on_wait: Callable[[str], None],
    on_progress: Callable[[ShipProgress], None] | None = None,
) -> ShipReport:
    """Store what a spool contains.

    :param pieces: of the spool, until it need not be delivered any more.
    :param stop: shortens the time that an unavailable store is waited for.
    :returns: as :func:`ship`; what is not delivered stays in the spool.
    :raises StoreError: when the store cannot be opened.
    """
    run = Run([], store, options, on_progress, None, Understanding({}), spool)
    _work(run, store, InputStream(pieces), stop, on_wait, None)
    return run.report


def _work(
    run: Run,
    store: Store,
    stream: InputStream,
    stop: Stop | None,
    on_wait: Callable[[str], None],
    state: State | None,
) -> None:
    started = time.monotonic()
    if state is not None:
        state.check_store(store)  # before one is made where it is missing
    options = run.options
    sink = store.sink(
        options.give_up_after,
        on_wait,
        keep_secrets=options.keep_secrets,
        relabel=cluster_name(options.stored_cluster) if options.relabel else "",
    )
    try:
        if state is not None:
            state.use_store(store.identity())
        with stream:
            run.work(sink, stop, stream, on_wait)
    finally:
        run.dead_letter.close()
        sink.close()
    run.report.seconds = time.monotonic() - started


def check_relabel(options: ShipOptions, *, resumes: bool) -> None:
    """Raise for options with which stored events would keep their name without a word.

    :param resumes: inputs are not read from the start.
    :raises UsageError: when ``relabel`` has no effect with the other options.
    """
    if not options.relabel:
        return
    if not options.cluster:
        raise UsageError("--relabel needs the name of the cluster.", remedy="Add --cluster NAME.")
    if options.follow or resumes:
        raise UsageError(
            "--relabel reads its inputs from the start, without --follow, --state and --spool.",
            remedy="Ship the old inputs once with --relabel, then follow them as before.",
        )


def _as_given(inputs: Sequence[str]) -> list[Source]:
    """Return inputs that need not exist yet."""
    return [Source(name) for name in dict.fromkeys(inputs)]
