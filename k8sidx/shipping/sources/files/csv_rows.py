"""CSV reader: exports of the CloudWatch and Azure consoles, one JSON object per row.

The first row names the columns; RFC 4180 otherwise: cells may be quoted, quotes in them are
doubled, and quoted cells may contain line breaks.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator

import orjson

from k8sidx.shipping.sources.files.blocks import Blocks
from k8sidx.shipping.sources.files.json_documents import RAW_BYTES, Fault, over_limit

_CELL = re.compile(rb'(?:"([^"]*+(?:""[^"]*+)*+)"|([^",]*))(,|\Z)')
_NAME = re.compile(r"[A-Za-z@_][\w@.$ /:()\[\]-]{0,127}")
_UNIT = re.compile(r" \[[^\]]*\]\Z")
"""Suffix that Azure adds to the name of a column: ``TimeGenerated [UTC]``."""
_LOG_COLUMNS = frozenset(
    {"@message", "message", "log_s", "properties_log_s", "log", "_raw", "line", "body"}
    | {"auditid", "requesturi"}
)
"""Columns that contain audit events, or parts of one, in lower case."""
_JSON_CELL = re.compile(rb'(?:\A|[,\n])"\s*[{\[]\s*""')


def is_csv(head: bytes) -> bool:
    """Whether a source that starts so is CSV with a header row and logs in it.

    :param head: as much of it as there is, up to some KiB, without byte order mark.
    """
    first, newline, rest = head.partition(b"\n")
    names = _names(first)
    if not newline or not names or not all(_NAME.fullmatch(name) for name in names):
        return False
    known = len(names) > 1 and any(name.lower() in _LOG_COLUMNS for name in names)
    return known or _JSON_CELL.search(rest) is not None


class Rows:
    """Iterates over the rows after the header: JSON objects, blank rows, and faults.

    A fault takes one line only: what follows a quote that is never closed is read.

    :param limit: longest row in bytes.
    """

    def __init__(self, blocks: Blocks, limit: int) -> None:
        self._blocks = blocks
        self._limit = limit
        self._names: list[str] = []

    def __iter__(self) -> Iterator[bytes | Fault]:
        lines = self._lines()
        header = next(lines, b"")
        self._names = _names(header) if isinstance(header, bytes) else []
        again: deque[bytes | Fault | None] = deque()
        row: list[bytes] = []
        size = quotes = 0
        while True:
            line = again.popleft() if again else next(lines, None)
            if isinstance(line, bytes):
                row.append(line)
                size += len(line) + 1
                quotes += line.count(b'"')
                if quotes % 2 and size - 1 <= self._limit:
                    continue
                record = self._record(b"\n".join(row))
            elif row:
                again.appendleft(line)
                record = Fault("the CSV row ends early: a quote is not closed", b"")
            elif line is None:
                return
            else:
                record = line
            if isinstance(record, Fault) and row:
                record = record._replace(raw=row[0][:RAW_BYTES])
                again.extendleft(reversed(row[1:]))
            yield record
            row, size, quotes = [], 0, 0

    def _lines(self) -> Iterator[bytes | Fault]:
        """Yield the lines without their newlines; a fault for one that is too long."""
        pieces: list[bytes] = []
        size = 0
        while block := self._blocks.next():
            *ends, start = block.split(b"\n")
            for end in ends:
                yield self._line(pieces, size + len(end), end)
                pieces, size = [], 0
            size += len(start)
            if size <= self._limit:
                pieces.append(start)
            elif len(pieces) > 1:
                pieces = [b"".join(pieces)[:RAW_BYTES]]
        if size:
            yield self._line(pieces, size, b"")

    def _line(self, pieces: list[bytes], size: int, end: bytes) -> bytes | Fault:
        line = b"".join((*pieces, end))
        return over_limit(self._limit, line) if size > self._limit else line

    def _record(self, row: bytes) -> bytes | Fault:
        if len(row) > self._limit:
            return over_limit(self._limit, row)
        row = row.removesuffix(b"\r")
        if not row.strip():
            return b""
        cells = _cells(row)
        if cells is None:
            return Fault("not a valid CSV row: a quote in a cell is not doubled", b"")
        if len(cells) != len(self._names):
            reason = f"the CSV row has {len(cells)} cells, the header {len(self._names)}"
            return Fault(reason, b"")
        # An empty cell is what CSV has for null.
        texts = (cell.decode("utf-8", "replace") for cell in cells)
        return orjson.dumps({n: text for n, text in zip(self._names, texts, strict=True) if text})


def _names(header: bytes) -> list[str]:
    """Return the names of the columns, each once; empty when the line is not valid CSV."""
    names: list[str] = []
    for cell in _cells(header.removesuffix(b"\r")) or ():
        name = _UNIT.sub("", cell.decode("utf-8", "replace"))
        names.append(f"{name}_{len(names) + 1}" if name in names else name)
    return names


def _cells(row: bytes) -> list[bytes] | None:
    """Return the cells of a row; ``None`` when it is not valid CSV."""
    cells: list[bytes] = []
    start = 0
    while cell := _CELL.match(row, start):
        quoted = cell[1]
        cells.append(cell[2] if quoted is None else quoted.replace(b'""', b'"'))
        start = cell.end()
        if not cell[3]:
            return cells
    return None
