"""Spike hunts: more requests in an interval than the same data usually have.

Usual is the median over the intervals, and what lies around it their median absolute
deviation (MAD); both stay as they are when a few intervals hold an attack. Times 1.4826 a
MAD estimates a standard deviation (Rousseeuw and Croux, 1993). It is taken to be at least
the square root of the median, that of counts of independent requests (Poisson), so that a
steady number is not made a surge by one request more, and at least one request.

An interval is compared with those of the same hour of the week where there are three weeks
of them, of the same hour of the day where there is one, else with all: work goes by the
clock, and Monday morning is no attack.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt
from statistics import median

from k8sidx.backends.finding_record import EVIDENCE
from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Value
from k8sidx.hunt.definition import SpikeHunt
from k8sidx.hunt.finding_text import fill, listed, shown, span
from k8sidx.hunt.kinds.baseline_queries import COUNT, in_intervals
from k8sidx.hunt.kinds.evidence import EVIDENCE_METRICS, exact_result, finding_of, sortable, whole
from k8sidx.hunt.kinds.time_window import Window, extent_of, in_any
from k8sidx.hunt.result import CannotJudge, Finding, HuntResult
from k8sidx.query.algebra import (
    Always,
    And,
    DateHistogram,
    Metric,
    Query,
    Terms,
)

LEAST_INTERVALS = 10
"""Intervals with data that are needed to say what is usual."""

WEEKS, DAYS = timedelta(weeks=3), timedelta(weeks=1)
"""History that is needed to compare by the hour of the week, and of the day."""

CONSISTENT = 1.4826
AT_ONCE = 100
"""Surges whose evidence is asked for in one query."""

_WHO = 3


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual: requests in an interval, and the most that is no surge.

    :param hour: words for the time that it is usual at; empty for any.
    """

    middle: float
    limit: float
    hour: str = ""


@dataclass(slots=True)
class Surge:
    """Adjacent intervals above what is usual."""

    since: datetime
    until: datetime
    count: int
    usual: Usual


def run_spike(hunt: SpikeHunt, engine: Engine, window: Window) -> HuntResult:
    """One finding, and one row, for each surge."""
    extent = extent_of(engine, window)
    if extent.last is None:
        return _result(hunt, engine, [], [])
    since = window.since
    start = (since or extent.last) - (window.baseline or hunt.history)
    data = _histogram(in_intervals(hunt, Always()), engine, start, window.until)
    counted = _histogram(in_intervals(hunt, hunt.condition), engine, start, window.until)
    # Intervals without any event are gaps in the data; without such requests they are zeros.
    series = {moment: counted.get(moment, 0) for moment in sorted(data)}
    past = {moment: count for moment, count in series.items() if since is None or moment < since}
    if len(past) < LEAST_INTERVALS:
        why = (
            f"{len(past)} intervals of {span(hunt.interval)} have data before; to say what is "
            f"usual, at least {LEAST_INTERVALS} are needed."
        )
        return _result(hunt, engine, [], [], (CannotJudge("history", why),))
    usual = _Seasons(hunt, past)
    current = {
        moment: count
        for moment, count in series.items()
        if since is None or moment + hunt.interval > since
    }
    surges = _surges(hunt, current, usual)
    findings = _findings(hunt, engine, surges)
    rows: list[tuple[Value, ...]] = [(s.since, s.until, s.usual.middle, s.count) for s in surges]
    return _result(hunt, engine, rows, findings)


def _histogram(
    asked: Query, engine: Engine, since: datetime, until: datetime | None
) -> dict[datetime, int]:
    rows = engine.run(asked.replace(since=since, until=until)).rows
    return {row[0]: whole(row[1]) for row in rows if isinstance(row[0], datetime)}


def _hour_of_day(moment: datetime) -> str:
    return f" at {moment:%H}h UTC"


def _hour_of_week(moment: datetime) -> str:
    return f" on {moment:%A}s at {moment:%H}h UTC"


def _any_time(_: datetime) -> str:
    return ""


class _Seasons:
    """What is usual at a time.

    :param past: intervals that have data, with their counts.
    """

    def __init__(self, hunt: SpikeHunt, past: dict[datetime, int]) -> None:
        reach = max(past) + hunt.interval - min(past)
        self._kinds: list[Callable[[datetime], str]] = [_any_time]
        if reach >= DAYS:
            self._kinds.insert(0, _hour_of_day)
        if reach >= WEEKS:
            self._kinds.insert(0, _hour_of_week)
        counts: dict[str, list[int]] = {}
        for moment, count in past.items():
            for kind in self._kinds:
                counts.setdefault(kind(moment), []).append(count)
        self._usual = {
            hour: _usual(hunt, some, hour)
            for hour, some in counts.items()
            if len(some) >= LEAST_INTERVALS
        }

    def at(self, moment: datetime) -> Usual:
        """By the hour where enough intervals of it have data, else by less."""
        return next(
            self._usual[hour] for kind in self._kinds if (hour := kind(moment)) in self._usual
        )


def _usual(hunt: SpikeHunt, counts: list[int], hour: str) -> Usual:
    middle = float(median(counts))
    deviation = CONSISTENT * median(abs(count - middle) for count in counts)
    return Usual(middle, middle + hunt.deviations * max(deviation, sqrt(middle), 1.0), hour)


def _surges(hunt: SpikeHunt, series: dict[datetime, int], seasons: _Seasons) -> list[Surge]:
    interval = hunt.interval
    surges: list[Surge] = []
    for moment, count in series.items():
        if count < hunt.at_least or count <= (usual := seasons.at(moment)).limit:
            continue
        if surges and surges[-1].until == moment:
            surges[-1].until += interval
            surges[-1].count += count
        else:
            surges.append(Surge(moment, moment + interval, count, usual))
    return surges


def _findings(hunt: SpikeHunt, engine: Engine, surges: Sequence[Surge]) -> list[Finding]:
    """Asks for the evidence of many surges at once."""
    found: list[Finding] = []
    for first in range(0, len(surges), AT_ONCE):
        some = surges[first : first + AT_ONCE]
        evidence = _by_interval(hunt, engine, some, (), (COUNT, *EVIDENCE_METRICS))
        who = _by_interval(hunt, engine, some, (Terms(hunt.who, keep_missing=True),), (COUNT,))
        found += [
            _finding(hunt, surge, _joined(surge, evidence), _most(surge, who)) for surge in some
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
    within = in_any((one.since, one.until) for one in surges)
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
    evidence: tuple[Value, ...],
    who: list[tuple[Value, int]],
) -> Finding:
    most = [f"{shown(hunt.who, name)} ({n:,})" for name, n in who]
    facts = {
        "count": f"{surge.count:,}",
        "usual": f"{surge.usual.middle:g}",
        "hour": surge.usual.hour,
        "interval": span(surge.until - surge.since),
        "time": f"{surge.since:%F %R}Z",
        "who": listed(most),
    }
    plain = (
        "{count} requests within {interval} from {time} on, where {usual} are usual{hour}: {who}"
    )
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
    return exact_result(hunt, engine, columns, rows, findings, cannot_judge)
