"""JSON parser that repairs records and diagnoses those it cannot repair.

Repaired without guessing are bytes that are not UTF-8 and lone surrogates (``\\ud800``):
each becomes U+FFFD, as the API server itself writes it. Whole numbers of any length are exact.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

# As fast as orjson, and exact for whole numbers beyond 64 bits, which orjson rounds.
_load = msgspec.json.decode

_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair
    rb"|(u[dD][89a-fA-F][0-9a-fA-F]{2})"  # half of one
    rb"|.)",
    re.DOTALL,
)
_CUT_MARK = b"[Truncated...]"


class UnreadableError(ValueError):
    """A record is not valid JSON; the reason is in words for the user.

    :ivar documents: the documents that stand one after the other, when that is all.
    """

    def __init__(self, reason: str, documents: list[bytes] | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.documents = documents or []


class _NotANumberError(ValueError):
    pass


def parse(record: bytes) -> Any:
    """Return the JSON value of a record.

    :raises UnreadableError: when it is not valid JSON.
    """
    try:
        return _load(record)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        pass
    repaired = _repair(record)
    try:
        return _load(repaired)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise _diagnosis(repaired) from None


def _repair(record: bytes) -> bytes:
    text = record.decode("utf-8", "replace").encode()
    return _ESCAPE.sub(_repair_escape, text) if b"\\u" in text else text


def _repair_escape(match: re.Match[bytes]) -> bytes:
    return b"\\ufffd" if match[1] else match[0]


def _refuse_constant(name: str) -> None:
    raise _NotANumberError(name)


# Numbers stay text: they may have any number of digits here.
_decoder = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_refuse_constant)


def _diagnosis(record: bytes) -> UnreadableError:
    """Return why it is not valid JSON. The record is UTF-8, and is read as Latin-1 to keep
    positions."""
    text = record.decode("latin-1").rstrip(" \t\r\n")
    try:
        _value, end = _decoder.raw_decode(text)
    except json.JSONDecodeError as error:
        if record.rstrip().endswith(_CUT_MARK):
            return UnreadableError(f"the record was cut by the provider ({_CUT_MARK.decode()})")
        if error.pos >= len(text) or error.msg.startswith("Unterminated string"):
            return UnreadableError("the record is cut: its JSON ends early")
        return UnreadableError(f"not valid JSON: {error.msg} at byte {error.pos + 1}")
    except _NotANumberError as error:
        return UnreadableError(f"not valid JSON: it has no number {error}")
    except RecursionError:
        return UnreadableError("the JSON is nested too deeply")
    if end < len(text):
        return UnreadableError("several documents on one line", _documents(text))
    return UnreadableError("not valid JSON: a number is beyond the range of a double")


def _documents(text: str) -> list[bytes]:
    """Return documents that follow one another directly; an invalid rest counts as one."""
    documents: list[bytes] = []
    start = 0
    while start < len(text):
        try:
            _value, end = _decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            end = len(text)
        documents.append(text[start:end].encode("latin-1"))
        start = end
        while start < len(text) and text[start] in " \t\r\n,":
            start += 1
    return documents
