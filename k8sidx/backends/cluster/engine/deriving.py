"""Engine over indices that other programs filled.

A query that the fields of the index can answer is one search there. Any other query is about
fields that k8sidx derives from an event: those are derived at query time. The documents that the
query can be about, by the part of its condition that the index can evaluate, are read into a
temporary store, as ``k8sidx ship`` reads them, and the query runs on that store. So there is one
definition of each derived field, no script runs in the cluster, and documents of any shape, and of
several shapes in one pattern, are events alike.

The number of documents is bounded: beyond it a query is refused, and the reason is the field that
the index lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Generic, TypeAlias, TypeVar
from urllib.parse import quote

from elasticsearch.dsl import query as dsl

from k8sidx.backends.cluster.documents.gaps import Gaps
from k8sidx.backends.cluster.documents.load import Loaded, load
from k8sidx.backends.cluster.engine.engine import SearchEngine
from k8sidx.backends.cluster.engine.filters import ConditionCompiler
from k8sidx.backends.cluster.http.api_errors import refusal
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.schema.detect import NoAuditFields
from k8sidx.backends.cluster.schema.profile import TIME, Profile
from k8sidx.backends.protocol import Engine, QueryOptions, StoreEngine
from k8sidx.backends.result import Result
from k8sidx.backends.shared import ScanRequest, SharedScans
from k8sidx.backends.store import Store
from k8sidx.errors import UnsupportedQuery
from k8sidx.events.fields.lookup import resolve
from k8sidx.query.algebra import (
    Always,
    And,
    Compare,
    Condition,
    Leaf,
    Not,
    OneOf,
    Or,
    Present,
    Query,
    fields_of,
    leaves,
)
from k8sidx.query.bounds import projected

MOST_DOCUMENTS = 200_000
"""Documents that are read at once at most."""
_SAMPLE = 2_000
"""Documents that show what an index lacks."""
_WRITTEN = OneOf("verb", ("create", "update", "patch"))
_TRUNCATION = timedelta(milliseconds=1)
"""The part of a time that a field of the type date does not keep."""
_SEARCHED = frozenset(
    {
        *("verb", "stage", "level", "responseStatus.code", "target.resource", "event.outcome"),
        *("objectRef.resource", "objectRef.subresource", "objectRef.namespace", "objectRef.name"),
        *("objectRef.apiGroup", "user.username", "user.kind", "user.effective.name"),
        *("impersonatedUser.username", "requestURI", "annotations.authorization.k8s.io/decision"),
    }
)
"""Fields of which conditions narrow what is read."""


@dataclass(frozen=True, slots=True)
class _Range:
    """The events of a condition, in a range of time, that are in a temporary store."""

    where: Condition
    since: datetime | None
    until: datetime | None

    def covers(self, query: Query) -> bool:
        """Whether all events that a query can be about are there."""
        begins = self.since is None or (query.since is not None and query.since >= self.since)
        ends = self.until is None or (query.until is not None and query.until <= self.until)
        return begins and ends and isinstance(self.where, Always)


Temporary: TypeAlias = Callable[[frozenset[str] | None], AbstractContextManager[Store]]
E = TypeVar("E", bound=Engine, covariant=True)


@dataclass(frozen=True, slots=True)
class _Events(Generic[E]):
    """Events of documents in a temporary store.

    :param gaps: what the documents lack.
    :param fields: names of the fields that are kept; ``None`` for all of them.
    """

    engine: E
    gaps: Gaps
    fields: frozenset[str] | None

    def answers(self, query: Query) -> bool:
        """Whether the store has all fields that a query reads."""
        if self.fields is None:
            return True
        return all(path.field.name in self.fields for path in fields_of(query))

    def run(self, query: Query, name: str) -> Result:
        """Run a query.

        :param name: of the engine that the result is from.
        :raises UnsupportedQuery: when its condition is about what no document has.
        """
        if lack := self.gaps.lack_of(_names(query.where)):
            raise UnsupportedQuery(lack, remedy="Let the shipper keep it, or ship the logs anew.")
        result = self.engine.run(query)
        return Result(result.columns, result.rows, name, result.exact)


class DerivingEngine:
    """Runs queries over indices that other programs filled.

    :param profile: paths of the fields in their documents; ``None`` where these have several
        shapes, or no fields that can be searched.
    :param temporary: makes a store of ours that is deleted at the end of its block.
    :param lack: why there is no profile.
    """

    def __init__(
        self,
        cluster: Cluster,
        index: str,
        profile: Profile | None,
        answering: QueryOptions,
        temporary: Temporary,
        lack: str = "",
    ) -> None:
        self.name: str = cluster.product
        self._cluster = cluster
        self._index = index
        self._profile = profile
        self._answering = answering
        self._temporary = temporary
        self._lack = lack
        self._native = SearchEngine(cluster, index, profile, answering) if profile else None
        self._stack = ExitStack()
        self._stores: dict[_Range, _Events[StoreEngine]] = {}

    def __enter__(self) -> DerivingEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self._stores.clear()
        self._stack.close()

    def run(self, query: Query) -> Result:
        """Run the query; see :class:`k8sidx.backends.protocol.Engine`.

        :raises UnsupportedQuery: when the index lacks a field and has too many documents to derive
            it from.
        :raises StoreError: when the cluster cannot be reached, or has no audit events there.
        """
        for read, events in self._stores.items():
            if read.covers(query) and events.answers(query):
                return events.run(query, self.name)
        lack = self._lack
        if self._native is not None:
            try:
                return self._native.run(query)
            except UnsupportedQuery as error:
                lack = error.message
        return self._read(query, lack).run(query, self.name)

    def explain(self, query: Query) -> str:
        """Return the search of a query, or the statement over the documents that are read.

        :raises UnsupportedQuery: when the index cannot answer the query.
        """
        if self._native is not None:
            try:
                return self._native.explain(query)
            except UnsupportedQuery as error:
                lack = error.message
        else:
            lack = self._lack
        count = self._count(self._search(self._bound(query.where), query.since, query.until))
        return f"# {count:,} documents are read, since {lack}\n"

    def supports_regex(self, pattern: str) -> bool:
        """Whether it can search for a regular expression: all can be, over what is read."""
        return True

    def summaries(self) -> None:
        """Return nothing: summaries are kept of own indices."""

    @contextmanager
    def prepare(
        self, requests: Sequence[ScanRequest], since: datetime | None, until: datetime | None
    ) -> Iterator[Sequence[Engine]]:
        """Return an engine for each series of queries; see
        :class:`k8sidx.backends.shared.SharedScans`. Where the time range has few documents, they
        are read once, for all series."""
        search = self._search(Always(), since, until)
        if self._count(search) > MOST_DOCUMENTS:
            yield [self] * len(requests)
            return
        fields = frozenset[str]().union(*(request.fields for request in requests))
        part = _Range(Always(), since, until)
        events = self._load(part, search, fields, "")
        engines = _prepared(events.engine, requests, since, until)
        with engines as each:
            yield [
                _Prepared(self, part, _Events(prepared, events.gaps, events.fields))
                for prepared in each
            ]

    def lack_of(self, conditions: Sequence[Condition]) -> list[str]:
        """Return for each condition why the index cannot answer a query about it; empty where it
        can. That the index has too many documents for a query is found out by the query alone.

        :raises StoreError: when the cluster cannot be reached, or has no audit events there.
        """
        sample = self._sample()
        return [sample.lack_of(_names(condition)) for condition in conditions]

    def _sample(self) -> Gaps:
        """Return the gaps of some documents, those of the last indices."""
        search = self._search(_WRITTEN if self._profile else Always(), None, None)
        with self._temporary(frozenset({"verb"})) as store:
            searches = [search, dsl.MatchAll()] if self._profile else [search]
            gaps = Gaps()
            for query in searches:
                loaded = load(
                    self._cluster, self._index, query.to_dict(), store, self._answering, _SAMPLE
                )
                gaps.add(loaded.gaps)
        if not gaps.events:
            raise NoAuditFields(self._index)
        return gaps

    def _read(self, query: Query, lack: str) -> _Events[StoreEngine]:
        """Return the events that a query can be about."""
        part = _Range(self._bound(query.where), query.since, query.until)
        known = self._stores.get(part)
        if known is not None and known.answers(query):
            return known
        search = self._search(part.where, part.since, part.until)
        count = self._count(search)
        if count > MOST_DOCUMENTS:
            raise UnsupportedQuery(
                f"{lack.rstrip('.')}; to derive it, {count:,} documents would be read, more than "
                f"{MOST_DOCUMENTS:,}.",
                remedy="Look at less time with --since and --until, or ship the logs with k8sidx.",
            )
        return self._load(part, search, None, lack)

    def _load(
        self, part: _Range, search: dsl.Query, fields: frozenset[str] | None, lack: str
    ) -> _Events[StoreEngine]:
        store = self._stack.enter_context(self._temporary(fields))
        loaded = load(self._cluster, self._index, search.to_dict(), store, self._answering)
        self._check(loaded, lack)
        engine = self._stack.enter_context(store.engine(self._answering))
        events = self._stores[part] = _Events(engine, loaded.gaps, fields)
        return events

    def _check(self, loaded: Loaded, lack: str) -> None:
        """Print how many documents were read, and which of them are not events.

        :raises NoAuditFields: when none of the documents is an audit event.
        """
        if self._profile is None and loaded.documents and not loaded.gaps.events:
            raise NoAuditFields(self._index)
        if loaded.documents:
            why = f", since {lack[0].lower()}{lack[1:].rstrip('.')}" if lack else ""
            self._answering.notice(
                f"{loaded.documents:,} documents of {self._index} are read{why}."
            )
        for reason, count in loaded.rejected.most_common(3):
            self._answering.notice(f"{count:,} of them cannot be read as audit events: {reason}")

    def _bound(self, condition: Condition) -> Condition:
        """Return the part of a condition that the index can evaluate, which holds for all events
        that the condition holds for."""
        return Always() if self._profile is None else projected(condition, self._can_search)

    def _can_search(self, leaf: Leaf) -> bool:
        path = resolve(leaf.field)
        if path.field.name not in _SEARCHED or self._profile is None:
            return False
        try:
            self._compiler.events(Query(where=leaf, select=("auditID",)))
        except UnsupportedQuery:
            return False
        return self._profile.is_whole(path)

    @cached_property
    def _compiler(self) -> ConditionCompiler:
        if self._profile is None:
            raise TypeError("documents of several shapes have no profile")
        return ConditionCompiler(self._profile)

    def _search(
        self, where: Condition, since: datetime | None, until: datetime | None
    ) -> dsl.Query:
        """Return the search for the documents of a condition and a range of time; those without a
        time in a field of the type date may be of that time, too."""
        if self._profile is None:
            return dsl.MatchAll()
        bounds: list[Condition] = []
        if since is not None:
            bounds.append(Compare(TIME, ">=", (since - _TRUNCATION).isoformat()))
        if until is not None:
            bounds.append(Compare(TIME, "<", until.isoformat()))
        if bounds:
            timed = Or((And(tuple(bounds)), Not(Present(TIME))))
            try:
                return self._compiler.events(Query(where=And((where, timed)), select=("auditID",)))
            except UnsupportedQuery:
                pass
        return self._compiler.events(Query(where=where, select=("auditID",)))

    def _count(self, search: dsl.Query) -> int:
        path = f"/{quote(self._index, safe='*,-')}/_count"
        answer = self._cluster.request("POST", path, body={"query": search.to_dict()})
        if answer.status != 200:
            raise refusal(answer, self._index)
        return int(answer.json()["count"])


class _Prepared:
    """Runs the queries of one series: those about the prepared time on the events that were read,
    others on the index."""

    def __init__(self, outer: DerivingEngine, part: _Range, events: _Events[Engine]) -> None:
        self.name = outer.name
        self._outer = outer
        self._part = part
        self._events = events

    def run(self, query: Query) -> Result:
        if self._part.covers(query) and self._events.answers(query):
            return self._events.run(query, self.name)
        return self._outer.run(query)


def _prepared(
    engine: StoreEngine,
    requests: Sequence[ScanRequest],
    since: datetime | None,
    until: datetime | None,
) -> AbstractContextManager[Sequence[Engine]]:
    if isinstance(engine, SharedScans):
        return engine.prepare(requests, since, until)
    return nullcontext([engine] * len(requests))


def _names(condition: Condition) -> set[str]:
    return {resolve(leaf.field).field.name for leaf in leaves(condition)}
