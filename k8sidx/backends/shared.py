"""Protocol of shared scans: many queries over the same events in fewer passes than one each."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from k8sidx.backends.protocol import Engine
from k8sidx.query.algebra import Condition


@dataclass(frozen=True, slots=True)
class ScanRequest:
    """A series of queries about the events of a condition.

    :param conditions: for the events of most of its queries, one of them holds.
    :param fields: stored fields that its queries read.
    :param counts: its queries count events by value, and never return single events or times.
    """

    conditions: tuple[Condition, ...]
    fields: frozenset[str]
    counts: bool = False


@runtime_checkable
class SharedScans(Protocol):
    """An engine that can prepare for several series of queries at once."""

    def prepare(
        self, askers: Sequence[ScanRequest], since: datetime | None, until: datetime | None
    ) -> AbstractContextManager[Sequence[Engine]]:
        """Return an engine for each series, while the context is open.

        Each returns the same results as this engine; queries about events of one of the
        series' conditions in the time range are cheaper.
        """
