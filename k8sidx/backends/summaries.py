"""Materialized daily aggregates: queries over a long time, answered from summaries of its days.

Counts, minima and maxima of groups can be merged from those of the days, so a summary of a UTC
day is the result of the same question about that day alone. A question is a query without its
time range, order and limit. Whatever summaries do not cover is queried from the events: parts of
days at the edges of the range, the newest day, which still grows, and days without a summary,
which is then created.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from k8sidx.backends.ordering import Row, finish_rows
from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Result
from k8sidx.backends.summary_key import digest_of
from k8sidx.backends.summary_store import Rows, Summaries
from k8sidx.backends.time_columns import time_columns, to_datetimes
from k8sidx.events.fields.moment import EPOCH, to_micros
from k8sidx.query.algebra import Always, DateHistogram, Query

DAY = timedelta(days=1)
AT_ONCE = 7
"""Days that one query counts."""

_COLUMN = "summary_day"
_MERGED: Mapping[str, Callable[[Any, Any], Any]] = {
    "count": operator.add,
    "min": min,
    "max": max,
}


def question_of(query: Query) -> Query:
    """Return a query without its time range, having, order and limit."""
    return replace(query, since=None, until=None, having=(), order=(), limit=None)


def is_mergeable(question: Query) -> bool:
    """Whether the results for days can be merged into one for all of them."""
    return all(metric.kind in _MERGED for metric in question.metrics) and (
        bool(question.group_by) or _is_about_time(question)
    )


def _is_about_time(question: Query) -> bool:
    """Whether it queries the first and last time of all events: undated ones have none, but could
    be a group."""
    return (
        not question.group_by
        and question.where == Always()
        and all(
            metric.kind in ("min", "max") and metric.field == "@timestamp"
            for metric in question.metrics
        )
    )


def completed_days(summaries: Summaries) -> list[date]:
    """Return the completed days that have events: all but the newest one."""
    return list(summaries.days())[:-1]


class SummaryEngine:
    """Runs some queries with the help of summaries, and all others on its engine.

    :param questions: those that summaries are used and created for.
    """

    def __init__(self, engine: Engine, summaries: Summaries, questions: Iterable[Query]) -> None:
        self.name = engine.name
        self._engine = engine
        self._summaries = summaries
        self._questions = frozenset(filter(is_mergeable, questions))

    def run(self, query: Query) -> Result:
        """Run the query; see :class:`k8sidx.backends.protocol.Engine`."""
        question = question_of(query)
        # Without a time range undated events count, and they have no day.
        bounded = query.since is not None or query.until is not None
        if question not in self._questions or not (bounded or _is_about_time(question)):
            return self._engine.run(query)
        days = [day for day in completed_days(self._summaries) if _within(day, query)]
        if not days:
            return self._engine.run(query)
        merged = MergedGroups(question)
        exact = self._add_days(merged, question, days)
        for edge in _edges(query, days):
            result = self._engine.run(edge)
            merged.add(in_micros(result))
            exact = exact and result.exact
        rows = to_datetimes(finish_rows(query, merged.rows()), time_columns(query))
        return Result(query.columns, rows, self.name, exact)

    def make(self, question: Query, days: Sequence[date]) -> int:
        """Create the summaries of the days that have none, and return their number."""
        missing = sorted(set(days) - self._summaries.kept(digest_of(question)))
        for days_in_row in _runs(missing, completed_days(self._summaries)):
            self._count(question, days_in_row)
        return len(missing)

    def _add_days(self, merged: MergedGroups, question: Query, days: Sequence[date]) -> bool:
        kept = self._summaries.load(digest_of(question), days)
        for rows in kept.values():
            merged.add(rows)
        exact = True
        for days_in_row in _runs([day for day in days if day not in kept], days):
            made, proved = self._count(question, days_in_row)
            exact = exact and proved
            for rows in made.values():
                merged.add(rows)
        return exact

    def _count(self, question: Query, days: Sequence[date]) -> tuple[dict[date, Rows], bool]:
        """Query the events of neighbouring days, and keep the results where they are exact."""
        query = replace(
            question,
            since=start_of_day(days[0]),
            until=start_of_day(days[-1]) + DAY,
            group_by=(DateHistogram(DAY, _COLUMN), *question.group_by),
        )
        result = self._engine.run(query)
        made: dict[date, Rows] = {day: [] for day in days}
        for micros, *row in in_micros(result):
            made.setdefault(day_of(micros), []).append(row)
        if result.exact:
            self._summaries.save(digest_of(question), made)
        return made, result.exact


class MergedGroups:
    """Merged results of one question."""

    def __init__(self, question: Query) -> None:
        self._width = len(question.group_by)
        self._merge = [_MERGED[metric.kind] for metric in question.metrics]
        self._groups: dict[tuple[Any, ...], Row] = {}

    def add(self, rows: Iterable[Row]) -> None:
        """Add the rows of a result."""
        for row in rows:
            key = tuple(row[: self._width])
            merged = self._groups.get(key)
            if merged is None:
                self._groups[key] = row[self._width :]
                continue
            for position, merge in enumerate(self._merge):
                value, more = merged[position], row[self._width + position]
                if more is not None:
                    merged[position] = more if value is None else merge(value, more)

    def rows(self) -> Iterator[Row]:
        """Return all groups."""
        for key, values in self._groups.items():
            yield [*key, *values]


def in_micros(result: Result) -> Rows:
    """Return the rows with times as microseconds since 1970."""
    return [[_micros(value) for value in row] for row in result.rows]


def _micros(value: Any) -> Any:
    return to_micros(value) if isinstance(value, datetime) else value


def start_of_day(day: date) -> datetime:
    """Return the first moment of a day."""
    return datetime.combine(day, time(), UTC)


def day_of(micros: int) -> date:
    """Return the UTC day of a time."""
    return (EPOCH + timedelta(microseconds=micros)).date()


def _within(day: date, query: Query) -> bool:
    start = start_of_day(day)
    return (query.since is None or query.since <= start) and (
        query.until is None or start + DAY <= query.until
    )


def _edges(query: Query, days: Sequence[date]) -> Iterator[Query]:
    """Return the parts of a query's time range before and after the days."""
    question = question_of(query)
    first, end = start_of_day(days[0]), start_of_day(days[-1]) + DAY
    if query.since is not None and query.since < first:
        yield replace(question, since=query.since, until=first)
    if query.until is None or end < query.until:
        yield replace(question, since=end, until=query.until)


def _runs(selected: Sequence[date], days: Sequence[date]) -> Iterator[Sequence[date]]:
    """Split selected days into runs of neighbours among all days."""
    wanted = set(selected)
    run: list[date] = []
    for day in days:
        if day in wanted:
            run.append(day)
        if run and (day not in wanted or len(run) == AT_ONCE):
            yield run
            run = []
    if run:
        yield run
