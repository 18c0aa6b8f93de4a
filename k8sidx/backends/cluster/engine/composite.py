"""Exact groups of a cluster, by composite aggregations.

A composite aggregation gives every group, page by page, in order of its keys. What an
aggregation can only estimate (distinct values, percentiles, sums beyond 53 bits) or does
not know (the least of texts) comes from a second composite aggregation over the keys and
the metric's field: it gives the groups in the same order, so that the two are read side by
side and a page of each is all that is in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from elasticsearch.dsl import Search, aggs
from elasticsearch.dsl import query as dsl

from k8sidx.backends.cluster.engine.session import Session, TooManyBuckets
from k8sidx.backends.cluster.schema.profile import TIME, Paths, Profile
from k8sidx.errors import UnsupportedQuery
from k8sidx.events.fields.lookup import resolve
from k8sidx.events.fields.moment import MICROSECOND
from k8sidx.query.algebra import DateHistogram, Key, Terms

PAGE = 10_000
"""Groups per page."""
SHARD_SIZE = 10_000
"""Values that each shard returns for a top-N: with fewer, the counts are proved exact."""
MOST_DOUBLE = 2**53
"""Integers up to this are exact in the 64-bit floats that aggregations return."""

GroupKey = tuple[Any, ...]
Bucket = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """One key of a composite aggregation.

    :param unit: factor of the key's number: microseconds, or 1.
    """

    aggregation: dict[str, Any]
    unit: int = 1

    def value(self, raw: Any) -> Any:
        return raw * self.unit if raw is not None and self.unit != 1 else raw


def key_source(key: Key, profile: Profile) -> Source:
    """Return the source of a query's key.

    :raises UnsupportedQuery: when a cluster cannot group by it.
    """
    if isinstance(key, Terms):
        paths = grouped(key.field, profile)
        terms: dict[str, Any] = {"field": paths.group}
        if key.keep_missing:
            terms["missing_bucket"] = True
        return Source({"terms": terms}, paths.unit)
    return _histogram(key, profile.paths(resolve(TIME)))


def _histogram(key: DateHistogram, paths: Paths) -> Source:
    millisecond = timedelta(milliseconds=1)
    kept = {"missing_bucket": True} if key.keep_missing else {}
    if paths.histogram and not key.interval % millisecond and not key.offset % millisecond:
        # Integers throughout, also where microseconds exceed a float's 53 bits.
        histogram = {
            "field": paths.histogram,
            "fixed_interval": f"{key.interval // millisecond}ms",
            "offset": f"{(key.offset % key.interval) // millisecond}ms",
        }
        return Source({"date_histogram": {**histogram, **kept}}, 1000)
    if paths.unit != 1 or key.offset % key.interval:
        raise UnsupportedQuery(
            f"{key.name}: a cluster cannot count intervals of {key.interval} from {key.offset} on."
        )
    width = key.interval // MICROSECOND
    return Source({"histogram": {"field": paths.group, "interval": width, **kept}})


def grouped(name: str, profile: Profile) -> Paths:
    """Return the paths of a field that has doc values.

    :raises UnsupportedQuery: when it has none.
    """
    paths = profile.paths(resolve(name))
    if not paths.group:
        lack = paths.lack or f"a cluster cannot group by {name}, or compute with it."
        raise UnsupportedQuery(lack)
    return paths


@dataclass(slots=True)
class Composite:
    """One composite aggregation over some events.

    :param metrics: aggregations within each group.
    """

    session: Session
    events: dsl.Query
    sources: list[Source]
    metrics: dict[str, Any] = field(default_factory=dict)
    page: int = field(default_factory=lambda: PAGE)

    def buckets(self) -> Iterator[tuple[GroupKey, Bucket]]:
        """Return all groups, in order of their keys; missing values come first."""
        after: dict[str, Any] | None = None
        while True:
            try:
                groups = self.session.search(self.body(after))["aggregations"]["groups"]
            except TooManyBuckets:
                if self.page < 20:
                    raise
                self.page //= 4
                continue
            whole = len(groups["buckets"]) < self.page
            if not whole and not self.session.pinned:
                self.session.pin()  # All pages must see one state: restart.
                continue
            for bucket in groups["buckets"]:
                key = bucket["key"]
                yield (
                    tuple(source.value(key[f"k{n}"]) for n, source in enumerate(self.sources)),
                    bucket,
                )
            after = groups.get("after_key")
            if whole or after is None:
                return

    def body(self, after: dict[str, Any] | None) -> dict[str, Any]:
        aggregations = [source.aggregation for source in self.sources]
        composite: dict[str, Any] = {"size": self.page}
        if after is not None:
            composite["after"] = after
            if len(aggregations) == 1:
                aggregations = [_unoptimized(aggregations[0])]
        composite["sources"] = [
            {f"k{n}": aggregation} for n, aggregation in enumerate(aggregations)
        ]
        search: Search[Any] = Search().query(self.events).extra(size=0, track_total_hits=False)
        groups = search.aggs.bucket("groups", aggs.Composite(**composite))
        for name, metric in self.metrics.items():
            groups.bucket(name, metric)
        return search.to_dict()


def _unoptimized(aggregation: dict[str, Any]) -> dict[str, Any]:
    """OpenSearch (2.19, 3.8) counts a lone date histogram by ranges of the index, and fails
    when none is left after the last page; not where missing values are asked for, which sort
    before every page but the first."""
    return {
        kind: {**options, "missing_bucket": True} if kind == "date_histogram" else options
        for kind, options in aggregation.items()
    }


class Values:
    """The distinct values of a field in each group, with their counts.

    Groups must be asked for in the order of the composite aggregation.
    """

    def __init__(
        self, session: Session, events: dsl.Query, keys: list[Source], value: Paths
    ) -> None:
        source = Source({"terms": {"field": value.group}}, value.unit)
        self._stream = Composite(session, events, [*keys, source]).buckets()
        self._next = next(self._stream, None)

    def of(self, key: GroupKey) -> Iterator[tuple[Any, int]]:
        """Return values and their counts, ascending."""
        while self._next is not None and self._next[0][:-1] == key:
            values, bucket = self._next
            yield values[-1], bucket["doc_count"]
            self._next = next(self._stream, None)
