"""Spike hunts: more requests in an interval than the same data usually have.

Usual is the median over the intervals, and what lies around it their median absolute
deviation (MAD); both stay as they are when a few intervals hold an attack. Times 1.4826 a
MAD estimates a standard deviation (Rousseeuw and Croux, 1993). It is taken to be at least
the square root of the median, that of counts of independent requests (Poisson), so that a
steady number is not made a surge by one request more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import sqrt
from statistics import median

from k8sidx.engine.protocol import Engine
from k8sidx.engine.result import Value
from k8sidx.hunt.definition import SpikeHunt
from k8sidx.hunt.match import EVIDENCE, EVIDENCE_METRICS, finding_of, sortable, whole
from k8sidx.hunt.result import CannotJudge, Finding, HuntResult
from k8sidx.hunt.sentence import fill, listed, shown, span
from k8sidx.hunt.window import Window, extent_of
from k8sidx.query.algebra import (
    Always,
    And,
    Compare,
    Condition,
    DateHistogram,
    Metric,
    Or,
    Query,
    Terms,
)

LEAST_INTERVALS = 10
"""Intervals with data that are needed to say what is usual."""

CONSISTENT = 1.4826
COUNT = Metric("count", "count")
AT_ONCE = 100
"""Surges whose evidence is asked for in one query."""

_WHO = 3


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual: requests in an interval, and the most that is no surge."""

    middle: float
    limit: float


@dataclass(slots=True)
class Surge:
    """Adjacent intervals above what is usual."""

    since: datetime
    until: datetime
    count: int


def run_spike(hunt: SpikeHunt, engine: Engine, window: Window) -> HuntResult:
    """One finding, and one row, for each surge."""
    extent = extent_of(engine, window)
    if extent.last is None:
        return _result(hunt, engine, [], [])
    since = window.since
    start = (since or extent.last) - (window.baseline or hunt.history)
    data = _histogram(hunt, engine, Always(), start, window.until)
    counted = _histogram(hunt, engine, hunt.condition, start, window.until)
    # Intervals without any event are gaps in the data; without such requests they are zeros.
    series = {moment: counted.get(moment, 0) for moment in sorted(data)}
    past = [count for moment, count in series.items() if since is None or moment < since]
    if len(past) < LEAST_INTERVALS:
        why = (
            f"{len(past)} intervals of {span(hunt.interval)} have data before; to say what is "
            f"usual, at least {LEAST_INTERVALS} are needed."
        )
        return _result(hunt, engine, [], [], (CannotJudge("history", why),))
    usual = _usual(hunt, past)
    current = {
        moment: count
        for moment, count in series.items()
        if since is None or moment + hunt.interval > since
    }
    surges = _surges(hunt, current, usual)
    findings = _findings(hunt, engine, surges, usual)
    rows: list[tuple[Value, ...]] = [(s.since, s.until, usual.middle, s.count) for s in surges]
    return _result(hunt, engine, rows, findings)


def _histogram(
    hunt: SpikeHunt,
    engine: Engine,
    where: Condition,
    since: datetime,
    until: datetime | None,
) -> dict[datetime, int]:
    query = Query(
        where=where,
        since=since,
        until=until,
        group_by=(DateHistogram(hunt.interval, "interval"),),
        metrics=(Metric("count", "count"),),
    )
    rows = engine.run(query).rows
    return {row[0]: whole(row[1]) for row in rows if isinstance(row[0], datetime)}


def _usual(hunt: SpikeHunt, counts: list[int]) -> Usual:
    middle = float(median(counts))
    deviation = CONSISTENT * median(abs(count - middle) for count in counts)
    return Usual(middle, middle + hunt.deviations * max(deviation, sqrt(middle)))


def _surges(hunt: SpikeHunt, series: dict[datetime, int], usual: Usual) -> list[Surge]:
    interval = hunt.interval
    surges: list[Surge] = []
    for moment, count in series.items():
        if count < hunt.at_least or count <= usual.limit:
            continue
        if surges and surges[-1].until == moment:
            surges[-1].until += interval
            surges[-1].count += count
        else:
            surges.append(Surge(moment, moment + interval, count))
    return surges


def _findings(
    hunt: SpikeHunt, engine: Engine, surges: Sequence[Surge], usual: Usual
) -> list[Finding]:
    """Asks for the evidence of many surges at once."""
    found: list[Finding] = []
    for first in range(0, len(surges), AT_ONCE):
        some = surges[first : first + AT_ONCE]
        evidence = _by_interval(hunt, engine, some, (), (COUNT, *EVIDENCE_METRICS))
        who = _by_interval(hunt, engine, some, (Terms(hunt.who, keep_missing=True),), (COUNT,))
        found += [
            _finding(hunt, surge, usual, _joined(surge, evidence), _most(surge, who))
            for surge in some
        ]
    return found


def _by_interval(
    hunt: SpikeHunt,
    engine: Engine,
    surges: Sequence[Surge],
    keys: tuple[Terms, ...],
    metrics: tuple[Metric, ...],
) -> list[tuple[Value, ...]]:
    """What happened in the intervals of the surges, one row for each interval and key."""
    within = Or(
        tuple(
            And(
                (
                    Compare("@timestamp", ">=", one.since.isoformat()),
                    Compare("@timestamp", "<", one.until.isoformat()),
                )
            )
            for one in surges
        )
    )
    query = Query(
        where=And((hunt.condition, within)),
        since=surges[0].since,
        until=surges[-1].until,
        group_by=(DateHistogram(hunt.interval, "interval"), *keys),
        metrics=metrics,
    )
    return engine.run(query).rows


def _of(surge: Surge, rows: list[tuple[Value, ...]]) -> list[tuple[Value, ...]]:
    return [
        row for row in rows if isinstance(row[0], datetime) and surge.since <= row[0] < surge.until
    ]


def _joined(surge: Surge, rows: list[tuple[Value, ...]]) -> tuple[Value, ...]:
    """First and last time, and auditIDs, of a surge's intervals."""
    own = sorted(_of(surge, rows), key=lambda row: str(row[0]))
    audit_ids: list[Value] = []
    for row in own:
        audit_ids += row[4] if isinstance(row[4], list) else []
    return own[0][2], own[-1][3], audit_ids[:EVIDENCE]


def _most(surge: Surge, rows: list[tuple[Value, ...]]) -> list[tuple[Value, int]]:
    """Who made most of a surge."""
    counts: Counter[Value] = Counter()
    for _, who, count in _of(surge, rows):
        counts[who if not isinstance(who, list) else str(who)] += whole(count)
    return sorted(counts.items(), key=lambda one: (-one[1], sortable((one[0],))))[:_WHO]


def _finding(
    hunt: SpikeHunt,
    surge: Surge,
    usual: Usual,
    evidence: tuple[Value, ...],
    who: list[tuple[Value, int]],
) -> Finding:
    most = [f"{shown(hunt.who, name)} ({n:,})" for name, n in who]
    facts = {
        "count": f"{surge.count:,}",
        "usual": f"{usual.middle:g}",
        "interval": span(surge.until - surge.since),
        "time": f"{surge.since:%F %R}Z",
        "who": listed(most),
    }
    plain = "{count} requests within {interval} from {time} on, where {usual} are usual: {who}"
    return finding_of(
        hunt,
        {"since": surge.since, "until": surge.until},
        (surge.count, *evidence),
        fill(hunt.reason or plain, {}, facts),
    )


def _result(
    hunt: SpikeHunt,
    engine: Engine,
    rows: list[tuple[Value, ...]],
    findings: list[Finding],
    cannot_judge: tuple[CannotJudge, ...] = (),
) -> HuntResult:
    columns = ("since", "until", "usual", "count")
    return HuntResult(
        hunt.id,
        hunt.title,
        hunt.level,
        engine.name,
        True,
        columns,
        rows,
        findings,
        cannot_judge=cannot_judge,
    )
