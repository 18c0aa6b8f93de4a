"""Unwrapping of records: envelopes are opened until there are events, or none are possible.

Envelopes may be nested: a line of Filebeat that contains a CloudWatch record that contains
events. How deep, and how much compressed data may unpack to, is bounded.
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
    FORMATS,
    PROVIDERS,
    UNKNOWN,
    AuditObject,
    Base64Payload,
    Malformed,
    Nested,
    NotAnEvent,
    Part,
    Reader,
)
from k8sidx.events.decode.event_model import decode_text, from_object, to_json
from k8sidx.events.decode.json_repair import UnreadableError, parse
from k8sidx.events.decode.providers import apiserver, eks
from k8sidx.events.decode.providers.shippers import LOOKALIKES
from k8sidx.events.decode.readers import READERS
from k8sidx.events.decode.search import (
    is_rest_of_an_event,
    may_contain_events,
    names_an_event,
    nested_events,
    packed_record,
)
from k8sidx.events.records import Context, Event, JsonObject, Record, Rejected, Skipped

MAX_DEPTH = 8
"""Envelopes inside one another."""
MAX_UNPACKED = 64 * 1024 * 1024
"""Bytes that the compressed data of one record may unpack to."""
_PREFIX = 512

_KLOG = re.compile(rb"[IWEF]\d{4} \d\d:\d\d:\d\d")
_LEGACY = re.compile(rb"\S+ AUDIT: id=")
_ARRAY = re.compile(rb"\[\s*[\[{\"]")
_TIME = re.compile(rb"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,\d]*(?:Z|[+-]\d\d:?\d\d)?)\s")
_BLANK = b" \t\r\n\0\xef\xbb\xbf"


class Unwrapper:
    """Unwraps records of one format.

    :param format: one of ``FORMATS``.
    :raises UsageError: when the format is unknown.
    :ivar context: what the format alone determines.
    :ivar takes_events: whether events that nothing wraps are of the format.
    """

    def __init__(self, format: str) -> None:
        if format not in FORMATS:
            raise UsageError(
                f"{format!r} is not a known format.",
                remedy=f"Known formats: {', '.join(FORMATS)}.",
            )
        self.format = format
        self.context = Context(provider=format) if format in PROVIDERS else Context()
        self.takes_events = self.accepts(apiserver.EVENTS)

    def accepts(self, reader: Reader) -> bool:
        """Whether the records of a reader are of the format."""
        return self.format == "auto" or self.format in reader.formats

    def unwrap(self, line: bytes, where: Where) -> Iterator[Record]:
        """Return the records in a line that is not an event itself: at least one, unless
        the line is blank."""
        return _Unwrapping(self, where, line).envelope(line.strip(_BLANK), self.context)


class _Unwrapping:
    """Unwrapper of a line."""

    def __init__(self, unwrapper: Unwrapper, where: Where, line: bytes) -> None:
        self._unwrapper = unwrapper
        self._where = where
        self._line = line
        self._raw: bytes | JsonObject = line
        self._depth = 0
        self._budget = MAX_UNPACKED
        self._may_contain_events = may_contain_events(line)

    # Text

    def text(self, text: bytes, context: Context) -> Iterator[Record]:
        """Text inside an envelope: most often an event as the API server wrote it.

        :param text: without blanks around it.
        """
        if (event := self._event_in(text, context)) is not None:
            yield event
        else:
            yield from self.envelope(text, context)

    def envelope(self, text: bytes, context: Context) -> Iterator[Record]:
        """Text that is not an event as the API server writes it."""
        start = text[:1]
        if start not in (b"{", b"[", b'"'):
            if text:
                yield from self._plain_text(text, context)
            return
        try:
            value = parse(text)
        except UnreadableError as problem:
            if start == b"{" or _ARRAY.match(text):
                yield from self._unreadable(text, problem, context)
            else:
                yield from self._plain_text(text, context)
            return
        if type(value) is dict:
            yield from self._object(value, context)
        else:
            yield from self._value(value, context)

    def _event_in(self, text: bytes, context: Context) -> Event | None:
        if not self._unwrapper.takes_events or (audit := decode_text(text)) is None:
            return None
        return Event(audit, None, context, self._where, len(text), self._raw, text)

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

    def _each(self, records: list[bytes], context: Context) -> Iterator[Record]:
        """Sections of a line or text, each of them a record by itself."""
        before = self._raw
        for record in records:
            self._raw = record
            yield from self.text(record.strip(_BLANK), context)
        self._raw = before

    def _plain_text(self, text: bytes, context: Context) -> Iterator[Record]:
        """Text that is not JSON, though JSON may follow a time or a host name."""
        if b"\n" in text:
            yield from self._each(text.split(b"\n"), context)
            return
        start = text.find(b"{", 0, _PREFIX)
        reason = "the beginning of the event is missing"
        names_event = names_an_event(text)
        if _KLOG.match(text) and not names_event:
            yield self._skipped("klog line")
            return
        if start > 0:
            inner = text[start:]
            time = _TIME.match(text)
            inner_context = context
            if time is not None and not context.time:
                inner_context = context._replace(time=time[1].decode())
            if (event := self._event_in(inner, inner_context)) is not None:
                yield event
                return
            try:
                value = parse(inner)
            except UnreadableError as problem:
                if b'"' not in text[:start]:
                    reason = problem.reason
            else:
                yield from self._value(value, inner_context)
                return
        if names_event or is_rest_of_an_event(text, self._line):
            yield self._rejected(reason)
        elif (packed := packed_record(text)) is not None:
            yield from self._parts((Nested(packed, context),))
        elif _LEGACY.match(text):
            yield self._skipped("audit line in the legacy text format")
        else:
            yield self._skipped("text line")

    # Values

    def _value(self, value: Any, context: Context) -> Iterator[Record]:
        if type(value) is dict:
            yield from self._object(value, context)
        elif type(value) is list:
            yield from self._parts(_elements(value, context))
        elif type(value) is str:
            yield from self._parts((Nested(value, context),))
        else:
            yield self._skipped(UNKNOWN.kind)

    def _object(self, record: JsonObject, context: Context) -> Iterator[Record]:
        """Unwrap a JSON object: try the readers in turn, then search it for events.

        What the readers skip may contain an event in a form that none of them has.
        """
        skipped: list[Skipped] = []
        is_skipped = True
        for result in self._read(record, context):
            if is_skipped and isinstance(result, Skipped):
                skipped.append(result)
                continue
            if is_skipped:
                is_skipped = False
                yield from skipped
            yield result
        if is_skipped:
            yield from self._search(record, context) or skipped

    def _search(self, record: JsonObject, context: Context) -> list[Record]:
        """Search an object that the readers skipped; return nothing when it has no events."""
        if not self._may_contain_events or LOOKALIKES.read(record, context) is not None:
            return []
        events = self._nested_events(record, context)
        if not events and names_an_event(to_bytes(record, self._line)):
            return [self._rejected("the audit event in the record cannot be read")]
        return events

    def _read(self, record: JsonObject, context: Context) -> Iterator[Record]:
        unwrapper = self._unwrapper
        for reader in READERS:
            if reader.keys and reader.keys.isdisjoint(record):
                continue
            parts = reader.read(record, context)
            if parts is None:
                continue
            if unwrapper.accepts(reader):
                for part in parts:
                    if isinstance(part, Malformed):
                        yield from self._elsewhere(record, part)
                    else:
                        yield from self._parts((part,))
            else:
                yield self._rejected(
                    f"the record is of the format {reader.name}, not {unwrapper.format}"
                )
            return
        if unwrapper.format in ("auto", "shipper"):
            yield self._skipped(UNKNOWN.kind)
        else:
            yield self._rejected(f"the record is not of the format {unwrapper.format}")

    def _elsewhere(self, record: JsonObject, malformed: Malformed) -> list[Record]:
        """Search a record that has no event in its place for one in another place."""
        results: list[Record] = []
        if malformed.context is not None and self._may_contain_events:
            results = self._nested_events(record, malformed.context)
        return results or [self._rejected(malformed.reason)]

    def _nested_events(self, record: JsonObject, context: Context) -> list[Record]:
        nested = self._parts(nested_events(record, context))
        return [result for result in nested if not isinstance(result, Skipped)]

    def _parts(self, parts: Iterable[Part]) -> Iterator[Record]:
        for part in parts:
            if isinstance(part, AuditObject):
                yield self._event(part)
            elif isinstance(part, NotAnEvent):
                yield self._skipped(part.kind)
            elif isinstance(part, Malformed):
                yield self._rejected(part.reason)
            elif self._depth >= MAX_DEPTH:
                yield self._rejected(f"the record is wrapped more than {MAX_DEPTH} times")
            else:
                before = self._raw
                if part.alone is not None:
                    self._raw = part.alone
                self._depth += 1
                content = self._content(part.content)
                if isinstance(content, (Skipped, Rejected)):
                    yield content
                elif type(content) is not bytes:
                    yield from self._value(content, part.context)
                elif (event := self._event_in(content, part.context)) is not None:
                    yield event
                else:
                    yield from self.envelope(content, part.context)
                self._depth -= 1
                self._raw = before

    def _content(self, content: Any) -> Any:
        """Return the content of an envelope: text as bytes without blanks around it, any other
        JSON value as it is; a record when there is none."""
        if isinstance(content, Base64Payload):
            try:
                content = self._unpack(content.text)
            except ValueError:
                return self._rejected("the data of the record is not Base64")
            except DamagedStreamError as error:
                return self._rejected(f"the data of the record: {error}")
        elif type(content) is str:
            content = content.encode("utf-8", "replace")
        if type(content) is bytes:
            content = content.strip(_BLANK) or self._skipped("empty record")
        return content

    def _event(self, part: AuditObject) -> Event | Rejected:
        try:
            audit, rest, size = from_object(part.body)
        except (RecursionError, UnicodeError) as error:
            return Rejected(reason_of(error), self._where, self._line)
        return Event(audit, rest, part.context, self._where, size, self._line)

    def _unpack(self, packed: str) -> bytes:
        """Decode Base64 and decompress the text in it.

        :raises ValueError: when it is not Base64.
        :raises DamagedStreamError: when it is damaged or unpacks to too much.
        """
        unpacked = bytearray()
        for block in decompressed(iter((base64.b64decode(packed, validate=True),))):
            unpacked += block
            if len(unpacked) > self._budget:
                raise DamagedStreamError(f"it unpacks to more than {MAX_UNPACKED // 2**20} MiB")
        self._budget -= len(unpacked)
        text = bytes(unpacked)
        self._may_contain_events = self._may_contain_events or may_contain_events(text)
        return text

    # Other records

    def _skipped(self, kind: str) -> Skipped:
        return Skipped(kind, self._where)

    def _rejected(self, reason: str) -> Rejected:
        return Rejected(reason, self._where, to_bytes(self._raw, self._line))


def to_bytes(raw: bytes | memoryview | JsonObject, instead: bytes) -> bytes:
    """Return the bytes of a record for the dead-letter file.

    :param instead: returned when an envelope is nested too deeply to be written.
    """
    if not isinstance(raw, dict):
        return bytes(raw)
    try:
        return to_json(raw)
    except RecursionError:
        return instead


def reason_of(error: Exception) -> str:
    """Return the reason of a reject in words.

    :param error: one of ``UNDECODABLE``.
    """
    if isinstance(error, RecursionError):
        return "the event is nested too deeply"
    return f"the event cannot be written as JSON: {error}"


def _elements(value: list[Any], context: Context) -> Iterator[Part]:
    """Unwrap an array: of records, or a row of CloudWatch Logs Insights."""
    if eks.is_insights_row(value):
        yield eks.read_insights_row(value, context)
        return
    if not value:
        yield EMPTY
    for element in value:
        yield Nested(element, context, element if type(element) is dict else None)
