"""Top-N hunts: the most frequent values, and which of them are not in the baseline.

The table counts events, as the article's ``count(*)`` does: every stage of a request.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationInfo

from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Result, Value
from k8sidx.errors import InvalidHunt, Where
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.finding_text import code_names, display_value, events, fill, span
from k8sidx.hunt.kinds.evidence import EVIDENCE_METRICS, as_count, finding_of
from k8sidx.hunt.kinds.options import Count, stored_names
from k8sidx.hunt.kinds.time_window import EXTENT, Extent, Spans, Window, compared_spans, extent_of
from k8sidx.hunt.result import Finding, HuntResult
from k8sidx.query.algebra import Having, Metric, Order, Query, Terms

CURRENT = timedelta(days=1)
"""Length of the current time when it is compared and no ``since`` was requested."""

RANKED_BEFORE = 1000
"""Ranks of the baseline that are reported."""

_ADDED = ("rank_before", "daily_before", "change", "new")
NEW_TO_DATA = "new to the data"
NEW_TO_TOP = "new to the top {limit}"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a hunt's table.

    :param field: the field that it shows.
    :param name: its heading.
    """

    field: str
    name: str


def _column(value: object, info: ValidationInfo) -> Column:
    """Return the column of a field's name, or of a mapping of a heading to a field's name."""
    if isinstance(value, Column):
        return value
    headings = {value: value} if isinstance(value, str) else value
    if not isinstance(headings, Mapping) or not all(
        isinstance(text, str) and text for pair in headings.items() for text in pair
    ):
        raise ValueError("a column is the name of a field, or a heading and the name of a field")
    if len(headings) != 1:
        raise ValueError("a column has one name")
    ((heading, field),) = headings.items()
    return Column(stored_names((field,), info)[0], heading)


Columns = Annotated[tuple[Annotated[Column, BeforeValidator(_column)], ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class TopHunt(Hunt):
    """The most frequent values, or the rarest.

    :param rarest: whether the least frequent are first. They are not compared with the
        baseline: rare values are new more often than not.
    :param by: the fields whose combinations are counted.
    :param count: heading of the count, the table's last column.
    :param keep_missing: whether events that lack a field are counted, too.
    """

    kind = "top"
    facts = ("events",)
    documentation = (
        "the most frequent values, or the rarest, counted in events as in the article. "
        "With `--baseline`, each entry is compared with the baseline, and entries that "
        "are new to the data or to the table are findings."
    )

    rarest: bool = False
    by: Columns
    count: str = "count"
    limit: Count = 10
    keep_missing: bool = False

    def run(self, engine: Engine, window: Window) -> HuntResult:
        """Return the table; with ``window.baseline``, findings for the entries new to it."""
        if window.baseline is None or self.rarest:
            return _uncompared(self, engine, window)
        extent = extent_of(engine, window)
        spans = compared_spans(window, extent, CURRENT, window.baseline)
        if spans is None:
            return _uncompared(self, engine, window, ("nothing to compare with: no events.",))
        return _compared(self, engine, spans, extent)

    def key_names(self) -> Collection[str]:
        return [column.name for column in self.by]

    def required_fields(self) -> Collection[str]:
        return [column.field for column in self.by]

    def baseline_queries(self, window: Window | None = None) -> tuple[Query, ...]:
        return () if self.rarest else (EXTENT, self.count_query())

    def judges_clusters_alone(self, window: Window) -> bool:
        """Whether the entries are compared: what is usual is another thing in each cluster."""
        return window.baseline is not None and not self.rarest

    def counts_only(self, window: Window) -> bool:
        return window.baseline is None

    def describe(self) -> str:
        return f"the {self.limit} most frequent {code_names(self.required_fields())}"

    def conflict(self, extension: Where) -> InvalidHunt | None:
        headings = {*self.key_names(), self.count}
        if len(headings) <= len(self.by):
            return self.invalid("two columns have the same heading.")
        return None

    def count_query(self) -> Query:
        """Return the query that counts the table's entries, in no order and without limit."""
        return Query(
            where=self.condition,
            group_by=tuple(
                Terms(column.field, column.name, keep_missing=self.keep_missing)
                for column in self.by
            ),
            metrics=(Metric("counted", "count"),),
        )


@dataclass(frozen=True, slots=True)
class Before:
    """Counts in the baseline.

    :param ranks: rank of each key, 1 for the most frequent; up to ``RANKED_BEFORE``.
    :param counts: events of each key.
    :param days: length of the part that has data, in days.
    """

    ranks: Mapping[tuple[Value, ...], int]
    counts: Mapping[tuple[Value, ...], int]
    days: float


def _uncompared(
    hunt: TopHunt, engine: Engine, window: Window, notes: tuple[str, ...] = ()
) -> HuntResult:
    result = engine.run(_query(hunt, window.since, window.until, limit=hunt.limit))
    return _result(hunt, result, result.rows, notes)


def _query(
    hunt: TopHunt,
    since: datetime | None,
    until: datetime | None,
    *,
    limit: int | None,
    evidence: bool = False,
) -> Query:
    query = hunt.count_query()
    (count,) = query.metrics
    return replace(
        query,
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
    days = _days(spans.since, spans.until or extent.last, extent)
    rows: list[tuple[Value, ...]] = []
    findings: list[Finding] = []
    for row in result.rows:
        key, count = row[:width], as_count(row[width])
        new = _novelty(hunt, before, key)
        rows.append((*key, *_comparison(before, key, count, days), new, count))
        if new:
            findings.append(_finding(hunt, row, new, spans))
    columns = (*(column.name for column in hunt.by), *_ADDED, hunt.count)
    return HuntResult(
        hunt.id, hunt.title, hunt.level, result.engine, result.exact, columns, rows, findings
    )


def _before(hunt: TopHunt, engine: Engine, spans: Spans, extent: Extent) -> Before:
    width = len(hunt.by)
    rows = engine.run(_query(hunt, spans.start, spans.since, limit=None)).rows
    ranks = {row[:width]: rank for rank, row in enumerate(rows[:RANKED_BEFORE], 1)}
    counts = {row[:width]: as_count(row[width]) for row in rows}
    return Before(ranks, counts, _days(spans.start, spans.since, extent))


def _days(since: datetime, until: datetime | None, extent: Extent) -> float:
    """Return the days of a time span that the data cover."""
    first = max(since, extent.first) if extent.first else since
    last = min(until or since, extent.last) if extent.last else since
    return max((last - first).total_seconds(), 1.0) / 86_400


def _novelty(hunt: TopHunt, before: Before, key: tuple[Value, ...]) -> str:
    if key not in before.counts:
        return NEW_TO_DATA
    rank = before.ranks.get(key)
    return NEW_TO_TOP.format(limit=hunt.limit) if rank is None or rank > hunt.limit else ""


def _comparison(
    before: Before, key: tuple[Value, ...], count: int, days: float
) -> tuple[Value, Value, Value]:
    """Return the rank and the daily events in the baseline, and the growth of daily events."""
    daily = before.counts.get(key, 0) / before.days
    change = round(count / days / daily, 2) if daily else None
    return before.ranks.get(key), round(daily, 1), change


def _finding(hunt: TopHunt, row: tuple[Value, ...], new: str, spans: Spans) -> Finding:
    width = len(hunt.by)
    values = list(zip(hunt.by, row[:width], strict=True))
    key: dict[str, Value] = {column.name: value for column, value in values}
    entry = ", ".join(display_value(column.field, value) for column, value in values)
    facts = {"events": events(as_count(row[width]))}
    reason = fill(hunt.reason, key, facts) if hunt.reason else f"{entry}: {facts['events']}"
    novel = f"{reason}: {new}, compared with the {span(spans.since - spans.start)} before"
    return finding_of(hunt, key, row[width:], novel)


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
