"""Metrics: the aggregations of each, and its value from their results."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from elasticsearch.dsl import aggs
from elasticsearch.dsl import query as dsl

from k8sidx.backends.cluster.engine.composite import MOST_DOUBLE, Bucket, grouped
from k8sidx.backends.cluster.engine.filters import ConditionCompiler
from k8sidx.backends.cluster.engine.hits import Reader, outermost
from k8sidx.backends.cluster.schema.profile import Paths, Profile
from k8sidx.backends.percentiles import percentile
from k8sidx.errors import UnsupportedQuery
from k8sidx.events.fields.lookup import resolve
from k8sidx.events.fields.table import Kind
from k8sidx.query.algebra import VALUES, Metric, Present

_PRECISION = 40_000
"""Distinct values up to which a cardinality aggregation is nearly exact, its maximum."""


class Inexact(Exception):
    """A number does not fit the floats that aggregations return."""


@dataclass(slots=True)
class Counted:
    """Summary of the distinct values of a field in one group.

    :ivar distinct: number of values.
    :ivar number: number of events that have one.
    :ivar total: sum of numbers.
    :ivar ranked: values and counts, ascending; only for percentiles.
    """

    distinct: int = 0
    number: int = 0
    total: int = 0
    first: Any = None
    last: Any = None
    ranked: list[tuple[Any, int]] = field(default_factory=list)


def counted(values: Iterable[tuple[Any, int]], *, ranked: bool) -> Counted:
    """Summarize the values of a group, which are in ascending order."""
    summary = Counted()
    for value, count in values:
        if not summary.distinct:
            summary.first = value
        summary.last = value
        summary.distinct += 1
        summary.number += count
        if isinstance(value, int):
            summary.total += value * count
        if ranked:
            summary.ranked.append((value, count))
    return summary


@dataclass(slots=True)
class Reading:
    """Computation of one metric.

    :param aggregations: of each group.
    :param values: paths of the field whose distinct values it needs, if any.
    :param approximate: whether its number is an estimate.
    """

    metric: Metric
    paths: Paths | None
    aggregations: dict[str, Any]
    values: Paths | None = None
    approximate: bool = False
    reader: Reader | None = None

    @property
    def name(self) -> str:
        return next(iter(self.aggregations), "")

    def value(self, bucket: Bucket, values: Counted) -> Any:
        """Return the metric of one group; times are microseconds.

        :param values: those of the field in the group, when the metric needs them.
        :raises Inexact: when it has to be computed carefully.
        """
        kind = self.metric.kind
        if kind == "count":
            return bucket["doc_count"]
        if kind == "present":
            return bucket[self.name]["doc_count"]
        if kind in VALUES:
            return self._values_of_events(bucket)
        if kind == "count_distinct":
            return bucket[self.name]["value"] if self.approximate else values.distinct
        if kind in ("min", "max"):
            return self._extreme(bucket, values)
        if kind == "percentile":
            return self._percentile(bucket, values)
        total, number = self._total(bucket, values)
        if not number:
            return None
        return total if kind == "sum" else total / number

    def _values_of_events(self, bucket: Bucket) -> Any:
        if self.reader is None:
            raise TypeError(f"{self.metric.kind} has a reader")
        hits = bucket[self.name]["events"]["hits"]["hits"]
        return [self.reader.row(hit)[0] for hit in hits] or None

    def _extreme(self, bucket: Bucket, values: Counted) -> Any:
        if self.paths is None:
            raise TypeError(f"{self.metric.kind} has a field")
        if self.values is not None:
            return values.first if self.metric.kind == "min" else values.last
        result = bucket[self.name]
        if "value" not in result:
            hits = result["edge"]["hits"]["hits"]
            return hits[0]["sort"][0] * self.paths.unit if hits else None
        value = result["value"]
        if value is None:
            return None
        if abs(value) >= MOST_DOUBLE:
            raise Inexact
        return int(value) * self.paths.unit

    def _percentile(self, bucket: Bucket, values: Counted) -> Any:
        if self.approximate:
            return bucket[self.name]["values"][0]["value"]
        return percentile(values.ranked, self.metric.argument)

    def _total(self, bucket: Bucket, values: Counted) -> tuple[int, int]:
        if self.values is not None:
            return values.total, values.number
        result = bucket[self.name]
        if not result["count"]:
            return 0, 0
        one_sign = result["min"] >= 0 or result["max"] <= 0
        if not self.approximate and not (one_sign and abs(result["sum"]) < MOST_DOUBLE):
            raise Inexact
        return int(result["sum"]), result["count"]


def readings(
    metrics: Iterable[Metric], profile: Profile, *, approximate: bool, careful: bool
) -> list[Reading]:
    """Return how the metrics are computed.

    :param approximate: estimates are acceptable.
    :param careful: numbers may not fit a float.
    """
    return [
        _reading(metric, f"m{n}", profile, approximate, careful) for n, metric in enumerate(metrics)
    ]


def readable(metric: Metric, profile: Profile) -> None:
    """Check that a cluster can compute the metric.

    :raises UnsupportedQuery: when it cannot.
    """
    if metric.kind == "count":
        return
    if metric.kind == "present":
        _present(metric, profile)
        return
    if resolve(metric.field).many and metric.kind != "count_distinct":
        raise UnsupportedQuery(f"{metric.name}: {metric.kind} of {metric.field}, a list")
    if metric.kind not in VALUES:
        grouped(metric.field, profile)
    elif not profile.paths(resolve(metric.field)).query:
        raise UnsupportedQuery(f"{metric.name}: a cluster cannot search for {metric.field}.")


def _reading(
    metric: Metric, name: str, profile: Profile, approximate: bool, careful: bool
) -> Reading:
    if metric.kind == "count":
        return Reading(metric, None, {})
    if metric.kind == "present":
        return Reading(metric, None, {name: _present(metric, profile)})
    if metric.kind in VALUES:
        return _values_of_events(metric, name, profile)
    paths = grouped(metric.field, profile)
    if metric.kind == "count_distinct":
        if not approximate:
            return Reading(metric, paths, {}, paths)
        distinct = aggs.Cardinality(field=paths.group, precision_threshold=_PRECISION)
        return Reading(metric, paths, {name: distinct}, approximate=True)
    if metric.kind == "percentile":
        if not approximate:
            return Reading(metric, paths, {}, paths)
        ranks = aggs.Percentiles(field=paths.group, percents=[metric.argument], keyed=False)
        return Reading(metric, paths, {name: ranks}, approximate=True)
    if metric.kind in ("min", "max"):
        return _extreme(metric, name, paths, careful)
    if careful and not approximate:
        return Reading(metric, paths, {}, paths)
    stats = aggs.Stats(field=paths.group)
    return Reading(metric, paths, {name: stats}, approximate=approximate)


def _extreme(metric: Metric, name: str, paths: Paths, careful: bool) -> Reading:
    if paths.kind not in (Kind.INTEGER, Kind.TIME):
        return Reading(metric, paths, {}, paths)
    if not careful:
        make = aggs.Min if metric.kind == "min" else aggs.Max
        return Reading(metric, paths, {name: make(field=paths.group)})
    order: Any = [{paths.group: {"order": "asc" if metric.kind == "min" else "desc"}}]
    present = aggs.Filter(dsl.Exists(field=paths.query))
    present.metric("edge", aggs.TopHits(size=1, sort=order, _source=False))
    return Reading(metric, paths, {name: present})


def _present(metric: Metric, profile: Profile) -> aggs.Filter:
    return aggs.Filter(ConditionCompiler(profile).condition(Present(metric.field)))


def _values_of_events(metric: Metric, name: str, profile: Profile) -> Reading:
    paths = profile.paths(resolve(metric.field))
    latest = metric.kind == "last_values"
    body, reader = outermost(metric.field, int(metric.argument), profile, latest=latest)
    present = aggs.Filter(dsl.Exists(field=paths.query))
    present.metric("events", aggs.TopHits(**body))
    return Reading(metric, paths, {name: present}, reader=reader)
