"""Top-N hunts: the most frequent values, and which of them the time before did not have.

The table counts events, as the article's ``count(*)`` does: every stage of a request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Result, Value
from k8sidx.hunt.definition import TopHunt
from k8sidx.hunt.finding_text import events, fill, shown, span
from k8sidx.hunt.kinds.baseline_queries import counted
from k8sidx.hunt.kinds.evidence import EVIDENCE_METRICS, finding_of, whole
from k8sidx.hunt.kinds.time_window import Extent, Spans, Window, compared_spans, extent_of
from k8sidx.hunt.result import Finding, HuntResult
from k8sidx.query.algebra import Having, Order, Query

CURRENT = timedelta(days=1)
"""The current time when it is compared and no ``since`` was asked for."""

RANKED_BEFORE = 1000
"""Ranks of the time before that are told."""

_ADDED = ("rank_before", "daily_before", "change", "new")
NEW_TO_DATA = "new to the data"
NEW_TO_TOP = "new to the top {limit}"


@dataclass(frozen=True, slots=True)
class Before:
    """The time before.

    :param ranks: rank of each key, 1 for the most frequent; up to ``RANKED_BEFORE``.
    :param counts: events of each key.
    :param days: length of the time that has data, in days.
    """

    ranks: Mapping[tuple[Value, ...], int]
    counts: Mapping[tuple[Value, ...], int]
    days: float


def run_top(hunt: TopHunt, engine: Engine, window: Window) -> HuntResult:
    """The table; with ``window.baseline``, findings for the entries that are new to it."""
    if window.baseline is None or hunt.rarest:
        result = engine.run(_query(hunt, window.since, window.until, limit=hunt.limit))
        return _result(hunt, result, result.rows)
    extent = extent_of(engine, window)
    spans = compared_spans(window, extent, CURRENT, window.baseline)
    if spans is None:
        result = engine.run(_query(hunt, window.since, window.until, limit=hunt.limit))
        return _result(hunt, result, result.rows, notes=("nothing to compare with: no events.",))
    return _compared(hunt, engine, spans, extent)


def _query(
    hunt: TopHunt,
    since: datetime | None,
    until: datetime | None,
    *,
    limit: int | None,
    evidence: bool = False,
) -> Query:
    asked = counted(hunt)
    (count,) = asked.metrics
    return replace(
        asked,
        since=since,
        until=until,
        metrics=(count, *(EVIDENCE_METRICS if evidence else ())),
        having=(Having(count.name, ">=", 1),),
        order=(Order(count.name, descending=not hunt.rarest),),
        limit=limit,
    )


def _compared(hunt: TopHunt, engine: Engine, spans: Spans, extent: Extent) -> HuntResult:
    width = len(hunt.by)
    result = engine.run(_query(hunt, spans.since, spans.until, limit=hunt.limit, evidence=True))
    before = _before(hunt, engine, spans, extent)
    if not before.ranks:
        length = span(spans.since - spans.start)
        note = (
            f"nothing to compare with: no such events in the {length} before {spans.since:%F %R}."
        )
        return _result(hunt, result, [row[: width + 1] for row in result.rows], notes=(note,))
    now = _days(spans.since, spans.until or extent.last, extent)
    rows: list[tuple[Value, ...]] = []
    findings: list[Finding] = []
    for row in result.rows:
        key, count = row[:width], whole(row[width])
        new = _novelty(hunt, before, key)
        rows.append((*key, *_comparison(before, key, count, now), new, count))
        if new:
            findings.append(_finding(hunt, row, new, spans))
    columns = (*(column.name for column in hunt.by), *_ADDED, hunt.count)
    return HuntResult(
        hunt.id, hunt.title, hunt.level, result.engine, result.exact, columns, rows, findings
    )


def _before(hunt: TopHunt, engine: Engine, spans: Spans, extent: Extent) -> Before:
    width = len(hunt.by)
    found = engine.run(_query(hunt, spans.start, spans.since, limit=None)).rows
    ranks = {row[:width]: place for place, row in enumerate(found[:RANKED_BEFORE], 1)}
    counts = {row[:width]: whole(row[width]) for row in found}
    return Before(ranks, counts, _days(spans.start, spans.since, extent))


def _days(since: datetime, until: datetime | None, extent: Extent) -> float:
    """Days of a time that the data cover."""
    first = max(since, extent.first) if extent.first else since
    last = min(until or since, extent.last) if extent.last else since
    return max((last - first).total_seconds(), 1.0) / 86_400


def _novelty(hunt: TopHunt, before: Before, key: tuple[Value, ...]) -> str:
    if key not in before.counts:
        return NEW_TO_DATA
    rank = before.ranks.get(key)
    return NEW_TO_TOP.format(limit=hunt.limit) if rank is None or rank > hunt.limit else ""


def _comparison(
    before: Before, key: tuple[Value, ...], count: int, now: float
) -> tuple[Value, Value, Value]:
    """Rank and events a day before, and how many times as many a day there are now."""
    had = before.counts.get(key, 0)
    daily = had / before.days
    change = round(count / now / daily, 2) if daily else None
    return before.ranks.get(key), round(daily, 1), change


def _finding(hunt: TopHunt, row: tuple[Value, ...], new: str, spans: Spans) -> Finding:
    width = len(hunt.by)
    key: dict[str, Value] = {
        column.name: value for column, value in zip(hunt.by, row[:width], strict=True)
    }
    told = ", ".join(
        shown(column.field, value) for column, value in zip(hunt.by, row[:width], strict=True)
    )
    facts = {"events": events(whole(row[width]))}
    reason = fill(hunt.reason, key, facts) if hunt.reason else f"{told}: {facts['events']}"
    entered = f"{reason}: {new}, compared with the {span(spans.since - spans.start)} before"
    return finding_of(hunt, key, row[width:], entered)


def _result(
    hunt: TopHunt, result: Result, rows: list[tuple[Value, ...]], notes: tuple[str, ...] = ()
) -> HuntResult:
    return HuntResult(
        hunt.id,
        hunt.title,
        hunt.level,
        result.engine,
        result.exact,
        (*(column.name for column in hunt.by), hunt.count),
        rows,
        notes=notes,
    )
