"""JSON that is not one record a line → records, one line each, in bounded memory.

Read are documents back to back (Amazon Data Firehose writes them without newlines),
pretty-printed documents, arrays, lines between them, and documents of any size that wrap
their records in an array: these are handed on as many small documents of the same kind,
each with the keys that came before the array, so that whoever decodes them need not know
of the splitting.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import orjson

from k8sidx.events.decode.readers import READERS
from k8sidx.shipping.sources.files.blocks import Blocks
from k8sidx.shipping.sources.files.json_scanner import (
    EndsEarly,
    JsonText,
    MalformedJson,
    TooLong,
    Unfinished,
)

WHOLE_BYTES = 1024 * 1024
"""Documents up to this size are handed on whole."""
_BATCH_BYTES = 256 * 1024
_CONTEXT_BYTES = 64 * 1024
RAW_BYTES = 64 * 1024
"""So much is kept of what cannot be read."""
ENDS_EARLY = "the JSON document ends early (what came before was kept)"

ARRAYS = frozenset(f'"{path.rpartition(".")[2]}"' for reader in READERS for path in reader.arrays)
"""Keys, as JSON, whose arrays contain records."""
_PARENTS = frozenset(
    f'"{key}"' for reader in READERS for path in reader.arrays for key in path.split(".")[:-1]
)
"""Keys of objects that contain such arrays."""
_LINE_BREAK = re.compile(r"[\r\n][ \t\r\n]*")
# What a line starts with that cannot be the start of a record.
_CONTINUATION = ' \t\r\n}]"'


class Fault(NamedTuple):
    """A part of the input that is not a record: the reason, and its first bytes."""

    reason: str
    raw: bytes


def over_limit(limit: int, start: bytes) -> Fault:
    """Return the fault for a record that is longer than the limit, in bytes."""
    size = f"{limit // 2**20} MiB" if limit >= 2**20 else f"{limit} bytes"
    reason = f"the record is longer than {size}; --max-record-size allows longer ones"
    return Fault(reason, start[:RAW_BYTES])


class Documents:
    """Iterates over the records in blocks of bytes.

    :param record_limit: longest record in bytes.
    """

    def __init__(self, blocks: Blocks, record_limit: int) -> None:
        self._text = JsonText(blocks, record_limit)
        self._limit = record_limit

    def __iter__(self) -> Iterator[bytes | Fault]:
        while character := self._text.peek():
            if character == ",":  # between the elements of an array that lost its start
                self._text.take(1)
            elif character not in "{[":
                yield self._text_line()
            elif (line := self._whole_line()) is not None:
                yield line
            else:
                yield from self._document()

    def _whole_line(self) -> bytes | None:
        """The line, when it is a JSON document and nothing else."""
        if not self._text.line_start:
            return None
        length = self._text.line_length()
        if length > self._limit or length == self._text.unused():
            return None
        line = self._text.look(0, length)
        if not is_json(line.encode("latin-1")):
            return None
        self._text.take(length)
        return line.encode("latin-1")

    def _text_line(self) -> bytes | Fault:
        text = self._text
        while text.line_length() == text.unused() <= self._limit and text.more():
            pass
        length = text.line_length()
        if length > self._limit:
            return self._over_limit(text.skip_line(RAW_BYTES))
        return text.take(length).rstrip("\r").encode("latin-1")

    def _document(self) -> Iterator[bytes | Fault]:
        text = self._text
        while True:
            try:
                length = text.value_length()
            except Unfinished:
                if text.unused() >= min(WHOLE_BYTES, self._limit) or not text.more():
                    break
                continue
            except MalformedJson:
                break
            if length > self._limit:
                break
            yield _one_line(text.take(length))
            return
        yield from self._parts()

    def _parts(self) -> Iterator[bytes | Fault]:
        """A document that is long, cut or malformed: walks over its keys to the arrays.

        Keys and values before, between and after the arrays are kept: they are the
        context of the parts, and the whole document when it has no arrays.
        """
        text = self._text
        start, position = text.look(0, text.unused()), text.position()
        kept: list[str] = []
        size = depth = 0
        in_parts = False
        try:
            while True:
                character = text.peek()
                if character == "[" and not kept:
                    in_parts = True
                    text.take(1)
                    yield from self._elements("[", "]")
                    return
                if character == "{" and kept and kept[-1] != ":":
                    raise MalformedJson("not valid JSON: a key is missing", 0)
                kept.append(text.take(self._key_or_punctuation(character)))
                size += len(kept[-1])
                if character == "{":
                    depth += 1
                elif character == "}":
                    depth -= 1
                    if depth == 0:
                        break
                elif character == ":":
                    character, key = text.peek(), kept[-2]
                    if character == "[" and key in ARRAYS and size < _CONTEXT_BYTES:
                        in_parts = True
                        context = _LINE_BREAK.sub("", "".join(kept)) + text.take(1)
                        yield from self._elements(context, "]" + "}" * depth)
                        kept.append("[]")
                    elif character != "{" or key not in _PARENTS:
                        kept.append(text.take(text.value()))
                        size += len(kept[-1])
                if size > self._limit:
                    raise TooLong
            if size > self._limit:
                yield self._over_limit("".join(kept))
            elif not in_parts:
                yield _one_line("".join(kept))
        except TooLong:
            beginning = "".join(kept)[:RAW_BYTES] + text.look(0, RAW_BYTES)
            text.skip(depth)
            yield self._over_limit(beginning)
        except EndsEarly:
            if not in_parts:
                text.put_back(start[: text.position() - position])
            yield from self._cut(text.take(text.unused()), in_parts=in_parts)
        except MalformedJson as problem:
            offset = problem.offset
            if not in_parts:
                used = start[: text.position() - position]
                text.put_back(used)
                offset += len(used)
            yield from self._malformed(problem.reason, offset, in_parts=in_parts)

    def _key_or_punctuation(self, character: str) -> int:
        """Length of the next key or punctuation mark."""
        if character == '"':
            return self._text.value()
        if not character:
            raise EndsEarly
        if character not in "{}:,":
            raise MalformedJson("not valid JSON: a key is missing", 0)
        return 1

    def _elements(self, start: str, end: str) -> Iterator[bytes | Fault]:
        """The elements of an array in batches, each batch between start and end."""
        text = self._text
        batch: list[str] = []
        size = 0
        nothing = True
        try:
            while (character := text.peek()) != "]":
                if not character:
                    raise EndsEarly
                if character == ",":
                    text.take(1)
                    continue
                nothing = False
                try:
                    length = text.value()
                except TooLong:
                    beginning = text.look(0, RAW_BYTES)
                    text.skip(0)
                    yield self._over_limit(beginning)
                    continue
                if batch and size + length > min(_BATCH_BYTES, self._limit):
                    yield _one_line(start + ",".join(batch) + end)
                    batch, size = [], 0
                batch.append(text.take(length))
                size += length
            text.take(1)
        except (EndsEarly, MalformedJson):
            if batch:
                yield _one_line(start + ",".join(batch) + end)
            raise
        if batch or nothing:
            yield _one_line(start + ",".join(batch) + end)

    def _cut(self, text: str, *, in_parts: bool) -> Iterator[bytes | Fault]:
        """A document, or the rest of one, that the input ends in."""
        text = text.rstrip(" \t\r\n")
        if in_parts:
            yield Fault(ENDS_EARLY, text[:RAW_BYTES].encode("latin-1"))
            return
        records, lost = _whole_records(text)
        if "\n" not in text:
            # Decoding it says what it was.
            yield lost.encode("latin-1")
        else:
            yield Fault(ENDS_EARLY, lost[:RAW_BYTES].encode("latin-1"))
        yield from records

    def _over_limit(self, start: str) -> Fault:
        return over_limit(self._limit, start[:RAW_BYTES].encode("latin-1"))

    def _malformed(self, reason: str, offset: int, *, in_parts: bool) -> Iterator[bytes | Fault]:
        """Yield what is malformed, and resume at the next line that can be a record."""
        text = self._text
        length = text.last_line_start(offset)
        if length < 0 or text.look(length, offset - length).strip(" \t\r\n"):
            length = offset
        records, lost = _whole_records(text.take(length))
        raw = lost + text.skip_line(self._limit)
        one_line = "\n" not in raw and len(raw) <= self._limit and not self._continues()
        if one_line and not in_parts:
            # Decoding it says what it was.
            yield raw.rstrip("\r").encode("latin-1")
            yield from records
            return
        passed = len(raw)
        while self._continues():
            line = text.take(1) + text.skip_line(RAW_BYTES)
            passed += len(line)
            raw += line if len(raw) < RAW_BYTES else ""
        if passed > RAW_BYTES:
            reason += f" (the first {RAW_BYTES // 1024} KiB are kept)"
        yield Fault(reason, raw[:RAW_BYTES].encode("latin-1"))
        yield from records

    def _continues(self) -> bool:
        """At a newline: whether the next line continues a malformed document."""
        if self._text.unused() < 2:
            self._text.more()
        following = self._text.look(1, 1)
        self._text.line_start = True
        return bool(following) and following in _CONTINUATION


def _whole_records(text: str) -> tuple[list[bytes], str]:
    """The lines after the first that are records by themselves, and all the others: a line
    that was cut may have swallowed them."""
    first, *lines = text.split("\n")
    records: list[bytes] = []
    lost = [first]
    for line in lines:
        if line.startswith("{") and is_json(line.encode("latin-1")):
            records.append(line.rstrip("\r").encode("latin-1"))
        else:
            lost.append(line)
    return records, "\n".join(lost)


def _one_line(text: str) -> bytes:
    """The document without line breaks, which in JSON can only be white space."""
    if "\n" in text or "\r" in text:
        text = _LINE_BREAK.sub("", text)
    return text.encode("latin-1")


def is_json(line: bytes) -> bool:
    """Whether the bytes are one JSON document."""
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True
