"""Events that a run looked at: how many, of which time, of which clusters.

A result without findings means something only with it: a window that has no events is not safe.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Value
from k8sidx.errors import UnsupportedQuery
from k8sidx.hunt.kinds.evidence import as_count
from k8sidx.hunt.kinds.time_window import CLUSTER, EXTENT, Window
from k8sidx.hunt.result import EventsJudged
from k8sidx.query.algebra import Metric, Query, Terms

_METRICS = (
    Metric("events", "count"),
    Metric("first", "min", "@timestamp"),
    Metric("last", "max", "@timestamp"),
)


def events_judged(engine: Engine, since: datetime | None, until: datetime | None) -> EventsJudged:
    """Return the events of a time range.

    :raises StoreError: when the store cannot be read.
    """
    rows, named = _rows(engine, since, until)
    counted = [(name, as_count(count)) for name, count, _, _ in rows]
    clusters = sorted(
        ((None if name is None else str(name), count) for name, count in counted if count),
        key=lambda pair: (-pair[1], pair[0] or ""),
    )
    newest = _newest([row[3] for row in rows])
    total = sum(count for _, count in counted)
    return EventsJudged(
        total,
        since,
        until,
        min((row[2] for row in rows if isinstance(row[2], datetime)), default=None),
        newest,
        newest if total and until is None else _newest(engine.run(EXTENT).rows[0][1:]),
        tuple(clusters) if named else (),
    )


def clusters_of(engine: Engine, window: Window) -> tuple[str | None, ...]:
    """Return the names of the clusters in the data up to the window's end, as baselines need
    them."""
    rows, named = _rows(engine, None, window.until)
    if not named:
        return ()
    names = {None if row[0] is None else str(row[0]) for row in rows if as_count(row[1])}
    return tuple(sorted(names, key=lambda name: name or ""))


def _rows(
    engine: Engine, since: datetime | None, until: datetime | None
) -> tuple[Sequence[tuple[Value, ...]], bool]:
    """Return the name, count, first and last time by cluster, and whether there are names."""
    query = Query(
        since=since, until=until, group_by=(Terms(CLUSTER, keep_missing=True),), metrics=_METRICS
    )
    try:
        return engine.run(query).rows, True
    except UnsupportedQuery:
        whole = engine.run(Query(since=since, until=until, metrics=_METRICS)).rows
        return [(None, *row) for row in whole], False


def _newest(values: Sequence[Value]) -> datetime | None:
    return max((value for value in values if isinstance(value, datetime)), default=None)
