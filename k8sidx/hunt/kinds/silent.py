"""Silence hunts: sources that spoke regularly and no longer do, while the log goes on.

Time is counted in intervals in which the log has events, whoever they are of: a gap of the
whole log is nobody's silence. What is usual for a source are the gaps between intervals in
which it spoke that make up nine tenths of its time: nights and weekends belong to it, an
outage or two do not.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from math import ceil

from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Value
from k8sidx.hunt.definition import SilentHunt
from k8sidx.hunt.finding_text import fill, span
from k8sidx.hunt.kinds.baseline_queries import COUNT, in_intervals, sources, spoke
from k8sidx.hunt.kinds.evidence import EVIDENCE_METRICS, exact_result, finding_of, sortable
from k8sidx.hunt.kinds.time_window import Window, extent_of
from k8sidx.hunt.result import CannotJudge, Finding, HuntResult
from k8sidx.query.algebra import Always, And, Compare, Not, Present, Query

LEAST_SPOKEN = 20
"""Intervals in which a source must have spoken before its silence says anything."""
USUAL_SHARE = 0.9

Key = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Silence:
    """A source that stopped.

    :param last: start of the last interval in which it spoke.
    :param usual: its usual gap, in intervals.
    :param length: how long it is silent, in intervals with events of others.
    """

    key: Key
    last: datetime
    usual: int
    length: int


def run_silent(hunt: SilentHunt, engine: Engine, window: Window) -> HuntResult:
    """One finding, and one row, for each source that fell silent in the time looked at."""
    extent = extent_of(engine, window)
    if extent.last is None:
        return _result(hunt, engine, [], [])
    start = (window.since or extent.last) - (window.baseline or hunt.history)
    alive = in_intervals(hunt, Always()).replace(since=start, until=window.until)
    log = [row[0] for row in engine.run(alive).rows if isinstance(row[0], datetime)]
    if len(log) <= LEAST_SPOKEN:
        why = (
            f"{len(log)} intervals of {span(hunt.interval)} have data; to say who fell silent, "
            f"more than {LEAST_SPOKEN} are needed."
        )
        return _result(hunt, engine, [], [], (CannotJudge("history", why),))
    places = {moment: place for place, moment in enumerate(sorted(log))}
    spoken: dict[Key, list[int]] = {}
    for moment, *key, _ in engine.run(spoke(hunt).replace(since=start, until=window.until)).rows:
        if isinstance(moment, datetime) and moment in places:
            spoken.setdefault(tuple(key), []).append(places[moment])
    ordered = sorted(places)
    begun = 0 if window.since is None else bisect_left(ordered, window.since)
    found = [
        silence
        for key, own in sorted(spoken.items(), key=lambda one: sortable(one[0]))
        if (silence := _silence(hunt, key, sorted(own), ordered, begun))
    ]
    findings = [_finding(hunt, engine, one) for one in found]
    rows: list[tuple[Value, ...]] = [
        (*one.key, finding.last_seen, one.length, one.usual, finding.count)
        for one, finding in zip(found, findings, strict=True)
    ]
    return _result(hunt, engine, rows, findings)


def _silence(
    hunt: SilentHunt, key: Key, own: Sequence[int], log: Sequence[datetime], begun: int
) -> Silence | None:
    """The silence of a source, unless it is usual, or was told when it became unusual."""
    if len(own) < LEAST_SPOKEN:
        return None
    usual = usual_gap(own)
    allowed = max(ceil(hunt.gaps * usual), -(-hunt.at_least // hunt.interval))
    length = len(log) - 1 - own[-1]
    unusual_from = own[-1] + allowed + 1
    if length <= allowed or unusual_from < begun:
        return None
    return Silence(key, log[own[-1]], usual, length)


def usual_gap(own: Sequence[int]) -> int:
    """The gap, in intervals, that bounds those of nine tenths of the time."""
    gaps = sorted(later - one for one, later in pairwise(own))
    covered, needed = 0, USUAL_SHARE * sum(gaps)
    for gap in gaps:
        covered += gap
        if covered >= needed:
            return gap
    return 1


def _finding(hunt: SilentHunt, engine: Engine, silence: Silence) -> Finding:
    """The evidence is what the source said last."""
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
            group_by=sources(hunt),
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
    told = ", ".join(f"{name} {{{name}}}" for name in hunt.by)
    plain = f"{told} is silent for {{silent}} since {{time}}; no more than {{usual}} is usual"
    return finding_of(hunt, key, evidence, fill(hunt.reason or plain, key, facts))


def _result(
    hunt: SilentHunt,
    engine: Engine,
    rows: list[tuple[Value, ...]],
    findings: list[Finding],
    cannot_judge: tuple[CannotJudge, ...] = (),
) -> HuntResult:
    columns = (*hunt.by, "last_seen", "silent_intervals", "usual_intervals", "count")
    return exact_result(hunt, engine, columns, rows, findings, cannot_judge)
