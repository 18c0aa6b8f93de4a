"""The query algebra: hunts, dashboard panels and query text are compiled to it.

A :class:`Query` either selects events (``select``) or aggregates them
(``group_by`` and ``metrics``). It is frozen, and checks itself when made: field
names are resolved against the field table, metric names are unique, the order
names a column that exists. Every engine compiles all of it or raises
:class:`~k8sidx.errors.UnsupportedQuery`.

Semantics, the same on every engine:

- A condition over a field with many values holds when it holds for any of them
  (as OpenSearch and Elasticsearch do). ``Not`` is the event's: it holds when the
  condition holds for none, so it also holds where the field is missing.
- A comparison with a missing value is false.
- Grouping by a field with many values counts the event once under each distinct
  value. Events without the field form no group, unless ``keep_missing``.
- ``ignore_case`` folds ASCII letters only, which is what every engine can do.
- Ties in ``order`` are broken by the group keys, ascending; missing values last.
"""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

from k8sidx.errors import InvalidQuery
from k8sidx.events.fields.lookup import FieldPath, resolve
from k8sidx.events.fields.names import TIMESTAMP
from k8sidx.query.regex import InvalidRegex, compiled

Scalar: TypeAlias = str | int | float | bool
Comparison: TypeAlias = Literal["=", "<", "<=", ">", ">="]

COMPARED: dict[Comparison, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
"""The function of each comparison."""


@dataclass(frozen=True, slots=True)
class Always:
    """Holds for every event."""


@dataclass(frozen=True, slots=True)
class Compare:
    """``field op value``; strings compare by code point."""

    field: str
    op: Comparison
    value: Scalar
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class OneOf:
    """The field equals one of the values."""

    field: str
    values: tuple[Scalar, ...]
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class Wildcard:
    """The whole value matches a pattern: ``*`` any characters, ``?`` one, ``\\`` escapes."""

    field: str
    pattern: str
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class Regex:
    """The pattern (RE2 syntax) is found somewhere in the value."""

    field: str
    pattern: str
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class InNetwork:
    """The address lies in one of the networks (CIDR, IPv4 or IPv6)."""

    field: str
    networks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Present:
    """The field has a value."""

    field: str


@dataclass(frozen=True, slots=True)
class And:
    """All conditions hold; an empty one always does."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one condition holds; an empty one never does."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The condition does not hold for the event."""

    condition: Condition


Leaf: TypeAlias = Compare | OneOf | Wildcard | Regex | InNetwork | Present
Condition: TypeAlias = Always | Leaf | And | Or | Not

NEVER = Or(())
"""Holds for no event."""


@dataclass(frozen=True, slots=True)
class Terms:
    """One group for each distinct value of the field; ``name`` is the result's column."""

    field: str
    name: str = ""
    keep_missing: bool = False

    @property
    def column(self) -> str:
        return self.name or self.field


@dataclass(frozen=True, slots=True)
class DateHistogram:
    """One group for each interval of ``@timestamp`` that has events, named by its start (UTC).

    Intervals are counted from 1970-01-01T00:00Z plus ``offset``. Events without
    ``@timestamp`` form no group, unless ``keep_missing``.
    """

    interval: timedelta
    name: str = "time"
    offset: timedelta = timedelta(0)
    keep_missing: bool = False

    @property
    def column(self) -> str:
        return self.name


Key: TypeAlias = Terms | DateHistogram
MetricKind: TypeAlias = Literal[
    "count", "present", "count_distinct", "min", "max", "sum", "avg", "percentile",
    "first_values", "last_values",
]  # fmt: skip
VALUES: frozenset[MetricKind] = frozenset({"first_values", "last_values"})
"""Metrics that give a list of values of single events."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One number (or value) for each group.

    - ``count`` counts events and takes no field; ``present`` counts the events that have the
      field: of a list, at least one element.
    - ``count_distinct`` counts distinct values. ``min``, ``max``, ``sum``, ``avg`` and
      ``percentile``, which takes ``argument`` in 0..100, are missing where no event of the
      group has the field.
    - ``first_values`` gives up to ``argument`` values of the field, from the group's earliest
      events on that have it (evidence: ``auditID``); ``last_values`` from its latest events
      back. Events of one moment go by their id, ascending and descending. Events without
      ``@timestamp`` come after all others in both, the earliest and the latest being those
      that are known to be. Missing where no event has the field.
    """

    name: str
    kind: MetricKind
    field: str = ""
    argument: float = 0.0


@dataclass(frozen=True, slots=True)
class Having:
    """Keeps the groups whose metric compares so; several are joined by *and*."""

    metric: str
    op: Comparison
    value: float


@dataclass(frozen=True, slots=True)
class Order:
    """Sorts by a column of the result."""

    column: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A query of a store.

    :param where: which events.
    :param since: keeps events with ``@timestamp >= since`` (timezone-aware).
    :param until: keeps events with ``@timestamp < until`` (timezone-aware).
    :param select: event query: the fields to return, one row an event. Without an
        ``order`` rows come by ``@timestamp`` and event id.
    :param group_by: aggregation: the keys, in the order of the result's columns.
    :param metrics: aggregation: the numbers, after the keys.
    :raises InvalidQuery: when it contradicts itself.
    :raises UnknownField: when a field is not in the field table.
    """

    where: Condition = Always()
    since: datetime | None = None
    until: datetime | None = None
    select: tuple[str, ...] = ()
    group_by: tuple[Key, ...] = ()
    metrics: tuple[Metric, ...] = ()
    having: tuple[Having, ...] = ()
    order: tuple[Order, ...] = ()
    limit: int | None = None

    def __post_init__(self) -> None:
        if bool(self.select) == bool(self.metrics):
            raise InvalidQuery("a query has either fields to select or metrics to compute")
        if self.select and (self.group_by or self.having):
            raise InvalidQuery("a query that selects events cannot group them")
        check_condition(self.where)
        for moment in (self.since, self.until):
            if moment is not None and moment.tzinfo is None:
                raise InvalidQuery("a query's times carry a time zone")
        if self.limit is not None and self.limit < 1:
            raise InvalidQuery("a limit is at least 1")
        _check_columns(self)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the result's columns, in order."""
        if self.select:
            return self.select
        return tuple(k.column for k in self.group_by) + tuple(m.name for m in self.metrics)

    def replace(
        self,
        *,
        where: Condition | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Query:
        """Return the same query over other events; ``None`` keeps the present value."""
        return dataclasses.replace(
            self,
            where=self.where if where is None else where,
            since=self.since if since is None else since,
            until=self.until if until is None else until,
        )


def _check_columns(query: Query) -> None:
    columns = query.columns
    if len(set(columns)) != len(columns):
        raise InvalidQuery(f"two columns have the same name: {', '.join(columns)}")
    for name in query.select:
        resolve(name)
    for key in query.group_by:
        if isinstance(key, Terms):
            resolve(key.field)
        elif key.interval <= timedelta(0):
            raise InvalidQuery("a date histogram's interval is longer than nothing")
    for metric in query.metrics:
        _check_metric(metric)
    metrics = {metric.name for metric in query.metrics}
    for having in query.having:
        if having.metric not in metrics:
            raise InvalidQuery(f"having names no metric of the query: {having.metric}")
    if query.metrics:
        for order in query.order:
            if order.column not in columns:
                raise InvalidQuery(f"the order names no column of the query: {order.column}")
    else:
        for order in query.order:
            resolve(order.column)


def _check_metric(metric: Metric) -> None:
    if not metric.name:
        raise InvalidQuery("a metric has a name")
    if (metric.kind == "count") == bool(metric.field):
        raise InvalidQuery(f"metric {metric.name}: count takes no field, the others take one")
    if not metric.field:
        return
    path = resolve(metric.field)
    if metric.kind in ("sum", "avg", "percentile") and not path.field.is_number:
        raise InvalidQuery(f"metric {metric.name}: {metric.field} is not a number")
    if metric.kind == "percentile" and not 0 <= metric.argument <= 100:
        raise InvalidQuery(f"metric {metric.name}: a percentile lies in 0..100")
    if metric.kind in VALUES and not 1 <= metric.argument <= 100:
        raise InvalidQuery(f"metric {metric.name}: {metric.kind} gives 1 to 100 values")


def check_condition(condition: Condition) -> None:
    """Raise :class:`InvalidQuery` or :class:`UnknownField` when a condition cannot be run."""
    for leaf in leaves(condition):
        path = resolve(leaf.field)
        if isinstance(leaf, Regex):
            _check_regex(leaf)
        if isinstance(leaf, InNetwork) and not path.field.is_address:
            raise InvalidQuery(f"{leaf.field} is not an address")


def _check_regex(leaf: Regex) -> None:
    try:
        compiled(leaf.pattern, ignore_case=leaf.ignore_case)
    except InvalidRegex as error:
        raise InvalidQuery(
            f"{leaf.field}: not a regular expression (RE2 syntax): {error.message}"
        ) from error


def leaves(condition: Condition) -> list[Leaf]:
    """Return all the comparisons in a condition, left to right."""
    if isinstance(condition, And | Or):
        return [leaf for part in condition.conditions for leaf in leaves(part)]
    if isinstance(condition, Not):
        return leaves(condition.condition)
    if isinstance(condition, Always):
        return []
    return [condition]


def rewritten(condition: Condition, change: Callable[[Leaf], Condition]) -> Condition:
    """Return the condition with each comparison replaced by the result of ``change``."""
    if isinstance(condition, And):
        return And(tuple(rewritten(part, change) for part in condition.conditions))
    if isinstance(condition, Or):
        return Or(tuple(rewritten(part, change) for part in condition.conditions))
    if isinstance(condition, Not):
        return Not(rewritten(condition.condition, change))
    return condition if isinstance(condition, Always) else change(condition)


def fields_of(query: Query) -> list[FieldPath]:
    """Return every field that the query reads, each once, in order of first use."""
    names = [leaf.field for leaf in leaves(query.where)]
    names += [*query.select]
    names += [key.field for key in query.group_by if isinstance(key, Terms)]
    names += [metric.field for metric in query.metrics if metric.field]
    if query.since or query.until or any(isinstance(k, DateHistogram) for k in query.group_by):
        names.append(TIMESTAMP)
    return list(dict.fromkeys(resolve(name) for name in names))
