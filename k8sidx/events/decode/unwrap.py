"""Unwraps a record until there are events, or until it is clear that there are none.

Envelopes may be inside one another: a line of Filebeat that holds a CloudWatch record
that holds events. How deep, and how much compressed data may unpack to, is bounded.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from typing import Any

from k8sidx.compression import DamagedStreamError, decompressed
from k8sidx.errors import UsageError, Where
from k8sidx.events.decode.envelope import (
    EMPTY,
    UNKNOWN,
    Broken,
    Found,
    Held,
    NoEvent,
    Packed,
    Piece,
    Reader,
)
from k8sidx.events.decode.event_model import to_json
from k8sidx.events.decode.json_repair import UnreadableError, parse
from k8sidx.events.decode.providers import aks, apiserver, dead_letter, gke, openshift, shippers
from k8sidx.events.decode.providers import eks as cloudwatch
from k8sidx.events.records import Context, Event, JsonObject, Record, Rejected, Skipped

MAX_DEPTH = 8
"""Envelopes inside one another."""
MAX_UNPACKED = 64 * 1024 * 1024
"""Bytes that the compressed data of one record may unpack to."""
_PREFIX = 512

READERS: tuple[tuple[str, Reader], ...] = (
    ("", dead_letter.read),
    ("", shippers.read_other),
    ("apiserver", apiserver.read_event),
    ("apiserver", apiserver.read_list),
    ("eks", cloudwatch.read),
    ("gke", gke.read),
    ("aks", aks.read),
    ("openshift", openshift.read),
    ("shipper", shippers.read),
)
"""In the order in which they are asked, each with the format it belongs to; the first
ones belong to all."""

FORMATS: dict[str, frozenset[str]] = {
    "auto": frozenset({"apiserver", "eks", "gke", "aks", "openshift", "shipper"}),
    "apiserver": frozenset({"apiserver"}),
    "eks": frozenset({"apiserver", "eks", "shipper"}),
    "gke": frozenset({"gke", "shipper"}),
    "aks": frozenset({"apiserver", "aks", "shipper"}),
    "openshift": frozenset({"apiserver", "openshift", "shipper"}),
    "rancher": frozenset({"apiserver", "shipper"}),
    "shipper": frozenset({"apiserver", "shipper"}),
}
"""What ``--format`` can be → the formats that it lets in."""
_PROVIDERS = frozenset({"eks", "gke", "aks", "openshift", "rancher"})

_KLOG = re.compile(rb"[IWEF]\d{4} \d\d:\d\d:\d\d")
_LEGACY = re.compile(rb"\S+ AUDIT: id=")
_ARRAY = re.compile(rb"\[\s*[\[{\"]")
_TIME = re.compile(rb"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,\d]*(?:Z|[+-]\d\d:?\d\d)?)\s")
_BLANK = b" \t\r\n\0\xef\xbb\xbf"


class Unwrapper:
    """Unwraps records of one format.

    :param format: a key of ``FORMATS``.
    :raises UsageError: when it is none.
    """

    def __init__(self, format: str) -> None:
        if format not in FORMATS:
            raise UsageError(
                f"{format!r} is no format.", remedy=f"Known formats: {', '.join(FORMATS)}."
            )
        self.format = format
        self.context = Context(provider=format) if format in _PROVIDERS else Context()

    def line(self, line: bytes, where: Where) -> Iterator[Record]:
        """What a line holds: at least one record, unless it is blank."""
        return _Unwrapping(self.format, where, line).line(line, self.context)

    def object(self, record: JsonObject, line: bytes, where: Where) -> Iterator[Record]:
        """What the JSON object that is a line holds."""
        return _Unwrapping(self.format, where, line).object(record, self.context)


class _Unwrapping:
    """The unwrapping of one line."""

    def __init__(self, format: str, where: Where, line: bytes) -> None:
        self._format = format
        self._where = where
        self._line = line
        self._raw: bytes | JsonObject = line
        self._depth = 0
        self._budget = MAX_UNPACKED

    # Text

    def line(self, line: bytes, context: Context) -> Iterator[Record]:
        """A line, or text that an envelope held."""
        text = line.strip(_BLANK)
        if not text:
            return
        start = text[:1]
        if start not in (b"{", b"[", b'"'):
            yield from self._text(text, context)
            return
        try:
            value = parse(text)
        except UnreadableError as problem:
            if start == b"{" or _ARRAY.match(text):
                yield from self._unreadable(text, problem, context)
            else:
                yield from self._text(text, context)
            return
        if type(value) is dict:
            yield from self.object(value, context)
        else:
            yield from self._value(value, context)

    def _unreadable(
        self, text: bytes, problem: UnreadableError, context: Context
    ) -> Iterator[Record]:
        """JSON that cannot be read as one document."""
        lines = text.split(b"\n")
        if len(lines) > 1:
            yield from self._each(lines, context)
        elif problem.documents:
            yield from self._each(problem.documents, context)
        else:
            yield self._rejected(problem.reason)

    def _each(self, pieces: list[bytes], context: Context) -> Iterator[Record]:
        """Pieces of a line or text, each of them a record of its own."""
        before = self._raw
        for piece in pieces:
            self._raw = piece
            yield from self.line(piece, context)
        self._raw = before

    def _text(self, text: bytes, context: Context) -> Iterator[Record]:
        """A line that is no JSON, though JSON may stand after a time or a host name."""
        if b"\n" in text:
            yield from self._each(text.split(b"\n"), context)
            return
        start = text.find(b"{", 0, _PREFIX)
        reason = "the beginning of the event is missing"
        if _KLOG.match(text):
            yield self._skipped("klog line")
            return
        if start > 0:
            try:
                value = parse(text[start:])
            except UnreadableError as problem:
                if b'"' not in text[:start]:
                    reason = problem.reason
            else:
                time = _TIME.match(text)
                if time is not None and not context.time:
                    context = context._replace(time=time[1].decode())
                yield from self._value(value, context)
                return
        if b'"auditID"' in text:
            yield self._rejected(reason)
        elif _LEGACY.match(text):
            yield self._skipped("audit line in the legacy text format")
        else:
            yield self._skipped("text line")

    # Values

    def _value(self, value: Any, context: Context) -> Iterator[Record]:
        if type(value) is dict:
            yield from self.object(value, context)
        elif type(value) is list:
            yield from self._pieces(_elements(value, context))
        elif type(value) is str:
            yield from self._pieces((Held(value, context),))
        else:
            yield self._skipped(UNKNOWN.kind)

    def object(self, record: JsonObject, context: Context) -> Iterator[Record]:
        """A JSON object: asks the readers in turn."""
        allowed = FORMATS[self._format]
        for family, read in READERS:
            pieces = read(record, context)
            if pieces is None:
                continue
            if family and family not in allowed:
                yield self._rejected(f"the record is of the format {family}, not {self._format}")
            else:
                yield from self._pieces(pieces)
            return
        if self._format == "auto":
            yield self._skipped(UNKNOWN.kind)
        else:
            yield self._rejected(f"the record is not of the format {self._format}")

    def _pieces(self, pieces: Iterable[Piece]) -> Iterator[Record]:
        for piece in pieces:
            if isinstance(piece, Found):
                yield Event(piece.body, piece.context, self._where)
            elif isinstance(piece, NoEvent):
                yield self._skipped(piece.kind)
            elif isinstance(piece, Broken):
                yield self._rejected(piece.reason)
            elif self._depth >= MAX_DEPTH:
                yield self._rejected(f"the record is wrapped more than {MAX_DEPTH} times")
            else:
                before = self._raw
                if piece.alone is not None:
                    self._raw = piece.alone
                self._depth += 1
                yield from self._content(piece.content, piece.context)
                self._depth -= 1
                self._raw = before

    def _content(self, content: Any, context: Context) -> Iterator[Record]:
        """What an envelope held."""
        if isinstance(content, Packed):
            try:
                content = self._unpack(content.text)
            except ValueError:
                yield self._rejected("the data of the record is not Base64")
                return
            except DamagedStreamError as error:
                yield self._rejected(f"the data of the record: {error}")
                return
        elif type(content) is str:
            content = content.encode("utf-8", "replace")
        if type(content) is not bytes:
            yield from self._value(content, context)
        elif content.strip(_BLANK):
            yield from self.line(content, context)
        else:
            yield self._skipped("empty record")

    def _unpack(self, packed: str) -> bytes:
        """Base64 → the text in it, decompressed.

        :raises ValueError: when it is not Base64.
        :raises DamagedStreamError: when it is damaged or unpacks to too much.
        """
        unpacked = bytearray()
        for block in decompressed(iter((base64.b64decode(packed, validate=True),))):
            unpacked += block
            if len(unpacked) > self._budget:
                raise DamagedStreamError(f"it unpacks to more than {MAX_UNPACKED // 2**20} MiB")
        self._budget -= len(unpacked)
        return bytes(unpacked)

    # What else there is

    def _skipped(self, kind: str) -> Skipped:
        return Skipped(kind, self._where)

    def _rejected(self, reason: str) -> Rejected:
        raw = self._raw
        if not isinstance(raw, bytes):
            try:
                raw = to_json(raw)
            except RecursionError:
                raw = self._line
        return Rejected(reason, self._where, raw)


def _elements(value: list[Any], context: Context) -> Iterator[Piece]:
    """An array: of records, or a row of CloudWatch Logs Insights."""
    if cloudwatch.is_insights_row(value):
        yield cloudwatch.read_insights_row(value, context)
        return
    if not value:
        yield EMPTY
    for one in value:
        yield Held(one, context, one if type(one) is dict else None)
