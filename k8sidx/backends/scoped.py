"""Engine over a part of a store's events, for example those of one cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from hashlib import sha256

from k8sidx.backends.protocol import Engine, StoreEngine
from k8sidx.backends.result import Result
from k8sidx.backends.shared import ScanRequest, SharedScans
from k8sidx.backends.summary_key import canonical_text
from k8sidx.backends.summary_store import Rows, Summaries
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
    """The same over an engine that reads a store itself."""

    def __init__(self, engine: StoreEngine, condition: Condition) -> None:
        super().__init__(engine, condition)
        self._store_engine = engine

    def explain(self, query: Query) -> str:
        """Return the statement; see :class:`k8sidx.backends.protocol.StoreEngine`."""
        return self._store_engine.explain(self._scoped(query))

    def supports_regex(self, pattern: str) -> bool:
        """Whether it can search for a regular expression, in RE2 syntax."""
        return self._store_engine.supports_regex(pattern)

    def summaries(self) -> Summaries | None:
        """Return the daily summaries of the part; ``None`` for a store that has none."""
        summaries = self._store_engine.summaries()
        return summaries and ScopedSummaries(summaries, self.condition)


class ScopedSummaries:
    """Summaries of a part of a store's events, kept under names of their own.

    :param condition: the events of the part.
    """

    def __init__(self, summaries: Summaries, condition: Condition) -> None:
        self._summaries = summaries
        self._part = canonical_text(condition)

    @property
    def error(self) -> str:
        """Reason why new summaries could not be kept."""
        return self._summaries.error

    def days(self) -> Mapping[date, str]:
        """Return the days that have events; see :class:`Summaries`."""
        return self._summaries.days()

    def load(self, question: str, days: Iterable[date]) -> Mapping[date, Rows]:
        """Return the existing summaries of days."""
        return self._summaries.load(self._name(question), days)

    def save(self, question: str, made: Mapping[date, Rows]) -> None:
        """Keep summaries of days."""
        self._summaries.save(self._name(question), made)

    def kept(self, question: str) -> frozenset[date]:
        """Return the days that have a summary."""
        return self._summaries.kept(self._name(question))

    def _name(self, question: str) -> str:
        text = f"{question} {self._part}"
        return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


class SharingScopedEngine(ScopedStoreEngine):
    """The same over an engine that shares scans."""

    def __init__(self, engine: StoreEngine, condition: Condition) -> None:
        super().__init__(engine, condition)
        self._shared: object = engine

    @contextmanager
    def prepare(
        self, requests: Sequence[ScanRequest], since: datetime | None, until: datetime | None
    ) -> Iterator[Sequence[Engine]]:
        """Prepare shared scans; see :class:`k8sidx.backends.shared.SharedScans`."""
        if not isinstance(self._shared, SharedScans):
            raise TypeError("this engine does not share scans")
        scoped = [
            ScanRequest(
                tuple(And((self.condition, condition)) for condition in request.conditions),
                request.fields,
                request.counts,
            )
            for request in requests
        ]
        with self._shared.prepare(scoped, since, until) as engines:
            yield [ScopedEngine(engine, self.condition) for engine in engines]


def scoped_store_engine(engine: StoreEngine, condition: Condition) -> StoreEngine:
    """Return an engine over the events of a condition."""
    if isinstance(engine, SharedScans):
        return SharingScopedEngine(engine, condition)
    return ScopedStoreEngine(engine, condition)
