"""Spike hunts: more requests in an interval than the same data usually have.

Usual is the median over the intervals, and its spread their median absolute deviation (MAD);
both hardly change when a few intervals contain an attack. Times 1.4826 a MAD estimates a
standard deviation (Rousseeuw and Croux, 1993). It is taken to be at least the square root of
the median, that of counts of independent requests (Poisson), so that one request more does
not make a surge of a steady number, and at least one request.

An interval is compared with those of the same hour of the week where there are three weeks
of them, of the same hour of the day where there is one, else with all: work goes by the
clock, and Monday morning is not an attack.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt
from statistics import median

from k8sidx.backends.finding_record import EVIDENCE
from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Value
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.finding_text import display_value, fill, listed, span
from k8sidx.hunt.kinds.evidence import (
    COUNT,
    EVIDENCE_METRICS,
    as_count,
    exact_result,
    finding_of,
    sort_key,
)
from k8sidx.hunt.kinds.finding_key import caller_fields
from k8sidx.hunt.kinds.options import Count, FieldName, Positive, Span
from k8sidx.hunt.kinds.time_window import (
    EXTENT,
    WHOLE,
    Window,
    count_by_interval,
    extent_of,
    in_any,
)
from k8sidx.hunt.result import Finding, HuntResult, Unjudged
from k8sidx.query.algebra import (
    Always,
    And,
    DateHistogram,
    Metric,
    Query,
    Terms,
)

LEAST_INTERVALS = 10
"""Intervals with data that are needed to compute the usual number."""

WEEKS, DAYS = timedelta(weeks=3), timedelta(weeks=1)
"""History that is needed to compare by the hour of the week, and of the day."""

MAD_TO_DEVIATION = 1.4826
SURGES_AT_ONCE = 100
"""Surges whose evidence one query reads."""

MAX_NAMED = 3
"""Sources of a surge that a sentence names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikeHunt(Hunt):
    """More requests in an interval than the same data usually have.

    :param interval: length of an interval.
    :param at_least: fewer than so many requests are never a surge.
    :param deviations: how many median absolute deviations above the median a surge is.
    :param history: length of the baseline when none is requested.
    :param who: the field that identifies the source of a surge.
    """

    kind = "spike"
    facts = ("count", "usual", "hour", "interval", "time", "who")
    documentation = (
        "intervals with more requests than usual: above the median by a number of median "
        "absolute deviations, at the same hour of the week with three weeks of data, of "
        "the day with one week. Nothing is judged with fewer than ten intervals of data."
    )
    untranslatable = "it compares with what is usual in the same data"

    interval: Span = timedelta(minutes=5)
    at_least: Count = 30
    deviations: Positive = 6.0
    history: Span = timedelta(days=30)
    who: FieldName = "user.effective.name"

    def run(self, engine: Engine, window: Window) -> HuntResult:
        """Return one finding, and one row, for each surge."""
        extent = extent_of(engine, window)
        if extent.last is None:
            return _result(self, engine, [], [])
        since = window.since
        start = (since or extent.last) - (window.baseline or self.history)
        data = _histogram(_all_events(self), engine, start, window.until)
        counted = _histogram(_own_events(self), engine, start, window.until)
        # Intervals without any event are gaps in the data; without such requests they are zeros.
        series = {moment: counted.get(moment, 0) for moment in sorted(data)}
        past = {moment: n for moment, n in series.items() if since is None or moment < since}
        if len(past) < LEAST_INTERVALS:
            why = (
                f"{len(past)} intervals of {span(self.interval)} have data before; to say what is "
                f"usual, at least {LEAST_INTERVALS} are needed."
            )
            return _result(self, engine, [], [], (Unjudged("history", why),))
        current = {
            moment: count
            for moment, count in series.items()
            if since is None or moment + self.interval > since
        }
        surges = _surges(self, current, _Seasons(self, past))
        findings = _findings(self, engine, surges)
        rows: list[tuple[Value, ...]] = [
            (surge.since, surge.until, surge.usual.middle, surge.count) for surge in surges
        ]
        return _result(self, engine, rows, findings)

    def judges_clusters_alone(self, window: Window) -> bool:
        return True

    def key_names(self) -> Collection[str]:
        return ()

    def required_fields(self) -> Collection[str]:
        return caller_fields((self.who,), WHOLE)

    def baseline_queries(self, window: Window | None = None) -> tuple[Query, ...]:
        return (EXTENT, _all_events(self), _own_events(self))

    def describe(self) -> str:
        return (
            f"intervals of {span(self.interval)} with {self.at_least} or more requests, "
            f"{self.deviations:g} deviations above the median"
        )


@dataclass(frozen=True, slots=True)
class Usual:
    """Usual number of requests in an interval.

    :param middle: the median.
    :param limit: the largest number that is not a surge.
    :param hour: words for the hours that it is computed from; empty for any.
    """

    middle: float
    limit: float
    hour: str = ""


@dataclass(slots=True)
class Surge:
    """Adjacent intervals with more requests than usual."""

    since: datetime
    until: datetime
    count: int
    usual: Usual


def _all_events(hunt: SpikeHunt) -> Query:
    return count_by_interval(Always(), hunt.interval)


def _own_events(hunt: SpikeHunt) -> Query:
    return count_by_interval(hunt.condition, hunt.interval)


def _histogram(
    query: Query, engine: Engine, since: datetime, until: datetime | None
) -> dict[datetime, int]:
    rows = engine.run(query.replace(since=since, until=until)).rows
    return {row[0]: as_count(row[1]) for row in rows if isinstance(row[0], datetime)}


def _hour_of_day(moment: datetime) -> str:
    return f" at {moment:%H}h UTC"


def _hour_of_week(moment: datetime) -> str:
    return f" on {moment:%A}s at {moment:%H}h UTC"


def _any_time(_: datetime) -> str:
    return ""


class _Seasons:
    """Usual numbers by hour of the week, hour of the day or overall.

    :param past: intervals that have data, with their counts.
    """

    def __init__(self, hunt: SpikeHunt, past: dict[datetime, int]) -> None:
        reach = max(past) + hunt.interval - min(past)
        self._labels: list[Callable[[datetime], str]] = [_any_time]
        if reach >= DAYS:
            self._labels.insert(0, _hour_of_day)
        if reach >= WEEKS:
            self._labels.insert(0, _hour_of_week)
        counts: dict[str, list[int]] = {}
        for moment, count in past.items():
            for label in self._labels:
                counts.setdefault(label(moment), []).append(count)
        self._usual = {
            hour: _usual(hunt, of_hour, hour)
            for hour, of_hour in counts.items()
            if len(of_hour) >= LEAST_INTERVALS
        }

    def at(self, moment: datetime) -> Usual:
        """Return the usual number for the narrowest hour of which enough intervals have data."""
        return next(
            self._usual[hour] for label in self._labels if (hour := label(moment)) in self._usual
        )


def _usual(hunt: SpikeHunt, counts: list[int], hour: str) -> Usual:
    middle = float(median(counts))
    deviation = MAD_TO_DEVIATION * median(abs(count - middle) for count in counts)
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
    """Return the findings; one query reads the evidence of many surges."""
    findings: list[Finding] = []
    for first in range(0, len(surges), SURGES_AT_ONCE):
        batch = surges[first : first + SURGES_AT_ONCE]
        evidence = _by_interval(hunt, engine, batch, (), (COUNT, *EVIDENCE_METRICS))
        (source,) = caller_fields((hunt.who,), WHOLE)
        who = _by_interval(hunt, engine, batch, (Terms(source, keep_missing=True),), (COUNT,))
        findings += [
            _finding(hunt, surge, _joined(surge, evidence), _most(surge, who)) for surge in batch
        ]
    return findings


def _by_interval(
    hunt: SpikeHunt,
    engine: Engine,
    surges: Sequence[Surge],
    keys: tuple[Terms, ...],
    metrics: tuple[Metric, ...],
) -> list[tuple[Value, ...]]:
    """Return one row for each interval of the surges and key."""
    within = in_any((surge.since, surge.until) for surge in surges)
    query = Query(
        where=And((hunt.condition, within)),
        since=surges[0].since,
        until=surges[-1].until,
        group_by=(DateHistogram(hunt.interval, "interval"), *keys),
        metrics=metrics,
    )
    return engine.run(query).rows


def _rows_of(surge: Surge, rows: list[tuple[Value, ...]]) -> list[tuple[Value, ...]]:
    return [
        row for row in rows if isinstance(row[0], datetime) and surge.since <= row[0] < surge.until
    ]


def _joined(surge: Surge, rows: list[tuple[Value, ...]]) -> tuple[Value, ...]:
    """Return the first and last time, and the auditIDs, of a surge's intervals."""
    own = sorted(_rows_of(surge, rows), key=lambda row: str(row[0]))
    audit_ids: list[Value] = []
    for row in own:
        audit_ids += row[4] if isinstance(row[4], list) else []
    return own[0][2], own[-1][3], audit_ids[:EVIDENCE]


def _most(surge: Surge, rows: list[tuple[Value, ...]]) -> list[tuple[Value, int]]:
    """Return the sources of most of a surge's requests, with their counts."""
    counts: Counter[Value] = Counter()
    for _, who, count in _rows_of(surge, rows):
        counts[who if not isinstance(who, list) else str(who)] += as_count(count)
    return sorted(counts.items(), key=lambda item: (-item[1], sort_key((item[0],))))[:MAX_NAMED]


def _finding(
    hunt: SpikeHunt,
    surge: Surge,
    evidence: tuple[Value, ...],
    who: list[tuple[Value, int]],
) -> Finding:
    most = [f"{display_value(hunt.who, name)} ({n:,})" for name, n in who]
    facts = {
        "count": f"{surge.count:,}",
        "usual": f"{surge.usual.middle:g}",
        "hour": surge.usual.hour,
        "interval": span(surge.until - surge.since),
        "time": f"{surge.since:%F %R}Z",
        "who": listed(most),
    }
    default = (
        "{count} requests within {interval} from {time} on, where {usual} are usual{hour}: {who}"
    )
    return finding_of(
        hunt,
        {"since": surge.since, "until": surge.until},
        (surge.count, *evidence),
        fill(hunt.reason or default, {}, facts),
    )


def _result(
    hunt: SpikeHunt,
    engine: Engine,
    rows: list[tuple[Value, ...]],
    findings: list[Finding],
    unjudged: tuple[Unjudged, ...] = (),
) -> HuntResult:
    columns = ("since", "until", "usual", "count")
    return exact_result(hunt, engine, columns, rows, findings, unjudged)
