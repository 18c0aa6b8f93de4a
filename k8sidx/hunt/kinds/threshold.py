"""Threshold hunts: many requests, or many different values, of one key within a time span.

Sigma correlations of the types event_count and value_count. Of the two adjacent intervals
that a window lies in, one holds at least half of what the window holds: only there can be a
burst (:mod:`k8sidx.hunt.kinds.correlated_events`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from datetime import datetime

from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Value
from k8sidx.hunt.definition import Correlation, ThresholdHunt
from k8sidx.hunt.kinds.burst_findings import burst_facts, burst_finding
from k8sidx.hunt.kinds.correlated_events import GroupKey, Intervals, KeyedEvents, Seen
from k8sidx.hunt.kinds.evidence import exact_result, sortable, whole
from k8sidx.hunt.kinds.time_window import Window
from k8sidx.hunt.kinds.windows import Burst, Slider
from k8sidx.hunt.result import CannotJudge, Finding, HuntResult
from k8sidx.query.algebra import And, Metric, Not, Present, Query


def run_threshold(hunt: ThresholdHunt, engine: Engine, window: Window) -> HuntResult:
    """One finding, and one row, for each key and burst."""
    found = sorted(
        (
            (key, burst)
            for key, slider in _slid(hunt, engine, window).items()
            for burst in slider.bursts
        ),
        key=lambda one: (-one[1].requests, sortable(one[0]), one[1].first),
    )
    shown_values = ("values",) if hunt.values else ()
    rows: list[tuple[Value, ...]] = [
        (*key, burst.first, burst.last, *([len(burst.values)] if hunt.values else []),
         burst.requests)
        for key, burst in found
    ]  # fmt: skip
    return exact_result(
        hunt,
        engine,
        (*hunt.group_by, "first_seen", "last_seen", *shown_values, "count"),
        rows,
        [_finding(hunt, key, burst) for key, burst in found],
        without_time(hunt, engine, window),
    )


def _slid(hunt: ThresholdHunt, engine: Engine, window: Window) -> dict[GroupKey, Slider]:
    """All keys that may have bursts, with those that they have."""
    events = KeyedEvents(hunt.bases, hunt.timespan, engine, window)
    # Of several rules one holds its share of that half.
    share = math.ceil(math.ceil(hunt.at_least / 2) / len(hunt.bases))
    heavy: Intervals = {}
    for base in hunt.bases:
        for key, counts in events.intervals(base, share).items():
            held = heavy.setdefault(key, {})
            for start, count in counts.items():
                held[start] = held.get(start, 0) + count
    sliders: dict[GroupKey, Slider] = {}
    for keys, seen in events.read(heavy):
        made = {
            key: Slider(hunt.timespan, hunt.at_least, distinct=bool(hunt.values)) for key in keys
        }
        for one in _once(seen) if len(hunt.bases) > 1 else seen:
            made[one.key].add(one.request)
        sliders |= made
    return sliders


def _once(seen: Iterable[Seen]) -> Iterator[Seen]:
    """Requests in order of time; one that several rules match is passed on once."""
    moment: datetime | None = None
    passed: set[tuple[GroupKey, str]] = set()
    for one in seen:
        if one.request.time != moment:
            moment = one.request.time
            passed.clear()
        if (one.key, one.request.event_id) not in passed:
            passed.add((one.key, one.request.event_id))
            yield one


def without_time(hunt: Correlation, engine: Engine, window: Window) -> tuple[CannotJudge, ...]:
    """What could not be judged: events without a time are in no window."""
    if window.since or window.until:
        return ()
    timeless = Query(
        where=And((hunt.condition, Not(Present("@timestamp")))),
        metrics=(Metric("events", "count"),),
    )
    rows = engine.run(timeless).rows
    count = whole(rows[0][0]) if rows else 0
    if not count:
        return ()
    have = "event has" if count == 1 else "events have"
    return (CannotJudge("time", f"{count:,} {have} no time.", count),)


def _finding(hunt: ThresholdHunt, values: GroupKey, burst: Burst) -> Finding:
    key = dict(zip(hunt.group_by, values, strict=True))
    facts = {**burst_facts(hunt, burst), "values": f"{len(burst.values):,}"}
    many = f", {facts['values']} different {' and '.join(hunt.values)}" if hunt.values else ""
    plain = f"{hunt.title}: {facts['times']}{many} within {facts['within']}"
    return burst_finding(hunt, key, burst, facts, plain)
