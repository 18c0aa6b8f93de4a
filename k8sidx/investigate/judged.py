"""Findings about the events of an investigation.

The hunts run over a copy of these events in a temporary store, so that they read nothing else:
the same hunts as ``k8sidx hunt``, for a fraction of the time. Hunts that compare with other
events (baselines, tops, silence) cannot be run so, and are counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from k8sidx.backends.protocol import Engine
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.required_fields import required_fields
from k8sidx.hunt.result import Finding
from k8sidx.hunt.run import Window, run_hunts
from k8sidx.investigate.copies import copy_of, events_of
from k8sidx.investigate.scope import Period
from k8sidx.query.algebra import Condition

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
    events, count = events_of(engine, where, period, limit=limit)
    refused: list[str] = []
    with copy_of(events, required_fields(alone)) as copy:
        results = run_hunts(
            alone, copy, Window(), on_error=lambda hunt, error: refused.append(hunt.id)
        )
    findings = tuple(finding for result in results for finding in result.findings)
    ran = len(alone) - len(refused)
    return Judged(findings, count, ran, len(chosen) - ran)
