"""Keeping findings in the store that they were found in."""

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
    """What became of a run's findings.

    :param new: findings that were not there before.
    :param updated: findings that were there, and know more or the same now.
    :param where: the file or index that has them.
    """

    new: int
    updated: int
    where: str


def save(
    store: Store, hunts: Iterable[Hunt], results: Iterable[HuntResult], now: datetime
) -> Saved:
    """Keep the findings of the results; a finding that is there already is updated.

    :raises StoreError: when they cannot be written.
    """
    by_id: Mapping[str, Hunt] = {hunt.id: hunt for hunt in hunts}
    found = [finding for result in results for finding in result.findings]
    records = records_of(found, by_id, now)
    new, where = store.findings().save(records)
    return Saved(new, len(records) - new, where)
