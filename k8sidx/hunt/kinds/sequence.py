"""Sequence hunts: requests of several rules by one key within a time span.

Sigma correlations of the types temporal and temporal_ordered. A key whose requests match
enough of the rules in two adjacent intervals is looked at request by request
(:mod:`k8sidx.hunt.kinds.correlated_events`).
"""

from __future__ import annotations

from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Value
from k8sidx.hunt.definition import SequenceHunt
from k8sidx.hunt.finding_text import listed
from k8sidx.hunt.kinds.burst_findings import burst_facts, burst_finding
from k8sidx.hunt.kinds.correlated_events import GroupKey, Intervals, KeyedEvents, Seen
from k8sidx.hunt.kinds.evidence import exact_result, sortable
from k8sidx.hunt.kinds.threshold import without_time
from k8sidx.hunt.kinds.time_window import Window
from k8sidx.hunt.kinds.windows import Burst, Chain, Slider
from k8sidx.hunt.result import Finding, HuntResult


def run_sequence(hunt: SequenceHunt, engine: Engine, window: Window) -> HuntResult:
    """One finding, and one row, for each key and sequence; overlapping ones are one."""
    found = sorted(
        ((key, burst) for key, bursts in _bursts(hunt, engine, window) for burst in bursts),
        key=lambda one: (sortable(one[0]), one[1].first),
    )
    rows: list[tuple[Value, ...]] = [
        (*key, burst.first, burst.last, burst.requests) for key, burst in found
    ]
    return exact_result(
        hunt,
        engine,
        (*hunt.group_by, "first_seen", "last_seen", "count"),
        rows,
        [_finding(hunt, key, burst) for key, burst in found],
        without_time(hunt, engine, window),
    )


def _bursts(
    hunt: SequenceHunt, engine: Engine, window: Window
) -> list[tuple[GroupKey, list[Burst]]]:
    events = KeyedEvents(hunt.bases, hunt.timespan, engine, window)
    found: list[tuple[GroupKey, list[Burst]]] = []
    for keys, seen in events.read(_meeting(hunt, events)):
        sliders = {key: _Sequence(hunt) for key in keys}
        for one in seen:
            sliders[one.key].add(one)
        found += [(key, slider.bursts) for key, slider in sliders.items()]
    return found


def _meeting(hunt: SequenceHunt, events: KeyedEvents) -> Intervals:
    """For each key the intervals that, with the next one, have enough of the rules."""
    needed = hunt.at_least
    of_rules: list[Intervals] = []
    for place, base in enumerate(hunt.bases):
        found = events.intervals(base)
        of_rules.append(found)
        missing = sum(not one for one in of_rules)
        if missing > len(hunt.bases) - needed:
            return {}
        if needed == len(hunt.bases) and place:
            # Only keys that all rules so far have can still make it.
            of_rules[0] = {key: one for key, one in of_rules[0].items() if key in found}
    meeting: Intervals = {}
    for key in dict.fromkeys(key for found in of_rules for key in found):
        intervals = [found.get(key, {}) for found in of_rules]
        for start in {start for one in intervals for start in one}:
            near = (start, start + hunt.timespan)
            if sum(any(moment in one for moment in near) for one in intervals) >= needed:
                held = meeting.setdefault(key, {})
                for moment in near:
                    held[moment] = sum(one.get(moment, 0) for one in intervals)
    return meeting


class _Sequence:
    """Finds the sequences of one key."""

    def __init__(self, hunt: SequenceHunt) -> None:
        self._finder: Chain | Slider = (
            Chain(hunt.timespan, len(hunt.bases))
            if hunt.ordered
            else Slider(hunt.timespan, hunt.at_least, distinct=True)
        )

    def add(self, seen: Seen) -> None:
        if isinstance(self._finder, Chain):
            self._finder.add(seen.base, seen.request)
        else:
            seen.request.values = ((seen.base,),)
            self._finder.add(seen.request)

    @property
    def bursts(self) -> list[Burst]:
        return self._finder.bursts


def _finding(hunt: SequenceHunt, values: GroupKey, burst: Burst) -> Finding:
    key = dict(zip(hunt.group_by, values, strict=True))
    facts = {**burst_facts(hunt, burst), "steps": _steps(hunt)}
    plain = f"{hunt.title}: {facts['steps']}, within {facts['within']}"
    return burst_finding(hunt, key, burst, facts, plain)


def _steps(hunt: SequenceHunt) -> str:
    titles = [base.title for base in hunt.bases]
    if hunt.ordered:
        return ", then ".join(titles)
    return (
        listed(titles) if hunt.at_least == len(titles) else f"{hunt.at_least} of {listed(titles)}"
    )
