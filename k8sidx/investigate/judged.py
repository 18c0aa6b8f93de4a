"""Findings about the events of an investigation.

The hunts run over a copy of these events in a temporary store, so that they read nothing else:
the same hunts as ``k8sidx hunt``, for a fraction of the time. Hunts that compare with other
events (baselines, tops, silence) cannot be run so, and are counted.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from k8sidx.backends.open import temporary_store
from k8sidx.backends.protocol import Engine
from k8sidx.backends.store import Store
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.required_fields import required_fields
from k8sidx.hunt.result import Finding
from k8sidx.hunt.run import Window, run_hunts
from k8sidx.insights.execute.event_reader import EventReader
from k8sidx.insights.plan.logical import RawMessage
from k8sidx.investigate.requests import read_rows
from k8sidx.investigate.scope import CLUSTER, Period
from k8sidx.query.algebra import Condition
from k8sidx.shipping.pipeline import ShipOptions, ship

LIMIT = 20_000
"""Events that are judged at most: the latest ones."""
KINDS = frozenset({"match", "threshold", "sequence"})
"""Kinds of hunts that judge some events without all others."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Findings about some events.

    :param events: how many were judged.
    :param hunts: how many hunts ran; ``others`` the number of those that need other events.
    """

    findings: tuple[Finding, ...]
    events: int
    hunts: int
    others: int


def judged(
    engine: Engine, where: Condition, period: Period, hunts: Iterable[Hunt], *, limit: int = LIMIT
) -> Judged:
    """Return the findings of hunts about the events that a condition selects.

    :param hunts: those that compare with other events do not run.
    :raises StoreError: when the store cannot be read.
    """
    chosen = list(hunts)
    alone = [hunt for hunt in chosen if hunt.kind in KINDS]
    lines, count = _events(engine, where, period, limit)
    refused: list[str] = []
    with (
        tempfile.TemporaryDirectory(prefix="k8sidx-") as folder,
        temporary_store(required_fields(alone)) as store,
    ):
        for number, (cluster, events) in enumerate(lines.items()):
            _put(store, Path(folder) / f"{number}.jsonl", cluster, events)
        with store.engine() as copy:
            results = run_hunts(
                alone, copy, Window(), on_error=lambda hunt, error: refused.append(hunt.id)
            )
    findings = tuple(finding for result in results for finding in result.findings)
    ran = len(alone) - len(refused)
    return Judged(findings, count, ran, len(chosen) - ran)


def _events(
    engine: Engine, where: Condition, period: Period, limit: int
) -> tuple[dict[str, list[str]], int]:
    """Return the whole events as JSON, by cluster, and their number."""
    reader = EventReader([RawMessage()])
    rows = read_rows(engine, where, period, (*reader.columns, CLUSTER), limit=limit)
    lines: dict[str, list[str]] = defaultdict(list)
    raws = [tuple(row[name] for name in reader.columns) for row in rows]
    for row, (message,) in zip(rows, reader.rows(raws), strict=True):
        lines[str(row[CLUSTER] or "")].append(str(message))
    return lines, len(rows)


def _put(store: Store, path: Path, cluster: str, events: Sequence[str]) -> None:
    # They were redacted when they were stored.
    path.write_text("".join(f"{event}\n" for event in events), "utf-8")
    ship([str(path)], store, ShipOptions(cluster=cluster, keep_secrets=True, processes=1))
