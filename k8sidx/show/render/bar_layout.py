"""Layout of bars with their labels and numbers, drawn with characters.

Eighth blocks if the terminal's encoding has them, else ``#``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from rich.cells import cell_len, set_cell_size
from rich.text import Text

_EIGHTHS = "▏▎▍▌▋▊▉█"
_HALF = "▐"
_CUT = "…"
_GAP = 2
_MIN_BAR_WIDTH = 10
"""Minimum width of the bars in cells; labels are cut for them."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar.

    :param labels: one per label column; fewer leave the last columns empty.
    :param value: its length; ``None`` for no bar.
    :param shown: the value as text.
    """

    labels: tuple[str, ...]
    value: float | None = None
    shown: str = ""


class BarLayout:
    """Widths of labels, bars and numbers, and the axis between negative and positive bars."""

    def __init__(self, bars: Sequence[Bar], heading: Bar, width: int, encoding: str) -> None:
        self._heading = heading
        self._blocks = _can_write(_EIGHTHS + _HALF + _CUT, encoding)
        values = [bar.value for bar in bars if bar.value is not None]
        self._least, self._most = min([0.0, *values]), max([0.0, *values])
        self._number = max(cell_len(bar.shown) for bar in (*bars, heading))
        left = max(width - self._number - 2 * _GAP, 2 * _MIN_BAR_WIDTH)
        self._labels = _widths([bar.labels for bar in (*bars, heading)], left - _MIN_BAR_WIDTH)
        self._label = sum(self._labels) + _GAP * max(len(self._labels) - 1, 0)
        self._cells = max(left - self._label, _MIN_BAR_WIDTH)
        # Halved first: the spread of the two largest floats is beyond all floats.
        spread = self._most / 2 - self._least / 2
        below = round(self._cells * (-self._least / 2 / spread)) if spread else 0
        # Both sides of the axis have room for a bar, whatever the proportion.
        self._below = min(max(below, int(self._least < 0)), self._cells - int(self._most > 0))

    def heading_line(self) -> Text:
        """Return the line with the column names."""
        line = self._labelled(self._heading).append(" " * self._cells)
        return self._numbered(line, self._heading)

    def line(self, bar: Bar) -> Text:
        """Return the bar between its labels and its number."""
        line = self._labelled(bar)
        line.append(self._drawn(bar.value), style="cyan")
        return self._numbered(line, bar)

    def _labelled(self, bar: Bar) -> Text:
        if len(bar.labels) < len(self._labels):
            text = self._fitted(bar.labels[0], self._label)
        else:
            text = (" " * _GAP).join(map(self._fitted, bar.labels, self._labels))
        return Text(text + " " * _GAP)

    def _fitted(self, label: str, width: int) -> str:
        if cell_len(label) <= width:
            return set_cell_size(label, width)
        return set_cell_size(label, width - 1) + (_CUT if self._blocks else ".")

    def _numbered(self, line: Text, bar: Bar) -> Text:
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
        # Unicode has eighths that grow to the right only; those that grow to the left are halves.
        halves = max(round(part * 2), 1)
        return (_HALF if halves % 2 else "") + _EIGHTHS[-1] * (halves // 2)


def _widths(labels: Sequence[tuple[str, ...]], room: int) -> list[int]:
    """Return the width of each label column: that of its longest label, or less, widest first."""
    count = max(map(len, labels))
    columns = list(zip_longest(*(bar for bar in labels if len(bar) == count), fillvalue=""))
    widths = [max(map(cell_len, column)) for column in columns]
    while sum(widths) + _GAP * (count - 1) > room and max(widths, default=1) > 1:
        widths[widths.index(max(widths))] -= 1
    return widths


def _can_write(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
