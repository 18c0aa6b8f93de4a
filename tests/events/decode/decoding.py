"""Decoding for tests: records from bytes or JSON, events as JSON objects."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import msgspec

from k8sidx.errors import Where
from k8sidx.events.decode.decode import decode, repaired
from k8sidx.events.decode.event_model import NOTHING, UNDECODABLE
from k8sidx.events.records import Chunk, Context, Event, Rejected, Skipped
from k8sidx.shipping.sources.files.chunks import CHUNK_BYTES, RECORD_LIMIT, read_chunks
from k8sidx.shipping.sources.files.inputs import Source


class DecodedEvent(NamedTuple):
    """An event with all of it as a JSON object; members that are null are left out."""

    body: dict[str, Any]
    context: Context
    where: Where


DecodedRecord: TypeAlias = DecodedEvent | Skipped | Rejected


def decoded(chunk: Chunk, format: str = "auto") -> list[DecodedRecord]:
    """The records of a chunk."""
    return [
        _decoded(record) if isinstance(record, Event) else record
        for record in decode(chunk, format)
    ]


def _decoded(event: Event) -> DecodedEvent | Rejected:
    try:
        return DecodedEvent(_body(event), event.context, event.where)
    except UNDECODABLE:
        assert event.text
    again = repaired(event)
    return again if isinstance(again, Rejected) else _decoded(again)


def _body(event: Event) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for key in event.audit.__struct_fields__:
        value = getattr(event.audit, key)
        if key == "objectRef" and value is not None:
            body[key] = msgspec.to_builtins(value) | (event.rest or {}).get(key, {})
        elif isinstance(value, msgspec.Raw) and value is not NOTHING:
            body[key] = msgspec.json.decode(value)
        elif type(value) is str:
            body[key] = value
    return (event.rest or {}) | body


def records(content: object, format: str = "auto") -> list[DecodedRecord]:
    """The records of a line: bytes as they are, anything else as JSON."""
    line = content if isinstance(content, bytes) else json.dumps(content).encode()
    return decoded(Chunk("test.log", 1, line), format)


def the_event(content: object, format: str = "auto") -> DecodedEvent:
    """The one event in it."""
    (event,) = records(content, format)
    assert isinstance(event, DecodedEvent), event
    return event


def body(content: object) -> dict[str, Any]:
    """The one event in it, without what its envelope said."""
    return the_event(content).body


def context(content: object) -> Context:
    """What the envelope said of the one event in it."""
    return the_event(content).context


def skipped(content: object, format: str = "auto") -> str:
    """The kind of the one thing in it that is no event."""
    (record,) = records(content, format)
    assert isinstance(record, Skipped), record
    return record.kind


def rejected(content: object, format: str = "auto") -> Rejected:
    """The one reject."""
    (record,) = records(content, format)
    assert isinstance(record, Rejected), record
    return record


def file_records(
    path: Path, chunk_bytes: int = CHUNK_BYTES, record_limit: int = RECORD_LIMIT
) -> list[DecodedRecord]:
    """Everything that reading and decoding a file gives."""
    records: list[DecodedRecord] = []
    for chunk in read_chunks(Source(str(path)), chunk_bytes, record_limit):
        records += decoded(chunk) if isinstance(chunk, Chunk) else [chunk]
    return records


def packed(content: object) -> str:
    """JSON, gzipped, in Base64, as CloudWatch Logs hands it to Lambda and Firehose."""
    return b64encode(gzip.compress(json.dumps(content).encode())).decode()
