"""Bar charts on a terminal: bars over time, or one bar per row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from k8sidx.backends.result import Value
from k8sidx.errors import UsageError
from k8sidx.show.render.bar_layout import Bar, BarLayout
from k8sidx.show.render.escape import visible
from k8sidx.show.render.sheet import Sheet, is_number, readable

if TYPE_CHECKING:
    from rich.console import Console

_MISSING = "(missing)"
_EMPTY_SHOWN = 3
"""Maximum number of intervals without rows that are shown one by one; more are one line."""


@dataclass(frozen=True, slots=True)
class _Columns:
    """Roles of columns: the labels, the time among them, and the number."""

    keys: tuple[int, ...]
    time: int | None
    number: int


def print_bars(
    console: Console, sheet: Sheet, *, keys: int | None = None, number: str = ""
) -> None:
    """Draw a column of numbers: over time if one of its labels is a time, else one bar per
    row in the rows' order.

    :param keys: number of label columns at the front; by default, those before the last
        column of numbers, up to the last that contains something else.
    :param number: the column to draw, if it contains numbers; else the first after the keys,
        without ``keys`` the last.
    :raises UsageError: when no column contains numbers.
    """
    columns = _columns(sheet, keys, number)
    bars = list(_bars(sheet, columns))
    labels = tuple(visible(sheet.columns[position]) for position in _label_order(columns))
    heading = Bar(labels, None, visible(sheet.columns[columns.number]))
    layout = BarLayout(bars, heading, console.width, console.encoding)
    console.print(layout.heading_line(), no_wrap=True, overflow="ignore", crop=False)
    for bar in bars:
        console.print(layout.line(bar), no_wrap=True, overflow="ignore", crop=False)


def _columns(sheet: Sheet, keys: int | None, name: str) -> _Columns:
    first = keys or 0
    numbers = [
        position for position in range(first, len(sheet.columns)) if sheet.is_number(position)
    ]
    if not numbers:
        raise UsageError(
            "there is no column of numbers to draw; the columns are: "
            f"{', '.join(sheet.columns) or 'none'}.",
            remedy="Count something first: | stats count(*) by …",
        )
    named = [position for position in numbers if sheet.columns[position] == name]
    number = named[0] if named else numbers[-1 if keys is None else 0]
    labels = tuple(range(first)) if keys is not None else _likely_labels(sheet, numbers, number)
    time = next((position for position in labels if _is_time(sheet, position)), None)
    return _Columns(labels, time, number)


def _likely_labels(sheet: Sheet, numbers: Sequence[int], number: int) -> tuple[int, ...]:
    """Return the label columns: numbers before a label are labels, too (a status code)."""
    others = [position for position in range(number) if position not in numbers]
    if others:
        return tuple(range(others[-1] + 1))
    if number:
        return (0,)
    return tuple(position for position in range(len(sheet.columns)) if position not in numbers)


def _is_time(sheet: Sheet, position: int) -> bool:
    values = [row[position] for row in sheet.rows if row[position] is not None]
    return bool(values) and all(isinstance(value, datetime) for value in values)


def _label_order(columns: _Columns) -> list[int]:
    first = [] if columns.time is None else [columns.time]
    return first + [position for position in columns.keys if position != columns.time]


def _bars(sheet: Sheet, columns: _Columns) -> Iterator[Bar]:
    if columns.time is not None:
        yield from _over_time(sheet.rows, columns, columns.time)
        return
    for row in sheet.rows:
        yield _bar(_labels(row, columns.keys), row[columns.number])


def _over_time(rows: Sequence[tuple[Value, ...]], columns: _Columns, time: int) -> Iterator[Bar]:
    by_time: dict[datetime, list[tuple[Value, ...]]] = {}
    timeless = []
    for row in rows:
        if isinstance(moment := row[time], datetime):
            by_time.setdefault(moment, []).append(row)
        else:
            timeless.append(row)
    others = tuple(key for key in columns.keys if key != time)
    moments = sorted(by_time)
    step = _step(moments)
    named = _naming(moments)
    before: datetime | None = None
    for moment in moments:
        if before is not None and step:
            yield from _between(before, moment, step, named)
        before = moment
        yield from _interval(named(moment), by_time[moment], others, columns.number)
    yield from _interval(_MISSING, timeless, others, columns.number)


def _interval(
    label: str, rows: Sequence[tuple[Value, ...]], others: tuple[int, ...], number: int
) -> Iterator[Bar]:
    """Yield the bars of one interval, with its time only on the first."""
    for index, row in enumerate(rows):
        yield _bar(("" if index else label, *_labels(row, others)), row[number])


def _between(
    before: datetime, after: datetime, step: timedelta, named: Callable[[datetime], str]
) -> Iterator[Bar]:
    """Yield intervals without rows: without them a quiet night would look busy."""
    empty = (after - before) // step - 1
    if empty > _EMPTY_SHOWN:
        yield Bar((f"({empty:,} intervals without rows)",))
    else:
        yield from (Bar((named(before + step * number),)) for number in range(1, empty + 1))


def _step(moments: Sequence[datetime]) -> timedelta | None:
    """Return the interval if all times are multiples of it apart (months are not)."""
    apart = [later - earlier for earlier, later in pairwise(moments)]
    if not apart:
        return None
    step = min(apart)
    return None if any(distance % step for distance in apart) else step


def _naming(moments: Sequence[datetime]) -> Callable[[datetime], str]:
    """Return a formatter of the times: to the minute if none has seconds."""
    whole = all(moment.second == 0 for moment in moments)
    return lambda moment: readable(moment).replace(":00Z", "Z") if whole else readable(moment)


def _bar(labels: tuple[str, ...], value: Value) -> Bar:
    number = float(value) if isinstance(value, int | float) and is_number(value) else None
    return Bar(labels, number, visible(readable(value)))


def _labels(row: tuple[Value, ...], positions: Sequence[int]) -> tuple[str, ...]:
    return tuple(
        _MISSING if row[position] is None else _key(row[position]) for position in positions
    )


def _key(value: Value) -> str:
    # A status code is a name here: it has no thousands separator.
    return str(value) if is_number(value) else visible(readable(value))
