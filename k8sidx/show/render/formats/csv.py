"""CSV output (RFC 4180, but with ``\\n`` at line ends, as other Unix tools expect)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from k8sidx.backends.result import Value
from k8sidx.hunt.result import HuntResult
from k8sidx.show.render.escape import csv_cell, json_line
from k8sidx.show.render.formats.base import Format
from k8sidx.show.render.hunts import sheet_of
from k8sidx.show.render.sheet import Sheet, is_number, plain

_AT_NAME = re.compile(r"@[a-z]+")
"""``@timestamp``, as the programs that read the file expect it. A spreadsheet takes it for an
unknown name: without brackets it calls nothing."""
_HUNT_COLUMNS = (
    "hunt", "level", "count", "first_seen", "last_seen", "reason", "values", "audit_ids",
)  # fmt: skip


class CsvFormat(Format):
    """CSV: a header line and one line per row."""

    shows_notes = False

    def sheet(self, sheet: Sheet) -> str:
        """Write a table; titles and notes have no place in CSV."""
        names = (name if _AT_NAME.fullmatch(name) else csv_cell(name) for name in sheet.columns)
        return "".join([_line(names), *(_line(map(_cell, row)) for row in sheet.rows)])

    def hunts(self, results: Sequence[HuntResult]) -> str:
        """Write one hunt with its own columns; several with the columns they share.

        Several hunts have one line per finding, and one per row of the hunts that rank
        instead of reporting findings.
        """
        if len(results) == 1:
            return self.sheet(sheet_of(results[0]))
        return self.sheet(
            Sheet(_HUNT_COLUMNS, [row for result in results for row in _rows(result)])
        )


FORMAT = CsvFormat()


def _rows(result: HuntResult) -> Iterator[tuple[Value, ...]]:
    for f in result.findings:
        key, evidence = json_line(f.key), json_line(f.audit_ids)
        yield f.hunt, f.level, f.count, f.first_seen, f.last_seen, f.reason, key, evidence
    if result.findings:
        return
    for row in result.rows:
        values = dict(zip(result.columns, row, strict=True))
        last = row[-1] if row and is_number(row[-1]) else None
        yield result.hunt, result.level, last, None, None, None, json_line(values), None


def _cell(value: Value) -> str:
    return csv_cell(plain(value))


def _line(cells: Iterable[str]) -> str:
    # Most readers skip a line without anything; an empty quoted cell is a record to them.
    return (",".join(cells) or '""') + "\n"
