"""Search for audit events in JSON whose form no reader recognizes.

There is no list of envelopes here: an event is found at any depth, under any key, as an
object, as JSON in text, or as Base64 of either, alone, in arrays, and beside whatever a
shipper added. It costs a walk over the record, so that it is the last resort.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any

from k8sidx.compression import is_compressed
from k8sidx.events.decode.envelope import Base64Payload, Nested
from k8sidx.events.decode.flat_keys import is_flat, unflatten
from k8sidx.events.decode.otlp_json import object_of_any_value, object_of_attributes
from k8sidx.events.decode.providers.apiserver import is_event
from k8sidx.events.decode.providers.shippers import context_of_document
from k8sidx.events.records import Context, JsonObject

MAX_DEPTH = 32
"""Levels of objects and arrays that are searched below a record. An envelope is often two: an
object and the array in it."""

_PLAIN_MARKS = (b"auditID", b"audit.k8s.io/")
# Base64 of "auditID" and "audit.k8s.io/" at each of the three alignments, and of what gzip and
# zstd begin with.
_BASE64_MARKS = (
    b"YXVkaXRJR", b"F1ZGl0SU", b"hdWRpdElE",
    b"YXVkaXQuazhzLmlv", b"F1ZGl0Lms4cy5pb", b"hdWRpdC5rOHMuaW",
    b'"H4sI', b'"KLUv/',
)  # fmt: skip
# Base64 of something that is packed once more, and bytes as numbers that begin with a brace.
_PACKED = rb"[A-Za-z0-9+/_-]{300}|\[\s*(?:123|91)\s*,"
_MARKS = re.compile(
    b"|".join([*(re.escape(mark) for mark in (*_PLAIN_MARKS, *_BASE64_MARKS)), _PACKED])
)
_PLAIN = re.compile(b"|".join(re.escape(mark) for mark in _PLAIN_MARKS))
_LATE_KEYS = re.compile(
    rb'(?:stageTimestamp|requestReceivedTimestamp)\\?"\s*:|authorization\.k8s\.io/(?:decision|reason)'
)
"""Keys at the end of an event as the API server writes it."""
_CONTAINER_LINE = re.compile(rb'\d{4}-\d\d-\d\dT\S{1,40} std(?:out|err) [FP]|\{"log":"')
MIN_CUT = 16
"""Characters of the shortest text that is seen as the beginning of another."""
MIN_BASE64 = 64
"""Characters of the shortest Base64 that may contain an event."""
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
_STANDARD = str.maketrans("-_", "+/")


def may_contain_events(record: bytes) -> bool:
    """Whether a record that no reader took is worth a search."""
    return _MARKS.search(record) is not None


def names_an_event(record: bytes) -> bool:
    """Whether a record has what only audit events have: it is never skipped in silence."""
    return _PLAIN.search(record) is not None


def is_rest_of_an_event(text: bytes, line: bytes) -> bool:
    """Whether a text that is not JSON looks like an event whose beginning is missing: the line was
    split by a container runtime, and its first part is in a file that was rotated away.

    :param line: the record that contains the text.
    """
    if _LATE_KEYS.search(text) is not None:
        return True
    if _CONTAINER_LINE.match(line) is None or not text.endswith(b"}") or b'"' not in text:
        return False
    return text.count(b"}") > text.count(b"{")


def nested_events(value: Any, context: Context) -> Iterator[Nested]:
    """Yield what may be an audit event inside a JSON value, outermost first.

    :param context: of the record; objects around an event add what they contain about its cluster
        and time.
    """
    yield from _search(value, context, MAX_DEPTH, is_root=True)


def _search(value: Any, context: Context, depth: int, *, is_root: bool = False) -> Iterator[Nested]:
    if type(value) is str:
        if content := _content_of(value):
            yield Nested(content, context)
    elif depth < 0:
        return
    elif type(value) is dict:
        yield from _search_object(value, context, depth, is_root=is_root)
    elif type(value) is list:
        if (text := _text_of_bytes(value)) is not None:
            yield from _search(text, context, depth - 1)
            return
        if (attributes := object_of_attributes(value)) is not None:
            yield from _search_object(attributes, context, depth, is_root=False)
            return
        for element in value:
            yield from _search(element, context, depth - 1)


def _search_object(
    record: JsonObject, context: Context, depth: int, *, is_root: bool
) -> Iterator[Nested]:
    if (plain := object_of_any_value(record)) is not None:
        record = plain
        is_root = False
    if is_flat(record):
        record = unflatten(record)
        is_root = False
    if not is_root and is_event(record):
        yield Nested(record, context)
        return
    context = context_of_document(record, context)
    texts = [child for child in record.values() if type(child) is str and len(child) > MIN_CUT]
    for key, child in record.items():
        if type(child) is str and len(texts) > 1 and _is_cut_copy(child, texts):
            continue
        if type(child) in (dict, list, str):
            for nested in _search(child, context, depth - 1):
                yield nested if nested.alone else nested._replace(alone={key: child})


def _is_cut_copy(text: str, texts: list[str]) -> bool:
    """Whether a text is the beginning of a longer one beside it, as GELF's ``short_message``."""
    beginning = text.rstrip(".… ")
    return len(beginning) > MIN_CUT and any(
        len(other) > len(text) and other.startswith(beginning) for other in texts
    )


def _content_of(text: str) -> str | Base64Payload | None:
    """Return a text that may be, or contain, the JSON of an event."""
    packed = "".join(text.split()) if len(text) > MIN_BASE64 else ""
    if len(packed) > MIN_BASE64 and _BASE64.fullmatch(packed):
        standard = packed.rstrip("=").translate(_STANDARD)
        payload = standard + "=" * (-len(standard) % 4)
        if len(standard) % 4 != 1:
            data = base64.b64decode(payload)
            if is_compressed(data[:4]) or may_contain_events(data):
                return Base64Payload(payload)
        return None
    return text if may_contain_events(text.encode("utf-8", "replace")) else None


def packed_record(text: bytes) -> Base64Payload | None:
    """Return the Base64 that a line of text ends with, if an event may be in it: queues and
    exports write records so, some after a time or a key."""
    word = text.rsplit(maxsplit=1)[-1].strip(b"\"'") if len(text) > MIN_BASE64 else b""
    if len(word) <= MIN_BASE64 or not word.isascii():
        return None
    content = _content_of(word.decode())
    return content if isinstance(content, Base64Payload) else None


def _text_of_bytes(values: list[Any]) -> str | None:
    """Return the text of an array of byte values, the form in which journald exports lines."""
    if len(values) < 2 or not all(type(value) is int and 0 <= value < 256 for value in values):
        return None
    return bytes(values).decode("utf-8", "replace")
