"""Sheets as CSV (RFC 4180, but with ``\\n`` at line ends, as other Unix tools expect)."""

from __future__ import annotations

from collections.abc import Iterable

from k8sidx.engine.result import Value
from k8sidx.render.escape import csv_cell
from k8sidx.render.sheet import Sheet, plain


def csv_text(sheet: Sheet) -> str:
    """A header line and one line a row."""
    return "".join([_line(sheet.columns), *(_line(row) for row in sheet.rows)])


def _line(cells: Iterable[Value]) -> str:
    # A line without anything is no record for most readers; an empty quoted cell is.
    return (",".join(csv_cell(plain(cell)) for cell in cells) or '""') + "\n"
