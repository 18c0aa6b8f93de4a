"""Silence hunts: sources that were active regularly and no longer are, while the log continues.

Time is counted in intervals in which the log has events of any source: a gap of the whole
log is nobody's silence. Usual for a source are the gaps between its active intervals that
make up nine tenths of its time: nights and weekends belong to them, an outage or two do not.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil

from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Value
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.finding_text import code_names, fill, span
from k8sidx.hunt.kinds.evidence import COUNT, EVIDENCE_METRICS, exact_result, finding_of, sort_key
from k8sidx.hunt.kinds.options import Positive, SomeFieldNames, Span
from k8sidx.hunt.kinds.time_window import EXTENT, Window, count_by_interval, extent_of
from k8sidx.hunt.result import Finding, HuntResult, Unjudged
from k8sidx.query.algebra import Always, And, Compare, Not, Present, Query, Terms

LEAST_ACTIVE = 20
"""Intervals in which a source must have been active before its silence means anything."""
USUAL_SHARE = 0.9

Key = tuple[Value, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SilentHunt(Hunt):
    """Sources that were active regularly and no longer are.

    :param by: the fields that identify a source.
    :param interval: length of an interval in which it was active or not.
    :param gaps: how many times its usual gap a source must be silent …
    :param at_least: … and how long in any case.
    :param history: length of the baseline when none is requested.
    """

    kind = "silent"
    facts = ("silent", "usual", "time")
    documentation = "sources that were regularly active and stopped, while the log continues."
    untranslatable = "it is about sources that fell silent, so about events that are not there"

    by: SomeFieldNames
    interval: Span = timedelta(minutes=10)
    gaps: Positive = 3.0
    at_least: Span = timedelta(hours=1)
    history: Span = timedelta(days=30)

    def run(self, engine: Engine, window: Window) -> HuntResult:
        """Return one finding, and one row, for each source that fell silent in the window."""
        extent = extent_of(engine, window)
        if extent.last is None:
            return _result(self, engine, [], [])
        start = (window.since or extent.last) - (window.baseline or self.history)
        log = _intervals_of_log(self, engine, start, window.until)
        if len(log) <= LEAST_ACTIVE:
            why = (
                f"{len(log)} intervals of {span(self.interval)} have data; to say who fell silent, "
                f"more than {LEAST_ACTIVE} are needed."
            )
            return _result(self, engine, [], [], (Unjudged("history", why),))
        active = _active_intervals(self, engine, log, start, window.until)
        first = 0 if window.since is None else bisect_left(log, window.since)
        silences = [
            silence
            for key, own in sorted(active.items(), key=lambda item: sort_key(item[0]))
            if (silence := _silence(self, key, sorted(own), log, first))
        ]
        findings = [_finding(self, engine, silence) for silence in silences]
        rows: list[tuple[Value, ...]] = [
            (*silence.key, finding.last_seen, silence.length, silence.usual, finding.count)
            for silence, finding in zip(silences, findings, strict=True)
        ]
        return _result(self, engine, rows, findings)

    def key_names(self) -> Collection[str]:
        return self.by

    def required_fields(self) -> Collection[str]:
        return self.by

    def baseline_queries(self, window: Window | None = None) -> tuple[Query, ...]:
        return (EXTENT, count_by_interval(Always(), self.interval), _activity_query(self))

    def describe(self) -> str:
        return (
            f"each {code_names(self.by)} that is silent for {self.gaps:g} times as long as "
            f"usual, {span(self.at_least)} or longer"
        )


@dataclass(frozen=True, slots=True)
class Silence:
    """A source that stopped.

    :param last: start of its last active interval.
    :param usual: its usual gap, in intervals.
    :param length: length of the silence, in intervals with events of others.
    """

    key: Key
    last: datetime
    usual: int
    length: int


def _sources(hunt: SilentHunt) -> tuple[Terms, ...]:
    """Return the keys that identify a source: a missing field is a value, too."""
    return tuple(Terms(name, keep_missing=True) for name in hunt.by)


def _activity_query(hunt: SilentHunt) -> Query:
    """Return the query for the events of each source in each interval."""
    return count_by_interval(hunt.condition, hunt.interval, *_sources(hunt))


def _intervals_of_log(
    hunt: SilentHunt, engine: Engine, since: datetime, until: datetime | None
) -> list[datetime]:
    """Return the starts of the intervals in which the log has events, in order."""
    query = count_by_interval(Always(), hunt.interval).replace(since=since, until=until)
    return sorted(row[0] for row in engine.run(query).rows if isinstance(row[0], datetime))


def _active_intervals(
    hunt: SilentHunt,
    engine: Engine,
    log: Sequence[datetime],
    since: datetime,
    until: datetime | None,
) -> dict[Key, list[int]]:
    """Return for each source the indexes in ``log`` of the intervals in which it was active."""
    indexes = {moment: index for index, moment in enumerate(log)}
    active: dict[Key, list[int]] = {}
    for moment, *key, _ in engine.run(_activity_query(hunt).replace(since=since, until=until)).rows:
        if isinstance(moment, datetime) and moment in indexes:
            active.setdefault(tuple(key), []).append(indexes[moment])
    return active


def _silence(
    hunt: SilentHunt, key: Key, own: Sequence[int], log: Sequence[datetime], first: int
) -> Silence | None:
    """Return the silence of a source, unless it is usual or was unusual before the window.

    :param own: indexes of its active intervals in ``log``.
    :param first: index of the window's first interval.
    """
    if len(own) < LEAST_ACTIVE:
        return None
    usual = usual_gap(own)
    allowed = max(ceil(hunt.gaps * usual), -(-hunt.at_least // hunt.interval))
    length = len(log) - 1 - own[-1]
    unusual_from = own[-1] + allowed + 1
    if length <= allowed or unusual_from < first:
        return None
    return Silence(key, log[own[-1]], usual, length)


def usual_gap(own: Sequence[int]) -> int:
    """Return the gap, in intervals, that bounds those of nine tenths of the time."""
    gaps = sorted(later - earlier for earlier, later in pairwise(own))
    covered, needed = 0, USUAL_SHARE * sum(gaps)
    for gap in gaps:
        covered += gap
        if covered >= needed:
            return gap
    return 1


def _finding(hunt: SilentHunt, engine: Engine, silence: Silence) -> Finding:
    """Return the finding; its evidence are the requests of the last active interval."""
    key = dict(zip(hunt.by, silence.key, strict=True))
    same = tuple(
        Compare(name, "=", value) if isinstance(value, str | int | float) else Not(Present(name))
        for name, value in key.items()
    )
    last = engine.run(
        Query(
            where=And((hunt.condition, *same)),
            since=silence.last,
            until=silence.last + hunt.interval,
            group_by=_sources(hunt),
            metrics=(COUNT, *EVIDENCE_METRICS),
        )
    ).rows
    evidence = next(row[len(key) :] for row in last if row[: len(key)] == silence.key)
    seen = evidence[2]
    facts = {
        "silent": span(silence.length * hunt.interval),
        "usual": span(silence.usual * hunt.interval),
        "time": f"{seen:%F %R}Z" if isinstance(seen, datetime) else "",
    }
    source = ", ".join(f"{name} {{{name}}}" for name in hunt.by)
    default = f"{source} is silent for {{silent}} since {{time}}; no more than {{usual}} is usual"
    return finding_of(hunt, key, evidence, fill(hunt.reason or default, key, facts))


def _result(
    hunt: SilentHunt,
    engine: Engine,
    rows: list[tuple[Value, ...]],
    findings: list[Finding],
    unjudged: tuple[Unjudged, ...] = (),
) -> HuntResult:
    columns = (*hunt.by, "last_seen", "silent_intervals", "usual_intervals", "count")
    return exact_result(hunt, engine, columns, rows, findings, unjudged)
