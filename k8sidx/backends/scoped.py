"""Engine over a part of a store's events, for example those of one cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from k8sidx.backends.protocol import Engine, StoreEngine
from k8sidx.backends.result import Result
from k8sidx.backends.shared import ScanRequest, SharedScans
from k8sidx.query.algebra import And, Condition, Query


class ScopedEngine:
    """Runs each query over the events of a condition only.

    :param condition: the events; all others are as if they were not there.
    """

    def __init__(self, engine: Engine, condition: Condition) -> None:
        self.name = engine.name
        self.condition = condition
        self._engine = engine

    def run(self, query: Query) -> Result:
        """Run the query; see :class:`k8sidx.backends.protocol.Engine`."""
        return self._engine.run(self._scoped(query))

    def _scoped(self, query: Query) -> Query:
        return replace(query, where=And((self.condition, query.where)))


class ScopedStoreEngine(ScopedEngine):
    """The same over an engine that reads a store itself.

    It has no summaries: those of a store are about all of its events.
    """

    def __init__(self, engine: StoreEngine, condition: Condition) -> None:
        super().__init__(engine, condition)
        self._store_engine = engine

    def explain(self, query: Query) -> str:
        """Return the statement; see :class:`k8sidx.backends.protocol.StoreEngine`."""
        return self._store_engine.explain(self._scoped(query))

    def supports_regex(self, pattern: str) -> bool:
        """Whether it can search for a regular expression, in RE2 syntax."""
        return self._store_engine.supports_regex(pattern)

    def summaries(self) -> None:
        """Return no summaries."""


class SharingScopedEngine(ScopedStoreEngine):
    """The same over an engine that shares scans."""

    def __init__(self, engine: StoreEngine, condition: Condition) -> None:
        super().__init__(engine, condition)
        self._shared: object = engine

    @contextmanager
    def prepare(
        self, askers: Sequence[ScanRequest], since: datetime | None, until: datetime | None
    ) -> Iterator[Sequence[Engine]]:
        """Prepare shared scans; see :class:`k8sidx.backends.shared.SharedScans`."""
        if not isinstance(self._shared, SharedScans):
            raise TypeError("this engine does not share scans")
        scoped = [
            ScanRequest(
                tuple(And((self.condition, condition)) for condition in asker.conditions),
                asker.fields,
                asker.counts,
            )
            for asker in askers
        ]
        with self._shared.prepare(scoped, since, until) as engines:
            yield [ScopedEngine(engine, self.condition) for engine in engines]


def scoped_store_engine(engine: StoreEngine, condition: Condition) -> StoreEngine:
    """Return an engine over the events of a condition."""
    if isinstance(engine, SharedScans):
        return SharingScopedEngine(engine, condition)
    return ScopedStoreEngine(engine, condition)
