"""Rows as a bar chart for a terminal: bars over time, or one bar a row.

Eighth blocks where the terminal's encoding has them, else ``#``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from k8sidx.engine.result import Value
from k8sidx.errors import UsageError
from k8sidx.render.escape import visible
from k8sidx.render.sheet import Sheet, is_number, readable

if TYPE_CHECKING:
    from rich.console import Console

_EIGHTHS = "▏▎▍▌▋▊▉█"
_HALF = "▐"
_MISSING = "(missing)"
_GAP = 2
_NARROWEST = 10
"""Cells that the bars have at least; labels are cut for them."""
_EMPTY_SHOWN = 3
"""So many intervals without rows are shown one by one, more as one line."""


@dataclass(frozen=True, slots=True)
class _Bar:
    label: str
    value: float | None = None
    shown: str = ""


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
    label = "  ".join(visible(sheet.columns[at]) for at in _label_order(columns))
    heading = _Bar(label, None, visible(sheet.columns[columns.number]))
    drawn = _Drawing(bars, heading, console.width, blocks=_has_blocks(console.encoding))
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


def _bars(sheet: Sheet, columns: _Columns) -> Iterator[_Bar]:
    if columns.time is not None:
        yield from _over_time(sheet.rows, columns, columns.time)
        return
    for row in sheet.rows:
        yield _bar(_label(row, columns.keys), row[columns.number])


def _over_time(rows: Sequence[tuple[Value, ...]], columns: _Columns, time: int) -> Iterator[_Bar]:
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
) -> Iterator[_Bar]:
    """The bars of one interval, its time before the first only."""
    for place, row in enumerate(rows):
        time = label if place == 0 else " " * len(label)
        series = f"  {_label(row, others)}" if others else ""
        yield _bar(time + series, row[number])


def _between(
    before: datetime, after: datetime, step: timedelta, named: Callable[[datetime], str]
) -> Iterator[_Bar]:
    """Intervals that have no rows: to leave them out would make a quiet night look busy."""
    empty = (after - before) // step - 1
    if empty > _EMPTY_SHOWN:
        yield _Bar(f"({empty:,} intervals without rows)")
    else:
        yield from (_Bar(named(before + step * place)) for place in range(1, empty + 1))


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


def _bar(label: str, value: Value) -> _Bar:
    number = float(value) if isinstance(value, int | float) and is_number(value) else None
    return _Bar(label, number, visible(readable(value)))


def _label(row: tuple[Value, ...], positions: Sequence[int]) -> str:
    return "  ".join(_MISSING if row[at] is None else _key(row[at]) for at in positions)


def _key(value: Value) -> str:
    # A status code is a name here: 1,000 would be none.
    return str(value) if is_number(value) else visible(readable(value))


def _has_blocks(encoding: str) -> bool:
    try:
        (_EIGHTHS + _HALF).encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


class _Drawing:
    """Where labels, bars and numbers stand, and how long a bar is."""

    def __init__(self, bars: Sequence[_Bar], heading: _Bar, width: int, *, blocks: bool) -> None:
        self._heading = heading
        self._blocks = blocks
        values = [bar.value for bar in bars if bar.value is not None]
        self._least, self._most = min([0.0, *values]), max([0.0, *values])
        self._number = max(cell_len(bar.shown) for bar in (*bars, heading))
        left = max(width - self._number - 2 * _GAP, 2 * _NARROWEST)
        longest = max(cell_len(bar.label) for bar in (*bars, heading))
        self._label = min(longest, left - _NARROWEST)
        self._cells = left - self._label
        # Halved first: the spread of the two largest floats is beyond all floats.
        spread = self._most / 2 - self._least / 2
        below = round(self._cells * (-self._least / 2 / spread)) if spread else 0
        # Whatever the proportion, both sides of the axis have room for a bar.
        self._below = min(max(below, int(self._least < 0)), self._cells - int(self._most > 0))

    def heading_line(self) -> Text:
        line = self._labelled(self._heading).append(" " * self._cells)
        return self._numbered(line, self._heading)

    def line(self, bar: _Bar) -> Text:
        line = self._labelled(bar)
        line.append(self._drawn(bar.value), style="cyan")
        return self._numbered(line, bar)

    def _labelled(self, bar: _Bar) -> Text:
        label = bar.label
        if cell_len(label) > self._label:
            ending = "…" if self._blocks else "."
            label = set_cell_size(label, self._label - 1) + ending
        return Text(set_cell_size(label, self._label) + " " * _GAP)

    def _numbered(self, line: Text, bar: _Bar) -> Text:
        if bar.shown:
            return line.append(" " * (_GAP + self._number - cell_len(bar.shown)) + bar.shown)
        line.rstrip()
        return line

    def _drawn(self, value: float | None) -> str:
        if value is None:
            return " " * self._cells
        if value < 0:
            return self._negative(value).rjust(self._below).ljust(self._cells)
        above = self._cells - self._below
        return " " * self._below + self._positive(value, above).ljust(above)

    def _positive(self, value: float, cells: int) -> str:
        if not value:
            return ""
        part = value / self._most * cells
        if not self._blocks:
            return "#" * max(round(part), 1)
        eighths = max(round(part * 8), 1)
        rest = _EIGHTHS[eighths % 8 - 1] if eighths % 8 else ""
        return _EIGHTHS[-1] * (eighths // 8) + rest

    def _negative(self, value: float) -> str:
        part = value / self._least * self._below
        if not self._blocks:
            return "#" * max(round(part), 1)
        # Unicode has eighths that grow to the right only; to the left there are halves.
        halves = max(round(part * 2), 1)
        return (_HALF if halves % 2 else "") + _EIGHTHS[-1] * (halves // 2)
