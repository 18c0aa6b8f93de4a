"""Storage of findings in the store of their events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from k8sidx.backends.store import Store
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.findings.record import records_of
from k8sidx.hunt.result import HuntResult


@dataclass(frozen=True, slots=True)
class Saved:
    """Result of saving the findings of a run.

    :param new: number of findings that were not stored before.
    :param updated: number of stored findings that were updated.
    :param where: the file or index that contains them.
    """

    new: int
    updated: int
    where: str


def save(
    store: Store, hunts: Iterable[Hunt], results: Iterable[HuntResult], now: datetime
) -> Saved:
    """Store the findings of the results; a finding that is stored already is updated.

    :raises StoreError: when they cannot be written.
    """
    by_id: Mapping[str, Hunt] = {hunt.id: hunt for hunt in hunts}
    findings = [finding for result in results for finding in result.findings]
    records = records_of(findings, by_id, now)
    new, where = store.findings().save(records)
    return Saved(new, len(records) - new, where)
