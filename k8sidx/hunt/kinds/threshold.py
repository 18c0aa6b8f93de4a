"""Threshold hunts: many requests, or many different values, of one key within a time span.

Sigma correlations of the types event_count and value_count. Of the two adjacent intervals
that a window lies in, one contains at least half of what the window contains: only there can
be a burst (:mod:`k8sidx.hunt.kinds.correlated_events`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Value
from k8sidx.hunt.finding_text import code_names, span
from k8sidx.hunt.kinds.burst_findings import burst_facts, burst_finding
from k8sidx.hunt.kinds.correlated_events import GroupKey, Intervals, KeyedEvents, RequestMatch
from k8sidx.hunt.kinds.correlation import (
    BaseRule,
    Correlation,
    CorrelationRule,
    events_without_time,
)
from k8sidx.hunt.kinds.evidence import exact_result, sort_key
from k8sidx.hunt.kinds.finding_key import correlation_columns, correlation_key
from k8sidx.hunt.kinds.time_window import Window
from k8sidx.hunt.kinds.windows import Burst, SlidingWindow
from k8sidx.hunt.result import Finding, HuntResult


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdHunt(Correlation):
    """Many requests, or many different values, of one key within a time span.

    :param values: names of the fields whose combinations are counted; empty to count
        requests.
    """

    kind = "threshold"
    sigma_types = ("event_count", "value_count")
    facts = ("times", "values", "within", "sources", "resources")
    documentation = (
        "Sigma's `event_count` and `value_count`. The window slides; overlapping windows "
        "that reach the threshold form one finding. A request counts once."
    )

    values: tuple[str, ...]

    @classmethod
    def from_rule(cls, rule: CorrelationRule, common: dict[str, Any]) -> Self:
        first = rule.rules[0]
        together = (
            BaseRule(rule.title, rule.condition, first.group_by, first.values, rule.unexempted),
        )
        return cls(
            **common,
            condition=rule.condition,
            unexempted=rule.unexempted,
            bases=rule.rules if rule.has_aliases else together,
            group_by=rule.group_by,
            values=rule.values,
            at_least=rule.at_least,
            timespan=rule.timespan,
        )

    def run(self, engine: Engine, window: Window) -> HuntResult:
        """Return one finding, and one row, for each key and burst."""
        bursts = sorted(
            (
                (key, burst)
                for key, sliding in _sliding_windows(self, engine, window).items()
                for burst in sliding.bursts
            ),
            key=lambda keyed: (-keyed[1].requests, sort_key(keyed[0]), keyed[1].first),
        )
        values_column = ("values",) if self.values else ()
        rows: list[tuple[Value, ...]] = [
            (*key, burst.first, burst.last, *([len(burst.values)] if self.values else []),
             burst.requests)
            for key, burst in bursts
        ]  # fmt: skip
        return exact_result(
            self,
            engine,
            (
                *correlation_columns(self.group_by, window),
                "first_seen",
                "last_seen",
                *values_column,
                "count",
            ),
            rows,
            [
                _finding(self, correlation_key(self.group_by, key, window), burst)
                for key, burst in bursts
            ],
            events_without_time(self, engine, window),
        )

    def describe(self) -> str:
        counted = f"different {code_names(self.values)}" if self.values else "requests"
        return f"{self.at_least} or more {counted} within {span(self.timespan)}{self.by_key()}"


def _sliding_windows(
    hunt: ThresholdHunt, engine: Engine, window: Window
) -> dict[GroupKey, SlidingWindow]:
    """Return the bursts of all keys that may have some."""
    events = KeyedEvents(hunt.bases, hunt.timespan, engine, window)
    # Of several rules one has its share of that half.
    share = math.ceil(math.ceil(hunt.at_least / 2) / len(hunt.bases))
    heavy: Intervals = {}
    for base in events.bases:
        for key, counts in events.intervals(base, share).items():
            totals = heavy.setdefault(key, {})
            for start, count in counts.items():
                totals[start] = totals.get(start, 0) + count
    by_key: dict[GroupKey, SlidingWindow] = {}
    for keys, matches in events.read(heavy):
        batch = {
            key: SlidingWindow(hunt.timespan, hunt.at_least, distinct=bool(hunt.values))
            for key in keys
        }
        for match in _distinct(matches) if len(hunt.bases) > 1 else matches:
            batch[match.key].add(match.request)
        by_key |= batch
    return by_key


def _distinct(matches: Iterable[RequestMatch]) -> Iterator[RequestMatch]:
    """Yield requests in order of time, those that several rules match once."""
    moment: datetime | None = None
    yielded: set[tuple[GroupKey, str]] = set()
    for match in matches:
        if match.request.time != moment:
            moment = match.request.time
            yielded.clear()
        if (match.key, match.request.event_id) not in yielded:
            yielded.add((match.key, match.request.event_id))
            yield match


def _finding(hunt: ThresholdHunt, key: dict[str, Value], burst: Burst) -> Finding:
    facts = {**burst_facts(hunt, burst), "values": f"{len(burst.values):,}"}
    many = f", {facts['values']} different {' and '.join(hunt.values)}" if hunt.values else ""
    default = f"{hunt.title}: {facts['times']}{many} within {facts['within']}"
    return burst_finding(hunt, key, burst, facts, default)
