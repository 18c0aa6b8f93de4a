"""Questions about a long time, answered from what was counted before, a day at a time.

Counts, minima and maxima of groups can be put together from those of the days, so a
summary of a UTC day is nothing but the answer to the same question about that day alone. A
question is a query without its time range, order and limit. What summaries do not cover is
asked of the events: parts of days at the edges of the range, the newest day, which still
grows, and days without a summary, which is then made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from k8sidx.backends.ordering import Row, arranged
from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Result
from k8sidx.backends.summary_key import digest_of
from k8sidx.backends.summary_store import Rows, Summaries
from k8sidx.backends.time_columns import times_of, with_moments
from k8sidx.events.fields.moment import EPOCH, to_micros
from k8sidx.query.algebra import Always, DateHistogram, Query

DAY = timedelta(days=1)
AT_ONCE = 7
"""Days that are counted in one query."""

_COLUMN = "summary_day"
_MERGED: Mapping[str, Callable[[Any, Any], Any]] = {
    "count": lambda one, other: one + other,
    "min": min,
    "max": max,
}


def question_of(query: Query) -> Query:
    """What a query asks, whenever and in whatever order."""
    return replace(query, since=None, until=None, having=(), order=(), limit=None)


def can_be_summed(question: Query) -> bool:
    """Whether answers for days make an answer for all of them."""
    return all(one.kind in _MERGED for one in question.metrics) and (
        bool(question.group_by) or _is_about_time(question)
    )


def _is_about_time(question: Query) -> bool:
    """Whether it asks for the first and last moment of all events: undated ones have none,
    but could be a group."""
    return (
        not question.group_by
        and question.where == Always()
        and all(
            one.kind in ("min", "max") and one.field == "@timestamp" for one in question.metrics
        )
    )


def complete(summaries: Summaries) -> list[date]:
    """The days with events that are over: all but the newest one."""
    return list(summaries.days())[:-1]


class SummedEngine:
    """Answers some questions with the help of summaries, and all others as its engine does.

    :param questions: those that summaries are used and made for.
    """

    def __init__(self, engine: Engine, summaries: Summaries, questions: Iterable[Query]) -> None:
        self.name = engine.name
        self._engine = engine
        self._summaries = summaries
        self._questions = frozenset(one for one in questions if can_be_summed(one))

    def run(self, query: Query) -> Result:
        """Answer the query; see :class:`k8sidx.backends.protocol.Engine`."""
        question = question_of(query)
        # Without a time range undated events count, and they have no day.
        bounded = query.since is not None or query.until is not None
        if question not in self._questions or not (bounded or _is_about_time(question)):
            return self._engine.run(query)
        days = [one for one in complete(self._summaries) if _within(one, query)]
        if not days:
            return self._engine.run(query)
        merged = Merged(question)
        exact = self._add_days(merged, question, days)
        for edge in _edges(query, days):
            result = self._engine.run(edge)
            merged.add(in_micros(result))
            exact = exact and result.exact
        found = with_moments(arranged(query, merged.rows()), times_of(query))
        return Result(query.columns, found, self.name, exact)

    def make(self, question: Query, days: Sequence[date]) -> int:
        """Make the summaries of the days that have none; returns how many were made."""
        missing = sorted(set(days) - self._summaries.kept(digest_of(question)))
        for some in _runs(missing, complete(self._summaries)):
            self._count(question, some)
        return len(missing)

    def _add_days(self, merged: Merged, question: Query, days: Sequence[date]) -> bool:
        kept = self._summaries.load(digest_of(question), days)
        for rows in kept.values():
            merged.add(rows)
        exact = True
        for some in _runs([one for one in days if one not in kept], days):
            made, proved = self._count(question, some)
            exact = exact and proved
            for rows in made.values():
                merged.add(rows)
        return exact

    def _count(self, question: Query, days: Sequence[date]) -> tuple[dict[date, Rows], bool]:
        """Ask the events of neighbouring days, and keep the answers where they are exact."""
        query = replace(
            question,
            since=start_of(days[0]),
            until=start_of(days[-1]) + DAY,
            group_by=(DateHistogram(DAY, _COLUMN), *question.group_by),
        )
        result = self._engine.run(query)
        made: dict[date, Rows] = {day: [] for day in days}
        for micros, *row in in_micros(result):
            made.setdefault(day_of(micros), []).append(row)
        if result.exact:
            self._summaries.save(digest_of(question), made)
        return made, result.exact


class Merged:
    """Answers to one question, put together."""

    def __init__(self, question: Query) -> None:
        self._width = len(question.group_by)
        self._merge = [_MERGED[one.kind] for one in question.metrics]
        self._groups: dict[tuple[Any, ...], Row] = {}

    def add(self, rows: Iterable[Row]) -> None:
        """Take an answer in."""
        for row in rows:
            key = tuple(row[: self._width])
            held = self._groups.get(key)
            if held is None:
                self._groups[key] = row[self._width :]
                continue
            for place, merge in enumerate(self._merge):
                value, more = held[place], row[self._width + place]
                if more is not None:
                    held[place] = more if value is None else merge(value, more)

    def rows(self) -> Iterator[Row]:
        """All groups."""
        for key, values in self._groups.items():
            yield [*key, *values]


def in_micros(result: Result) -> Rows:
    """The rows with times as microseconds since 1970."""
    return [[_micros(value) for value in row] for row in result.rows]


def _micros(value: Any) -> Any:
    return to_micros(value) if isinstance(value, datetime) else value


def start_of(day: date) -> datetime:
    """The day's first moment."""
    return datetime.combine(day, time(), UTC)


def day_of(micros: int) -> date:
    """The UTC day of a moment."""
    return (EPOCH + timedelta(microseconds=micros)).date()


def _within(day: date, query: Query) -> bool:
    start = start_of(day)
    return (query.since is None or query.since <= start) and (
        query.until is None or start + DAY <= query.until
    )


def _edges(query: Query, days: Sequence[date]) -> Iterator[Query]:
    """The parts of a query's time range before and after the days."""
    question = question_of(query)
    first, end = start_of(days[0]), start_of(days[-1]) + DAY
    if query.since is not None and query.since < first:
        yield replace(question, since=query.since, until=first)
    if query.until is None or end < query.until:
        yield replace(question, since=end, until=query.until)


def _runs(some: Sequence[date], days: Sequence[date]) -> Iterator[Sequence[date]]:
    """Some of the days, as runs of neighbours among all of them."""
    wanted = set(some)
    run: list[date] = []
    for day in days:
        if day in wanted:
            run.append(day)
        if run and (day not in wanted or len(run) == AT_ONCE):
            yield run
            run = []
    if run:
        yield run
