"""Temporary stores with a few events, for hunts that read nothing else."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from k8sidx.backends.open import temporary_store
from k8sidx.backends.protocol import Engine, StoreEngine
from k8sidx.errors import UsageError
from k8sidx.insights.execute.event_reader import EventReader
from k8sidx.insights.plan.logical import RawMessage
from k8sidx.investigate.requests import read_rows
from k8sidx.investigate.scope import CLUSTER, Period
from k8sidx.query.algebra import Condition
from k8sidx.shipping.pipeline import ShipOptions, ship

Events = Mapping[str, Sequence[str]]
"""Whole events as JSON, by cluster."""


def events_of(
    engine: Engine, where: Condition, period: Period, *, limit: int
) -> tuple[Events, int]:
    """Return the latest events that a condition selects, and their number.

    :raises StoreError: when the store cannot be read.
    """
    reader = EventReader([RawMessage()])
    rows = read_rows(engine, where, period, (*reader.columns, CLUSTER), limit=limit)
    lines: dict[str, list[str]] = defaultdict(list)
    raws = [tuple(row[name] for name in reader.columns) for row in rows]
    for row, (message,) in zip(rows, reader.rows(raws), strict=True):
        lines[str(row[CLUSTER] or "")].append(str(message))
    return lines, len(rows)


@contextmanager
def copy_of(events: Events, columns: frozenset[str] | None) -> Iterator[StoreEngine]:
    """Store events, which were redacted before, in a temporary store for the block.

    :param columns: names of the fields that queries will read; ``None`` for all.
    """
    with (
        tempfile.TemporaryDirectory(prefix="k8sidx-") as folder,
        temporary_store(columns) as store,
    ):
        for number, (cluster, lines) in enumerate(events.items()):
            path = Path(folder) / f"{number}.jsonl"
            path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
            ship([str(path)], store, ShipOptions(cluster=cluster, keep_secrets=True, processes=1))
        with store.engine() as engine:
            yield engine


@contextmanager
def copy_of_file(path: str, columns: frozenset[str] | None) -> Iterator[StoreEngine]:
    """Store the events of a file in a temporary store for the block.

    :raises UsageError: when the file cannot be read, has no audit event, or one that is rejected.
    """
    with temporary_store(columns) as store:
        report = ship([path], store, ShipOptions(processes=1))
        if report.rejected:
            raise UsageError(
                f"{report.rejected:,} of {report.read:,} records of {path} are not valid audit "
                f"events: {report.rejects[0].reason}",
            )
        if not report.read:
            raise UsageError(f"{path} contains no audit event.")
        with store.engine() as engine:
            yield engine
