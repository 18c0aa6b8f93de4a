"""Decoding for tests: bytes or JSON in, records out."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from pathlib import Path
from typing import Any

from k8sidx.events.decode.decode import decode
from k8sidx.events.records import Chunk, Context, Event, Record, Rejected, Skipped
from k8sidx.shipping.sources.files.chunks import CHUNK_BYTES, RECORD_LIMIT, read_chunks
from k8sidx.shipping.sources.files.inputs import Source


def records(content: object, format: str = "auto") -> list[Record]:
    """What decoding makes of a line: bytes as they are, anything else as JSON."""
    line = content if isinstance(content, bytes) else json.dumps(content).encode()
    return list(decode(Chunk("test.log", 1, line), format))


def the_event(content: object, format: str = "auto") -> Event:
    """The one event in it."""
    (event,) = records(content, format)
    assert isinstance(event, Event), event
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
) -> list[Record]:
    """Everything that reading and decoding a file gives."""
    found: list[Record] = []
    for piece in read_chunks(Source(str(path)), chunk_bytes, record_limit):
        found += decode(piece) if isinstance(piece, Chunk) else [piece]
    return found


def packed(content: object) -> str:
    """JSON, gzipped, in Base64, as CloudWatch Logs hands it to Lambda and Firehose."""
    return b64encode(gzip.compress(json.dumps(content).encode())).decode()
