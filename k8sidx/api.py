"""Public Python API: ship events, run hunts, run queries (docs/python.md).

The names of ``__all__`` follow semantic versioning. Every other module is internal and may
change in any release.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from k8sidx.backends import open as backends
from k8sidx.backends.connection import ClusterOptions, ConnectionSettings
from k8sidx.backends.result import Result
from k8sidx.backends.store import Store
from k8sidx.errors import K8sidxError, StoreError, UsageError
from k8sidx.hunt import run as hunt_run
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.library import load as library
from k8sidx.hunt.result import Finding, HuntResult, Unjudged
from k8sidx.insights.execute.run import run_program
from k8sidx.insights.language.parser import parse
from k8sidx.shipping import pipeline
from k8sidx.shipping.pipeline import ShipOptions, ShipReport

__all__ = [
    "ConnectionSettings",
    "Finding",
    "Hunt",
    "HuntResult",
    "K8sidxError",
    "Result",
    "ShipOptions",
    "ShipReport",
    "Store",
    "StoreError",
    "Unjudged",
    "UsageError",
    "load_hunts",
    "open_store",
    "query",
    "run_hunts",
    "ship",
]


def open_store(
    location: str,
    *,
    create: bool = False,
    index: str = "",
    connection: ConnectionSettings | None = None,
) -> Store:
    """Return the store at a location.

    :param location: path of a folder, or the ``http(s)://`` address of a cluster.
    :param create: a missing folder is not an error; the first :func:`ship` makes it.
    :param index: for a cluster: prefix of the indices, or an existing index or pattern.
    :param connection: for a cluster: credentials and time limits.
    :raises UsageError: if the location or the index is not valid.
    :raises StoreError: if there is no store. A cluster is not contacted yet.
    """
    options = ClusterOptions(index, connection or ConnectionSettings())
    return backends.open_store(location, create=create, cluster=lambda: options)


def ship(inputs: Sequence[str], store: Store, options: ShipOptions | None = None) -> ShipReport:
    """Store the audit events of files, each once.

    :param inputs: files, globs and folders; ``-`` for standard input.
    :returns: the outcome of every record: ``read == indexed + duplicates + rejected``.
    :raises UsageError: if an input cannot be found or read.
    :raises StoreError: if the store cannot be written, or a cluster accepted only part of the
        events. Ship the same inputs again then: no event is stored twice.
    """
    report = pipeline.ship(inputs, store, options)
    if report.failure:
        raise report.failure
    return report


def load_hunts(selectors: Sequence[str] = ()) -> list[Hunt]:
    """Load hunts: ids of the library, Sigma rule files, or folders of them.

    :param selectors: without any, the whole library except its activity streams.
    :raises UsageError: if the library has no hunt of an id.
    :raises InvalidHunt: if a rule cannot be read; it is a :class:`UsageError`.
    """
    if selectors:
        return library.load_hunts(selectors)
    return [hunt for hunt in library.load_library() if not hunt.stream]


def run_hunts(
    hunts: Iterable[Hunt],
    store: Store,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    baseline: timedelta | None = None,
) -> list[HuntResult]:
    """Run hunts over a store.

    :param since: only events from this time on (timezone-aware).
    :param until: only events before this time (timezone-aware).
    :param baseline: length of the comparison period before ``since``.
    :returns: one result per hunt, in their order. A hunt that cannot run on this store has no
        rows, and the reason in ``cannot_judge``.
    :raises StoreError: if the store cannot be read.
    """
    window = hunt_run.Window(since, until, baseline)
    with store.engine() as engine:
        return hunt_run.run_hunts(
            hunts, engine, window, on_error=_keep_reason, summaries=engine.summaries()
        )


def query(
    text: str,
    store: Store,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    on_warning: Callable[[str], None] | None = None,
) -> Result:
    """Run a query in CloudWatch Logs Insights syntax (docs/query.md).

    :param since: only events from this time on (timezone-aware).
    :param until: only events before this time (timezone-aware).
    :param on_warning: called with each warning, for example when many events are read one by one.
    :raises UsageError: if the text is not a valid query, or the store has no way to run it.
    :raises StoreError: if the store cannot be read.
    """
    program = parse(text)
    with store.engine() as engine:
        return run_program(program, engine, since, until, on_warning=on_warning or _ignore)


def _keep_reason(hunt: Hunt, error: UsageError) -> None:
    """Leave the error to the hunt's result, whose ``cannot_judge`` has it."""


def _ignore(warning: str) -> None:
    """Drop a warning that the caller does not want."""
