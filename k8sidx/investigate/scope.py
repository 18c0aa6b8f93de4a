"""Scope of an investigation: the events that were looked at, their period and clusters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from k8sidx.backends.protocol import Engine
from k8sidx.errors import UsageError
from k8sidx.query.algebra import Metric, Query, Terms

CLUSTER = "orchestrator.cluster.name"


@dataclass(frozen=True, slots=True)
class Period:
    """A time range.

    :param since: only events from this time on (timezone-aware).
    :param until: only events before this time.
    """

    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """Events of a period.

    :param events: how many there are.
    :param first: time of the earliest, ``last`` of the latest; ``None`` where none has a time.
    :param clusters: names of the clusters; the empty name is that of events without one.
    """

    events: int
    first: datetime | None
    last: datetime | None
    clusters: tuple[str, ...]


def scope_of(engine: Engine, period: Period) -> Scope:
    """Return what there is to look at in a period.

    :raises UsageError: when there is no event: no statement could be made about it.
    :raises StoreError: when the store cannot be read.
    """
    rows = engine.run(
        Query(
            since=period.since,
            until=period.until,
            group_by=(Terms(CLUSTER, keep_missing=True),),
            metrics=(
                Metric("events", "count"),
                Metric("first", "min", "@timestamp"),
                Metric("last", "max", "@timestamp"),
            ),
        )
    ).rows
    events = sum(row[1] for row in rows if isinstance(row[1], int))
    if not events:
        bounded = period.since or period.until
        raise UsageError(
            f"there are no events{' in this period' if bounded else ''}: nothing was looked at.",
            remedy="Give another --since and --until."
            if bounded
            else "Ship some first: k8sidx ship audit.log",
        )
    return Scope(
        events,
        min((row[2] for row in rows if isinstance(row[2], datetime)), default=None),
        max((row[3] for row in rows if isinstance(row[3], datetime)), default=None),
        tuple(sorted(str(row[0] or "") for row in rows)),
    )
