"""Reader of the dead-letter file that shipping writes, for shipping its records again."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Any

from k8sidx.events.decode.envelope import FORMATS, Malformed, Nested, NotAnEvent, Part, Reader
from k8sidx.events.records import Context, JsonObject

MARK = "dead-letter"


def read(record: JsonObject, context: Context) -> Iterable[Part] | None:
    """Read a line of a dead-letter file: what could not be stored stands under ``raw``, or
    ``raw_base64`` when it is not UTF-8."""
    if record.get("k8sidx") != MARK:
        return None
    raw: Any
    raw, packed = record.get("raw"), record.get("raw_base64")
    if type(packed) is str:
        try:
            raw = base64.b64decode(packed, validate=True)
        except binascii.Error:
            return (Malformed("raw_base64 of the dead letter is not Base64"),)
    if type(raw) not in (str, bytes):
        return (Malformed("the dead letter has no raw record"),)
    if not raw:
        return (NotAnEvent("dead letter without a record"),)
    record_bytes = raw.encode("utf-8", "replace") if isinstance(raw, str) else raw
    return (Nested(record_bytes, context, record_bytes),)


READER = Reader("dead letter", FORMATS, frozenset({"k8sidx"}), (), read)
