"""Query engine of clusters: OpenSearch and Elasticsearch.

One compiler serves both: the bodies are the same. Every answer is exact unless estimates
were asked for, and of all the events: a partial one is an error.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from functools import cached_property
from typing import Any, TypeVar

from elasticsearch.dsl import Search, aggs
from elasticsearch.dsl import query as dsl

from k8sidx.backends.cluster.engine.composite import (
    SHARD_SIZE,
    Bucket,
    Composite,
    GroupKey,
    Values,
    grouped,
    key_source,
)
from k8sidx.backends.cluster.engine.field_check import check_fields
from k8sidx.backends.cluster.engine.filters import ConditionCompiler
from k8sidx.backends.cluster.engine.hits import Reader, select, sort_of
from k8sidx.backends.cluster.engine.materialize import (
    lookups,
    with_lookups_deferred,
    with_lookups_done,
)
from k8sidx.backends.cluster.engine.metrics import (
    Counted,
    Inexact,
    Reading,
    counted,
    readable,
    readings,
)
from k8sidx.backends.cluster.engine.regex import lucene
from k8sidx.backends.cluster.engine.session import (
    DryRunSearch,
    DryRunSession,
    Requests,
    Session,
)
from k8sidx.backends.cluster.engine.shared_searches import MOST_THREADS, in_threads
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.schema.field_caps import Capabilities, read_capabilities
from k8sidx.backends.cluster.schema.profile import OwnProfile, Profile
from k8sidx.backends.cluster.summaries import ClusterSummaries
from k8sidx.backends.explain import request_text
from k8sidx.backends.ordering import Row, finish_rows
from k8sidx.backends.protocol import EXACT, Engine, QueryOptions
from k8sidx.backends.result import Result
from k8sidx.backends.time_columns import time_columns, to_datetimes
from k8sidx.errors import InvalidQuery, UnsupportedQuery
from k8sidx.query.algebra import VALUES, Having, Order, Query, Terms, fields_of
from k8sidx.query.regex import compiled

T = TypeVar("T")

_SHARD_SIZE_OF_EVENTS = 1_000
"""Values that each shard returns where each of them has events with it."""
_PAGE_OF_EVENTS = 500
"""Groups per page where each has events with it."""


class SearchEngine:
    """Runs queries over the indices of a cluster.

    :param index: index name or pattern, for example ``k8s-audit-*``.
    :param profile: paths of the fields in its documents.
    :param answering: approximate are cardinality, percentiles and unproved top-N.
    :param summaries_of: prefix of the indices whose daily summaries are kept; empty without any.
    """

    def __init__(
        self,
        cluster: Cluster,
        index: str,
        profile: Profile | None = None,
        answering: QueryOptions = EXACT,
        summaries_of: str = "",
    ) -> None:
        self.name: str = cluster.product
        self._cluster = cluster
        self._requests: Requests = cluster
        self._index = index
        self._profile = profile or OwnProfile()
        self._answering = answering
        self._summaries_of = summaries_of
        self._conditions = ConditionCompiler(self._profile)

    def __enter__(self) -> SearchEngine:
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing: a query's point in time ends with the query."""

    def run(self, query: Query) -> Result:
        """Run the query; see :class:`k8sidx.backends.protocol.Engine`.

        :raises UnsupportedQuery: when a cluster cannot run it.
        :raises StoreError: when the cluster cannot be reached, refuses the query, or
            returns a partial result.
        """
        plain, events = self._checked(query)
        with Session(self._requests, self._index, self._answering) as session:
            if plain is not query:
                resolved = with_lookups_done(query, self._profile, session, self._conditions)
                events = self._conditions.events(resolved)
            rows, exact = self._rows(query, events, session)
        exact = exact and all(self._profile.is_whole(path) for path in fields_of(query))
        return Result(query.columns, to_datetimes(rows, time_columns(query)), self.name, exact)

    @contextmanager
    def together(self, tasks: Sequence[Callable[[Engine], T]]) -> Iterator[Sequence[Future[T]]]:
        """Run tasks whose searches share requests; see
        :class:`k8sidx.backends.shared.ConcurrentQueries`."""
        if not self._profile.is_read:
            _ = self._capabilities  # Once for all tasks.

        def of(task: Callable[[Engine], T]) -> Callable[[Requests], T]:
            return lambda requests: task(self._sending(requests))

        # A search that waits for others would not keep to its time limit.
        threads = MOST_THREADS if self._answering.timeout is None else 1
        with in_threads(self._cluster, [of(task) for task in tasks], threads) as outcomes:
            yield outcomes

    def _sending(self, requests: Requests) -> SearchEngine:
        """Return this engine, with another way for its searches."""
        engine = copy.copy(self)
        engine._requests = requests
        return engine

    def explain(self, query: Query) -> str:
        """Return the first search of the query; see :class:`k8sidx.backends.protocol.StoreEngine`.

        :raises UnsupportedQuery: when a cluster cannot run the query.
        :raises StoreError: when the cluster cannot be reached, or lacks a field.
        """
        _, events = self._checked(query)
        session = DryRunSession(self._cluster, self._index, self._answering)
        first = lookups(query, self._profile)
        if first:
            session.pin()
        try:
            self._rows(query, events, session)
        except DryRunSearch as search:
            return request_text(session.path, search.body, first, pinned=search.pinned)
        raise AssertionError("a query makes a search")

    def supports_regex(self, pattern: str) -> bool:
        """Whether an index can search for a regular expression: those that Lucene has, too."""
        try:
            compiled(pattern)
            lucene(pattern)
        except (UnsupportedQuery, InvalidQuery):
            return False
        return True

    def summaries(self) -> ClusterSummaries | None:
        """Return the daily summaries of the indices. Foreign indices, which have no prefix of
        ours, and serverless offers have none."""
        foreign = self._profile.is_read
        if not self._summaries_of or foreign or self._cluster.flavor != "server":
            return None
        return ClusterSummaries(self._cluster, self._summaries_of, self._index)

    def _checked(self, query: Query) -> tuple[Query, dsl.Query]:
        """Return the query without conditions whose values are looked up first, and its events.

        :raises UnsupportedQuery: when a cluster cannot run the query.
        :raises StoreError: when the indices lack a field.
        """
        plain = with_lookups_deferred(query, self._profile)
        events = self._conditions.events(plain)
        self._compile(query)
        if not self._profile.is_read:
            check_fields(fields_of(query), self._profile, self._capabilities)
        return plain, events

    @cached_property
    def _capabilities(self) -> Capabilities:
        return read_capabilities(self._cluster, self._index)

    def _compile(self, query: Query) -> None:
        """Raise for keys, metrics and order that cannot be run, before the first request."""
        if query.select:
            Reader(query.select, self._profile)
            sort_of(query, self._profile)
            return
        for key in query.group_by:
            key_source(key, self._profile)
        for metric in query.metrics:
            readable(metric, self._profile)

    def _rows(self, query: Query, events: dsl.Query, session: Session) -> tuple[list[Row], bool]:
        """Return the rows, times as microseconds, and whether they are exact."""
        if query.select:
            return list(select(query, events, self._profile, session)), True
        return self._aggregated(query, events, session)

    def _aggregated(
        self, query: Query, events: dsl.Query, session: Session
    ) -> tuple[list[Row], bool]:
        for careful in (False, True):
            read = readings(
                query.metrics,
                self._profile,
                approximate=self._answering.approximate,
                careful=careful,
            )
            exact = not any(reading.approximate for reading in read)
            try:
                if not query.group_by:
                    return finish_rows(query, self._whole(events, read, session)), exact
                if _is_top(query, read):
                    rows, proved = self._top(query, events, read, session)
                    if proved or self._answering.approximate:
                        return finish_rows(query, rows), exact and proved
                return finish_rows(query, self._groups(query, events, read, session)), exact
            except Inexact:
                continue
        raise AssertionError("a careful reading is exact")

    def _whole(self, events: dsl.Query, read: list[Reading], session: Session) -> Iterator[Row]:
        """Return all events as one group."""
        if any(reading.values for reading in read):
            session.pin()
        counts = any(reading.metric.kind == "count" for reading in read)
        search: Search[Any] = Search().query(events).extra(size=0, track_total_hits=counts)
        for reading in read:
            for name, aggregation in reading.aggregations.items():
                search.aggs.bucket(name, aggregation)
        answer = session.search(search.to_dict())
        bucket = dict(answer.get("aggregations", {}))
        if counts:
            bucket["doc_count"] = answer["hits"]["total"]["value"]
        values = _values(session, events, [], read)
        yield _row((), bucket, read, values)

    def _groups(
        self, query: Query, events: dsl.Query, read: list[Reading], session: Session
    ) -> Iterator[Row]:
        if any(reading.values for reading in read):
            session.pin()
        sources = [key_source(key, self._profile) for key in query.group_by]
        metrics = {
            name: aggregation
            for reading in read
            for name, aggregation in reading.aggregations.items()
        }
        composite = Composite(session, events, sources, metrics)
        if _has_events(read):
            composite.page = _PAGE_OF_EVENTS
        values = _values(session, events, sources, read)
        for position, (key, bucket) in enumerate(composite.buckets(), 1):
            yield _row(key, bucket, read, values)
            if _is_natural(query) and position == query.limit:
                return

    def _top(
        self, query: Query, events: dsl.Query, read: list[Reading], session: Session
    ) -> tuple[list[Row], bool]:
        """Return the most frequent values of a field, and whether their counts are proved exact."""
        key = query.group_by[0]
        if not isinstance(key, Terms) or query.limit is None:
            raise TypeError("a top-N has one field and a limit")
        paths = grouped(key.field, self._profile)
        source = key_source(key, self._profile)
        most = _SHARD_SIZE_OF_EVENTS if _has_events(read) else SHARD_SIZE
        search: Search[Any] = Search().query(events).extra(size=0, track_total_hits=False)
        top = search.aggs.bucket(
            "top",
            aggs.Terms(
                field=paths.group,
                size=query.limit,
                shard_size=max(most, query.limit),
                order=[{"_count": "desc"}, {"_key": "asc"}],
            ),
        )
        buckets = [top]
        if key.keep_missing:
            buckets.append(search.aggs.bucket("none", aggs.Missing(field=paths.group)))
        for bucket in buckets:
            for reading in read:
                for name, aggregation in reading.aggregations.items():
                    bucket.bucket(name, aggregation)
        aggregations = session.search(search.to_dict())["aggregations"]
        rows = [
            _row((_key_of(bucket, source.value(bucket["key"])),), bucket, read, {})
            for bucket in aggregations["top"]["buckets"]
        ]
        if key.keep_missing and aggregations["none"]["doc_count"]:
            rows.append(_row((None,), aggregations["none"], read, {}))
        return rows, aggregations["top"]["doc_count_error_upper_bound"] == 0


def _key_of(bucket: Bucket, key: Any) -> Any:
    """Return a bucket's key; booleans are 0 and 1 in a terms aggregation, with a text beside."""
    text = bucket.get("key_as_string")
    return text == "true" if text in ("true", "false") else key


def _is_top(query: Query, read: list[Reading]) -> bool:
    """Whether the query returns the most frequent values of one field."""
    counts = {reading.metric.name for reading in read if reading.metric.kind == "count"}
    return (
        query.limit is not None
        and len(query.group_by) == 1
        and isinstance(query.group_by[0], Terms)
        and len(query.order) == 1
        and query.order[0] in {Order(name, descending=True) for name in counts}
        and all(_keeps_first(having, counts) for having in query.having)
        and not any(reading.values for reading in read)
    )


def _keeps_first(having: Having, counts: set[str]) -> bool:
    return having.metric in counts and having.op in (">", ">=")


def _is_natural(query: Query) -> bool:
    """Whether groups arrive in the query's order, so that the first ones suffice."""
    kept = any(key.keep_missing for key in query.group_by)
    return not query.order and not query.having and not kept


def _has_events(read: list[Reading]) -> bool:
    return any(reading.metric.kind in VALUES for reading in read)


def _values(
    session: Session, events: dsl.Query, sources: list[Any], read: list[Reading]
) -> dict[str, Values]:
    """Return the streams of values that the metrics need, by path."""
    needed = {
        reading.values.group: reading.values for reading in read if reading.values is not None
    }
    return {path: Values(session, events, sources, paths) for path, paths in needed.items()}


def _row(key: GroupKey, bucket: Bucket, read: list[Reading], values: dict[str, Values]) -> Row:
    ranked = {
        reading.values.group
        for reading in read
        if reading.values and reading.metric.kind == "percentile"
    }
    counts = {
        path: counted(stream.of(key), ranked=path in ranked) for path, stream in values.items()
    }
    none = Counted()
    metrics = [
        reading.value(bucket, counts[reading.values.group] if reading.values else none)
        for reading in read
    ]
    return [*key, *metrics]
