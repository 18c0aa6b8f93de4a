"""Sequence hunts: requests of several rules by one key within a time span.

Sigma correlations of the types temporal and temporal_ordered. A key whose requests match
enough of the rules in two adjacent intervals is evaluated request by request
(:mod:`k8sidx.hunt.kinds.correlated_events`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Value
from k8sidx.errors import InvalidHunt, Where
from k8sidx.hunt.finding_text import listed, span
from k8sidx.hunt.kinds.burst_findings import burst_facts, burst_finding
from k8sidx.hunt.kinds.correlated_events import GroupKey, Intervals, KeyedEvents, RequestMatch
from k8sidx.hunt.kinds.correlation import Correlation, CorrelationRule, events_without_time
from k8sidx.hunt.kinds.evidence import exact_result, sort_key
from k8sidx.hunt.kinds.finding_key import correlation_columns, correlation_key
from k8sidx.hunt.kinds.time_window import Window
from k8sidx.hunt.kinds.windows import Burst, SequenceMatcher, SlidingWindow
from k8sidx.hunt.result import Finding, HuntResult


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceHunt(Correlation):
    """Requests that match several rules, of one key within a time span.

    ``at_least`` so many of the rules.

    :param ordered: whether one after the other, in the order of ``bases``.
    """

    kind = "sequence"
    sigma_types = ("temporal", "temporal_ordered")
    facts = ("times", "within", "sources", "resources", "steps")
    documentation = (
        "Sigma's `temporal` and `temporal_ordered`: requests of one key that match "
        "several rules within a time span, in any order or in that of the rules. The "
        "window slides; overlapping sequences form one finding."
    )
    untranslatable = "it is about requests that follow one another"

    ordered: bool

    @classmethod
    def from_rule(cls, rule: CorrelationRule, common: dict[str, Any]) -> Self:
        return cls(
            **common,
            condition=rule.condition,
            unexempted=rule.unexempted,
            bases=rule.rules,
            group_by=rule.group_by,
            at_least=rule.at_least,
            timespan=rule.timespan,
            ordered=rule.type == "temporal_ordered",
        )

    def conflict(self, extension: Where) -> InvalidHunt | None:
        number = len(self.bases)
        if number < 2:
            return self.invalid("a temporal correlation is about two rules or more.")
        if self.at_least > number or (self.ordered and self.at_least < number):
            return self.invalid(
                f"its condition asks for {self.at_least} of {number} rules.",
                "An ordered correlation needs all of its rules, another one no more than it has.",
            )
        return None

    def run(self, engine: Engine, window: Window) -> HuntResult:
        """Return one finding, and one row, for each key and sequence; overlapping ones are one."""
        bursts = sorted(
            ((key, burst) for key, bursts in _bursts(self, engine, window) for burst in bursts),
            key=lambda keyed: (sort_key(keyed[0]), keyed[1].first),
        )
        rows: list[tuple[Value, ...]] = [
            (*key, burst.first, burst.last, burst.requests) for key, burst in bursts
        ]
        return exact_result(
            self,
            engine,
            (*correlation_columns(self.group_by, window), "first_seen", "last_seen", "count"),
            rows,
            [
                _finding(self, correlation_key(self.group_by, key, window), burst)
                for key, burst in bursts
            ],
            events_without_time(self, engine, window),
        )

    def describe(self) -> str:
        steps = [f"“{base.title}”" for base in self.bases]
        joined = ", then ".join(steps) if self.ordered else listed(steps)
        return f"{joined} within {span(self.timespan)}{self.by_key()}"


def _bursts(
    hunt: SequenceHunt, engine: Engine, window: Window
) -> list[tuple[GroupKey, list[Burst]]]:
    events = KeyedEvents(hunt.bases, hunt.timespan, engine, window)
    bursts: list[tuple[GroupKey, list[Burst]]] = []
    for keys, matches in events.read(_candidates(hunt, events)):
        finders = {key: _SequenceFinder(hunt) for key in keys}
        for match in matches:
            finders[match.key].add(match)
        bursts += [(key, finder.bursts) for key, finder in finders.items()]
    return bursts


def _candidates(hunt: SequenceHunt, events: KeyedEvents) -> Intervals:
    """Return for each key the intervals that, with the next one, match enough of the rules."""
    needed = hunt.at_least
    by_rule: list[Intervals] = []
    for index, base in enumerate(events.bases):
        matched = events.intervals(base)
        by_rule.append(matched)
        missing = sum(not intervals for intervals in by_rule)
        if missing > len(hunt.bases) - needed:
            return {}
        if needed == len(hunt.bases) and index:
            # Only keys that all rules so far have can still make it.
            by_rule[0] = {key: counts for key, counts in by_rule[0].items() if key in matched}
    candidates: Intervals = {}
    for key in dict.fromkeys(key for intervals in by_rule for key in intervals):
        counts_by_rule = [intervals.get(key, {}) for intervals in by_rule]
        for start in {start for counts in counts_by_rule for start in counts}:
            near = (start, start + hunt.timespan)
            if sum(any(moment in counts for moment in near) for counts in counts_by_rule) >= needed:
                totals = candidates.setdefault(key, {})
                for moment in near:
                    totals[moment] = sum(counts.get(moment, 0) for counts in counts_by_rule)
    return candidates


class _SequenceFinder:
    """Finds the sequences of one key."""

    def __init__(self, hunt: SequenceHunt) -> None:
        self._finder: SequenceMatcher | SlidingWindow = (
            SequenceMatcher(hunt.timespan, len(hunt.bases))
            if hunt.ordered
            else SlidingWindow(hunt.timespan, hunt.at_least, distinct=True)
        )

    def add(self, match: RequestMatch) -> None:
        if isinstance(self._finder, SequenceMatcher):
            self._finder.add(match.base, match.request)
        else:
            match.request.values = ((match.base,),)
            self._finder.add(match.request)

    @property
    def bursts(self) -> list[Burst]:
        return self._finder.bursts


def _finding(hunt: SequenceHunt, key: dict[str, Value], burst: Burst) -> Finding:
    facts = {**burst_facts(hunt, burst), "steps": _steps(hunt)}
    default = f"{hunt.title}: {facts['steps']}, within {facts['within']}"
    return burst_finding(hunt, key, burst, facts, default)


def _steps(hunt: SequenceHunt) -> str:
    titles = [base.title for base in hunt.bases]
    if hunt.ordered:
        return ", then ".join(titles)
    return (
        listed(titles) if hunt.at_least == len(titles) else f"{hunt.at_least} of {listed(titles)}"
    )
