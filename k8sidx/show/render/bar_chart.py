"""Rows as a bar chart for a terminal: bars over time, or one bar a row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from k8sidx.backends.result import Value
from k8sidx.errors import UsageError
from k8sidx.show.render.bar_layout import Bar, Drawing
from k8sidx.show.render.escape import visible
from k8sidx.show.render.sheet import Sheet, is_number, readable

if TYPE_CHECKING:
    from rich.console import Console

_MISSING = "(missing)"
_EMPTY_SHOWN = 3
"""So many intervals without rows are shown one by one, more as one line."""


@dataclass(frozen=True, slots=True)
class _Columns:
    """Which columns say what: the labels, the time among them, the number."""

    keys: tuple[int, ...]
    time: int | None
    number: int


def print_bars(
    console: Console, sheet: Sheet, *, keys: int | None = None, number: str = ""
) -> None:
    """Draw a column of numbers: over time where one of its labels is a time, else a bar a
    row in the rows' order.

    :param keys: so many columns at the front are labels; without it, those before the last
        column of numbers, up to the last that holds something else.
    :param number: the column to draw, if it holds numbers; else the first behind the keys,
        without ``keys`` the last.
    :raises UsageError: when no column holds numbers.
    """
    columns = _columns(sheet, keys, number)
    bars = list(_bars(sheet, columns))
    labels = tuple(visible(sheet.columns[at]) for at in _label_order(columns))
    heading = Bar(labels, None, visible(sheet.columns[columns.number]))
    drawn = Drawing(bars, heading, console.width, console.encoding)
    console.print(drawn.heading_line(), no_wrap=True, overflow="ignore", crop=False)
    for bar in bars:
        console.print(drawn.line(bar), no_wrap=True, overflow="ignore", crop=False)


def _columns(sheet: Sheet, keys: int | None, name: str) -> _Columns:
    first = keys or 0
    numbers = [at for at in range(first, len(sheet.columns)) if sheet.is_number(at)]
    if not numbers:
        raise UsageError(
            "there is no column of numbers to draw; there are: "
            f"{', '.join(sheet.columns) or 'none'}.",
            remedy="Count something first: | stats count(*) by …",
        )
    named = [at for at in numbers if sheet.columns[at] == name]
    number = named[0] if named else numbers[-1 if keys is None else 0]
    labels = tuple(range(first)) if keys is not None else _likely_labels(sheet, numbers, number)
    time = next((at for at in labels if _is_time(sheet, at)), None)
    return _Columns(labels, time, number)


def _likely_labels(sheet: Sheet, numbers: Sequence[int], number: int) -> tuple[int, ...]:
    """Numbers in front of a label are one, too (a status code); behind it they are not."""
    others = [at for at in range(number) if at not in numbers]
    if others:
        return tuple(range(others[-1] + 1))
    if number:
        return (0,)
    return tuple(at for at in range(len(sheet.columns)) if at not in numbers)


def _is_time(sheet: Sheet, position: int) -> bool:
    values = [row[position] for row in sheet.rows if row[position] is not None]
    return bool(values) and all(isinstance(value, datetime) for value in values)


def _label_order(columns: _Columns) -> list[int]:
    first = [] if columns.time is None else [columns.time]
    return first + [at for at in columns.keys if at != columns.time]


def _bars(sheet: Sheet, columns: _Columns) -> Iterator[Bar]:
    if columns.time is not None:
        yield from _over_time(sheet.rows, columns, columns.time)
        return
    for row in sheet.rows:
        yield _bar(_labels(row, columns.keys), row[columns.number])


def _over_time(rows: Sequence[tuple[Value, ...]], columns: _Columns, time: int) -> Iterator[Bar]:
    at: dict[datetime, list[tuple[Value, ...]]] = {}
    timeless = []
    for row in rows:
        if isinstance(moment := row[time], datetime):
            at.setdefault(moment, []).append(row)
        else:
            timeless.append(row)
    others = tuple(key for key in columns.keys if key != time)
    moments = sorted(at)
    step = _step(moments)
    named = _naming(moments)
    before: datetime | None = None
    for moment in moments:
        if before is not None and step:
            yield from _between(before, moment, step, named)
        before = moment
        yield from _interval(named(moment), at[moment], others, columns.number)
    yield from _interval(_MISSING, timeless, others, columns.number)


def _interval(
    label: str, rows: Sequence[tuple[Value, ...]], others: tuple[int, ...], number: int
) -> Iterator[Bar]:
    """The bars of one interval, its time before the first only."""
    for place, row in enumerate(rows):
        yield _bar(("" if place else label, *_labels(row, others)), row[number])


def _between(
    before: datetime, after: datetime, step: timedelta, named: Callable[[datetime], str]
) -> Iterator[Bar]:
    """Intervals that have no rows: to leave them out would make a quiet night look busy."""
    empty = (after - before) // step - 1
    if empty > _EMPTY_SHOWN:
        yield Bar((f"({empty:,} intervals without rows)",))
    else:
        yield from (Bar((named(before + step * place),)) for place in range(1, empty + 1))


def _step(moments: Sequence[datetime]) -> timedelta | None:
    """The interval, when all times are a whole number of it apart (months are not)."""
    apart = [later - earlier for earlier, later in pairwise(moments)]
    if not apart:
        return None
    step = min(apart)
    return None if any(one % step for one in apart) else step


def _naming(moments: Sequence[datetime]) -> Callable[[datetime], str]:
    """How to write the times: to the minute where none has seconds."""
    whole = all(one.second == 0 for one in moments)
    return lambda one: readable(one).replace(":00Z", "Z") if whole else readable(one)


def _bar(labels: tuple[str, ...], value: Value) -> Bar:
    number = float(value) if isinstance(value, int | float) and is_number(value) else None
    return Bar(labels, number, visible(readable(value)))


def _labels(row: tuple[Value, ...], positions: Sequence[int]) -> tuple[str, ...]:
    return tuple(_MISSING if row[at] is None else _key(row[at]) for at in positions)


def _key(value: Value) -> str:
    # A status code is a name here: 1,000 would be none.
    return str(value) if is_number(value) else visible(readable(value))
