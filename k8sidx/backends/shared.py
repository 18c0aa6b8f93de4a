"""Protocols of engines that run many queries over the same events at less than their sum."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar, runtime_checkable

from k8sidx.backends.protocol import Engine
from k8sidx.query.algebra import Condition

T = TypeVar("T")


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
        self, requests: Sequence[ScanRequest], since: datetime | None, until: datetime | None
    ) -> AbstractContextManager[Sequence[Engine]]:
        """Return an engine for each series, while the context is open.

        Each returns the same results as this engine; queries about events of one of the
        series' conditions in the time range are cheaper.
        """


@runtime_checkable
class ConcurrentQueries(Protocol):
    """An engine that many tasks can use at once, with fewer requests than one after another."""

    def together(
        self, tasks: Sequence[Callable[[Engine], T]]
    ) -> AbstractContextManager[Sequence[Future[T]]]:
        """Run tasks while the context is open, and return their outcomes.

        :param tasks: called with an engine that returns the same results as this one.
        """
