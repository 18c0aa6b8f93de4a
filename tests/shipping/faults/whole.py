"""What must hold after every fault: each event is in the index once, or in the dead-letter
file with its reason, and the counts say so."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.shipping.pipeline import ShipReport
from tests.building import event, normalized
from tests.shipping.clusters import dead_letters, rows

EVENTS = 1500
PADDING = {"kind": "Pod", "spec": {"text": "x" * 4000}}


def bodies() -> list[dict[str, Any]]:
    """Events of two days, about 8 MB of documents: four or five bulk requests."""
    return [
        event("create", seconds=n * 60, name=f"n{n}", requestObject=PADDING) for n in range(EVENTS)
    ]


@cache
def _lines() -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in bodies())


def log_of(folder: Path) -> Path:
    """A log with these events."""
    path = folder / "audit.log"
    path.write_bytes(_lines())
    return path


@cache
def ids() -> frozenset[str]:
    """Their ids."""
    return frozenset(normalized(one).row["event.id"] for one in bodies())


def assert_whole(
    report: ShipReport, cluster: Cluster, prefix: str, folder: Path, *, rejected: int = 0
) -> None:
    """All events of :func:`bodies` have got where they belong, in one run."""
    assert report.failure is None
    assert report.read == EVENTS
    assert report.read == report.indexed + report.duplicates + report.rejected
    assert report.rejected == rejected == len(dead_letters(folder))
    stored = rows(cluster, prefix)
    assert stored.keys() <= ids()
    assert len(stored) == EVENTS - rejected
