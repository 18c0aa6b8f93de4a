"""Sheets as CSV (RFC 4180, but with ``\\n`` at line ends, as other Unix tools expect)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from k8sidx.backends.result import Value
from k8sidx.show.render.escape import csv_cell
from k8sidx.show.render.sheet import Sheet, plain

_AT_NAME = re.compile(r"@[a-z]+")
"""``@timestamp``, as the programs that read the file expect it. A spreadsheet takes it for a name
that it does not know: without brackets it calls nothing."""


def csv_text(sheet: Sheet) -> str:
    """A header line and one line a row."""
    header = _line(name if _AT_NAME.fullmatch(name) else csv_cell(name) for name in sheet.columns)
    return "".join([header, *(_line(map(_cell, row)) for row in sheet.rows)])


def _cell(value: Value) -> str:
    return csv_cell(plain(value))


def _line(cells: Iterable[str]) -> str:
    # A line without anything is no record for most readers; an empty quoted cell is.
    return (",".join(cells) or '""') + "\n"
