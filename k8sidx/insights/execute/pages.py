"""Pages of events: newest first, as many at once as fit in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from k8sidx.backends.protocol import Engine
from k8sidx.events.fields.names import TIMESTAMP
from k8sidx.insights.execute.event_reader import count_of
from k8sidx.query.algebra import And, DateHistogram, Metric, Not, Present, Query

PAGE = 50_000
"""Events of one page at most, unless a single second has more."""
_INTERVALS = (timedelta(days=1), timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1))


@dataclass(frozen=True, slots=True)
class _Span:
    """The number of events in an interval of time; of undated events where ``since`` is missing."""

    since: datetime | None
    until: datetime | None
    count: int


class Pages:
    """The events of a query, page by page.

    :param query: selects events; its time range bounds them, its order is by time, newest first.
    :ivar count: how many events there are.
    """

    def __init__(self, query: Query, engine: Engine) -> None:
        self._query = query
        self._engine = engine
        self._spans = self._divided(query, 0)
        self.count = sum(span.count for span in self._spans)

    def __iter__(self) -> Iterator[Query]:
        """Yield a query for each page, newest first; undated events come last."""
        page: list[_Span] = []
        count = 0
        for span in self._spans:
            if page and (span.since is None or count + span.count > PAGE):
                yield self._of(page)
                page, count = [], 0
            page.append(span)
            count += span.count
        if page:
            yield self._of(page)

    def _of(self, page: list[_Span]) -> Query:
        oldest, newest = page[-1], page[0]
        if oldest.since is None:
            undated = Not(Present(TIMESTAMP))
            return replace(self._query, where=And((self._query.where, undated)))
        return self._query.replace(since=oldest.since, until=newest.until)

    def _divided(self, query: Query, depth: int) -> list[_Span]:
        """Return the intervals that have events, newest first, each of a page at most as far as
        possible."""
        interval = _INTERVALS[depth]
        counting = replace(
            query,
            select=(),
            order=(),
            limit=None,
            group_by=(DateHistogram(interval, "start", keep_missing=depth == 0),),
            metrics=(Metric("n", "count"),),
        )
        spans: list[_Span] = []
        undated: list[_Span] = []
        for row in reversed(self._engine.run(counting).rows):
            start, count = row[0], count_of(row)
            if isinstance(start, datetime):
                spans += self._within(query, start, interval, count, depth)
            else:
                undated.append(_Span(None, None, count))
        return spans + undated

    def _within(
        self, query: Query, start: datetime, interval: timedelta, count: int, depth: int
    ) -> list[_Span]:
        since = start if query.since is None else max(start, query.since)
        until = _end(start, interval)
        if query.until is not None:
            until = query.until if until is None else min(until, query.until)
        if count > PAGE and depth + 1 < len(_INTERVALS):
            return self._divided(query.replace(since=since, until=until), depth + 1)
        return [_Span(since, until, count)]


def _end(start: datetime, interval: timedelta) -> datetime | None:
    try:
        return start + interval
    except OverflowError:
        return None
