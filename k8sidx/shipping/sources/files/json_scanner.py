"""JSON text that is read on as it is needed, and where the values in it end.

The text is held as Latin-1, one character a byte: the structure of JSON is ASCII, so
positions are byte positions and whatever else is in the bytes comes out unchanged.
"""

from __future__ import annotations

import json.scanner
import re
from typing import Any

from k8sidx.shipping.sources.files.blocks import Blocks

_READ_BYTES = 256 * 1024
_SPACE = re.compile(r"[ \t\r\n]*")
_STRUCTURE = re.compile(r'[{}\[\]"\n]')
_IN_STRING = re.compile(r'["\\\n]')
_DEEP = re.compile(r"(?:[^{\[]*+[{\[]){500}")
"""Passed over at a time of what is nested too deeply: reading it again line by line would
take a time that grows with the square of its depth."""
_NEAR_END = 8
"""An error so near the end of the text may be one of the text that is not read yet."""
# Numbers stay text: nothing is done with them, and they may have any number of digits.
_decoder: Any = json.JSONDecoder(parse_int=str, parse_float=str)
_scan = json.scanner.make_scanner(_decoder)


class ScanError(Exception):
    """Reading a value cannot continue as planned."""


class Unfinished(ScanError):
    """The text at hand ends within the value."""


class EndsEarly(ScanError):
    """The input ends within the value."""


class TooLong(ScanError):
    """The value is longer than a record may be."""


class MalformedJson(ScanError):
    """The text is not valid JSON.

    :ivar offset: where that shows, from the start of the value.
    """

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset


class JsonText:
    """The part of the input that is not used yet.

    :param limit: longest value in bytes.
    :ivar line_start: nothing but white space is between the last newline and here.
    """

    def __init__(self, blocks: Blocks, limit: int) -> None:
        self._blocks = blocks
        self._limit = limit
        self._text = ""
        self._at = 0
        self._dropped = 0
        self._ended = False
        self.line_start = True

    def more(self) -> bool:
        """Read on, at least as much again as is not used yet; false at the input's end."""
        pieces = [self._text[self._at :]]
        wanted = max(_READ_BYTES, len(pieces[0]))
        while wanted > 0:
            block = self._blocks.next()
            if not block:
                self._ended = True
                break
            pieces.append(block.decode("latin-1"))
            wanted -= len(block)
        self._text = "".join(pieces)
        self._dropped += self._at
        self._at = 0
        return len(pieces) > 1

    def position(self) -> int:
        """Bytes used since the start of the input."""
        return self._dropped + self._at

    def put_back(self, text: str) -> None:
        """Take back that this text, which is just before what is next, was used."""
        self._text = text + self._text[self._at :]
        self._dropped += self._at - len(text)
        self._at = 0

    def unused(self) -> int:
        """Bytes at hand."""
        return len(self._text) - self._at

    def peek(self) -> str:
        """The next character that is not white space; empty at the input's end."""
        while True:
            match = _SPACE.match(self._text, self._at)
            end = match.end() if match else self._at
            if end > self._at:
                self.line_start |= self._text.find("\n", self._at, end) >= 0
                self._at = end
            if self.unused():
                return self._text[end]
            if not self.more():
                return ""

    def look(self, offset: int, length: int) -> str:
        """Text at hand, without using it."""
        start = self._at + offset
        return self._text[start : start + length]

    def take(self, length: int) -> str:
        """Use so much of the text at hand."""
        taken = self._text[self._at : self._at + length]
        self._at += length
        self.line_start = False
        return taken

    def line_length(self) -> int:
        """Length of the line; all that is at hand when its end is not."""
        end = self._text.find("\n", self._at)
        return (end if end >= 0 else len(self._text)) - self._at

    def last_line_start(self, offset: int) -> int:
        """Where the line starts that ``offset`` is in: offset of its newline, -1 for the
        line that is being read."""
        newline = self._text.rfind("\n", self._at, self._at + offset)
        return newline - self._at if newline >= 0 else -1

    def value_length(self) -> int:
        """Length of the JSON value that is next.

        :raises Unfinished: when the text at hand may be its start only.
        :raises Malformed: when it is not valid JSON.
        """
        try:
            _value, end = _scan(self._text, self._at)
        except StopIteration as stop:
            position, reason = int(stop.value), "a value is missing"
        except json.JSONDecodeError as error:
            position, reason = error.pos, error.msg
            if reason.startswith("Unterminated string"):
                position = len(self._text)
        except RecursionError:
            deep = _DEEP.match(self._text, self._at)
            offset = deep.end() - self._at if deep else 0
            raise MalformedJson("the JSON is nested too deeply", offset) from None
        else:
            return int(end) - self._at
        # At the input's end, a line that is cut is followed by a newline.
        cut = self._text.find("\n", position) < 0 if self._ended else True
        if position >= len(self._text) - _NEAR_END and cut:
            raise Unfinished
        raise MalformedJson(f"not valid JSON: {reason}", position - self._at)

    def value(self) -> int:
        """Length of the next value, reading on as needed.

        :raises EndsEarly: when the input ends before it does.
        :raises TooLong: when it is longer than the limit.
        :raises Malformed: when it is not valid JSON.
        """
        while True:
            try:
                length = self.value_length()
            except Unfinished:
                length = 0
            if length > self._limit:
                raise TooLong
            # A number may go on in the text that is not read yet.
            if length and length < self.unused():
                return length
            if self.unused() > self._limit:
                raise TooLong
            if not self.more():
                if length:
                    return length
                raise EndsEarly

    def skip(self, depth: int) -> None:
        """Pass over the next value, or over the rest of one that is so deep; no further than
        a newline in a string, where the value was cut."""
        in_string = False
        while True:
            match = (_IN_STRING if in_string else _STRUCTURE).search(self._text, self._at)
            if match is None:
                self._at = len(self._text)
                if not self.more():
                    return
                continue
            self._at = match.end()
            mark = match.group()
            if mark == "\\":
                if not self.unused() and not self.more():
                    return
                self._at += 1
            elif mark == "\n":
                if in_string:
                    self._at -= 1
                    return
            elif mark == '"':
                in_string = not in_string
                if not in_string and depth <= 0:
                    break
            else:
                depth += 1 if mark in "{[" else -1
                if depth <= 0:
                    break
        self.line_start = False

    def skip_line(self, keep: int) -> str:
        """Pass over the rest of the line, not its newline.

        :param keep: so much of it is returned.
        """
        kept = ""
        while True:
            length = self.line_length()
            ends = length < self.unused()
            kept += self.take(length)[: keep - len(kept)] if len(kept) < keep else ""
            self._at = self._at if ends else len(self._text)
            if ends or not self.more():
                return kept
