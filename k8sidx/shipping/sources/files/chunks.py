"""A source → chunks of whole records, one a line, recognised by content."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from k8sidx.compression import DamagedStreamError, decompressed, is_compressed
from k8sidx.errors import Where
from k8sidx.events.records import START, Chunk, Position, Rejected, Skipped
from k8sidx.shipping.sources.files.archives import (
    MAX_NESTED,
    Member,
    is_archive,
    is_tar,
    is_zip_file,
    spooled,
    tar_members,
    zip_members,
)
from k8sidx.shipping.sources.files.blocks import Blocks, Readable, newlines, plain_blocks
from k8sidx.shipping.sources.files.csv_rows import Rows, is_csv
from k8sidx.shipping.sources.files.inputs import Source
from k8sidx.shipping.sources.files.json_documents import (
    ENDS_EARLY,
    RAW_BYTES,
    WHOLE_BYTES,
    Documents,
    Fault,
    is_json,
)
from k8sidx.shipping.sources.files.lines import long_line, slices, whole_lines
from k8sidx.shipping.sources.files.partial_lines import complete_length

CHUNK_BYTES = 8 * 1024 * 1024
RECORD_LIMIT = 32 * 1024 * 1024
_HEAD_BYTES = 64 * 1024
_FIRST_ROW = 2
"""Rows have the numbers that a spreadsheet shows; the first is the header."""

BOM = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
# Control characters that no text log has.
_CONTROL = bytes(set(range(0x20)) - set(b"\t\n\r\f\b\x1b")) + b"\x7f"
_BINARY_SHARE = 0.05
_JSON_KEY = re.compile(rb'"[A-Za-z@_]{2,}"\s*:')
_OPENING = frozenset({b"{", b"[", b"{\r", b"[\r"})
# `kubectl logs --prefix` starts its lines with `[pod/NAME/CONTAINER] `, some loggers with a
# time in brackets.
_JSON_START = re.compile(rb"\{|\[\s*(?:[\[{\"\]]|$)")


def read_chunks(
    source: Source,
    chunk_bytes: int = CHUNK_BYTES,
    record_limit: int = RECORD_LIMIT,
    on_bytes: Callable[[int], None] | None = None,
) -> Iterator[Chunk | Rejected | Skipped]:
    """The records of a source, in chunks of about ``chunk_bytes``.

    Memory does not grow with the source, nor with a JSON document in it that wraps its
    records in an array.

    :param chunk_bytes: size of a chunk; a record that is longer makes a chunk of its own.
    :param record_limit: longest record in bytes; longer ones are rejected.
    :param on_bytes: told how many stored (compressed) bytes were read.
    :raises UsageError: when the source cannot be opened.
    """
    with source.open() as stream:
        if source.size is not None and is_zip_file(stream):
            reader = _Reader(source.name, Blocks(iter(())), chunk_bytes, record_limit)
            yield from reader.members(zip_members(source.name, stream))
            if on_bytes is not None:
                on_bytes(source.size)
            return
        reader = _Reader(source.name, plain_blocks(stream, on_bytes), chunk_bytes, record_limit)
        yield from reader.read()


def read_on(
    name: str,
    stream: Readable,
    position: Position,
    chunk_bytes: int = CHUNK_BYTES,
    record_limit: int = RECORD_LIMIT,
    on_bytes: Callable[[int], None] | None = None,
) -> Iterator[Chunk | Rejected | Skipped]:
    """Yield the records of a stream behind a position; as :func:`read_chunks` otherwise.

    :param stream: from its start.
    """
    reader = _Reader(name, plain_blocks(stream, on_bytes), chunk_bytes, record_limit)
    yield from reader.read(position)


def read_body(
    name: str, stored: Iterator[bytes], chunk_bytes: int, record_limit: int
) -> Iterator[Chunk | Rejected | Skipped]:
    """Yield the records of a source that is not a file; otherwise as :func:`read_chunks`."""
    yield from _Reader(name, Blocks(decompressed(stored)), chunk_bytes, record_limit).read()


def read_lines(
    name: str, number: int, plain: Iterator[bytes], chunk_bytes: int, record_limit: int
) -> Iterator[Chunk | Rejected]:
    """Yield the records of a source with one a line, whatever they contain.

    :param number: 1-based number of the first line.
    """
    yield from _Reader(name, Blocks(plain), chunk_bytes, record_limit).lines(number)


def unreadable(name: str, head: bytes) -> Rejected | Skipped | None:
    """Return why a source that starts so is not read; ``None`` when it is."""
    if head.startswith(_UTF_16) or _is_utf_16(head):
        reason = "the file is UTF-16 text; convert it to UTF-8 (iconv -f UTF-16 -t UTF-8)"
        return Rejected(reason, Where(name), head)
    if _is_binary(head):
        return Skipped("binary file", Where(name))
    return None


def is_read_as_a_whole(head: bytes) -> bool:
    """Whether a source that starts so is read from start to end, and does not grow: it is
    compressed, an archive or CSV."""
    return is_compressed(head) or is_archive(head) or is_csv(head[:_HEAD_BYTES].removeprefix(BOM))


def is_lines(head: bytes) -> bool:
    """Whether a source that starts so has one record a line; true of an empty one.

    :param head: as much of it as there is, up to :data:`WHOLE_BYTES`.
    """
    if is_read_as_a_whole(head):
        return False
    return not _Reader("", Blocks(iter((head,))), CHUNK_BYTES, RECORD_LIMIT).is_documents()


class _Reader:
    """Reader of one source, or of a member of an archive.

    :param depth: archives that it is in.
    """

    def __init__(
        self, name: str, blocks: Blocks, chunk_bytes: int, record_limit: int, depth: int = 0
    ) -> None:
        self._name = name
        self._blocks = blocks
        self._chunk_bytes = chunk_bytes
        self._limit = record_limit
        self._depth = depth

    def read(self, position: Position = START) -> Iterator[Chunk | Rejected | Skipped]:
        self._pass(position.offset)
        head = self._head(_HEAD_BYTES)
        if not position.offset and is_archive(head):
            self._blocks.put_back(head)
            yield from self._archive(head)
        elif (problem := unreadable(self._name, head)) is not None:
            yield problem
        else:
            head = head.removeprefix(BOM)
            self._blocks.put_back(head)
            if not position.offset and is_csv(head):
                yield from self._documents(Rows(self._blocks, self._limit), _FIRST_ROW)
            elif self.is_documents():
                documents = Documents(self._blocks, self._limit)
                yield from self._documents(documents, position.record + 1)
            else:
                yield from self._lines(position.record + 1)
        yield from self._damage()

    def lines(self, number: int) -> Iterator[Chunk | Rejected]:
        """Read lines, from the one with this number on."""
        yield from self._lines(number)
        yield from self._damage()

    def _damage(self) -> Iterator[Rejected]:
        if self._blocks.damage:
            yield Rejected(self._blocks.damage, Where(self._name), b"")

    def _archive(self, head: bytes) -> Iterator[Chunk | Rejected | Skipped]:
        if self._depth == MAX_NESTED:
            reason = f"archives are inside one another more than {MAX_NESTED} times"
            yield Rejected(reason, Where(self._name), b"")
        elif is_tar(head):
            yield from self.members(tar_members(self._name, self._blocks))
        else:
            try:
                with spooled(self._blocks) as file:
                    yield from self.members(zip_members(self._name, file))
            except DamagedStreamError as error:
                yield Rejected(str(error), Where(self._name), b"")

    def members(
        self, members: Iterator[Member | Skipped | Rejected]
    ) -> Iterator[Chunk | Rejected | Skipped]:
        """Read the members of an archive, each like a source of its own."""
        for member in members:
            if not isinstance(member, Member):
                yield member
                continue
            reader = _Reader(
                member.name,
                Blocks(decompressed(member.content)),
                self._chunk_bytes,
                self._limit,
                self._depth + 1,
            )
            for piece in reader.read():
                # Positions are those in the source, which cannot be read from within.
                yield piece._replace(end=0) if isinstance(piece, Chunk) else piece

    def _pass(self, count: int) -> None:
        while count and (block := self._blocks.next()):
            self._blocks.put_back(block[count:])
            count -= min(count, len(block))

    def _head(self, count: int) -> bytes:
        """Return the first bytes, without zeros that a rotated log file starts with."""
        head = b""
        while len(head) < count and (block := self._blocks.next()):
            head += block
            # logrotate's copytruncate leaves a hole before the first line.
            if head.startswith(b"\0") and not _is_utf_16(head):
                head = head.lstrip(b"\0") or b"\0"
        return head

    def is_documents(self) -> bool:
        """Whether there is JSON at the start that does not fill exactly one line."""
        longest = min(WHOLE_BYTES, self._limit)
        start = b""
        while block := self._blocks.next():
            start += block
            if b"\n" in start.lstrip() or len(start) > longest:
                break
        self._blocks.put_back(start)
        first, newline, rest = start.lstrip().partition(b"\n")
        if not _JSON_START.match(first):
            return False
        if not newline and len(first) > longest:
            return True
        # How pretty-printed documents start, after others that were not.
        return not is_json(first) or any(line in _OPENING for line in rest.split(b"\n"))

    def _lines(self, number: int) -> Iterator[Chunk | Rejected]:
        """Cut blocks at their last newline, without parsing a line."""
        blocks: list[bytes] = []
        size = tail = 0
        wanted = self._chunk_bytes
        while block := self._blocks.next():
            blocks.append(block)
            size += len(block)
            cut = block.rfind(b"\n")
            tail = tail + len(block) if cut < 0 else len(block) - cut - 1
            if size >= wanted and cut >= 0:
                blocks[-1] = block[:cut]
                data = b"".join(blocks)
                length = complete_length(data, self._limit)
                # Lines whose last part is missing are read on.
                blocks = [data[length + 1 :] + b"\n"] if length < len(data) else []
                blocks.append(block[cut + 1 :])
                size = sum(map(len, blocks))
                wanted = 2 * size if length < len(data) else self._chunk_bytes
                if length < 0:
                    continue
                data = data[:length]
                stop = self._blocks.position - size
                yield from self._whole_lines(number, data, stop - len(data) - 1, stop)
                number += newlines(data) + 1
            elif tail > self._limit:
                data = b"".join(blocks)
                before, newline, line = data.rpartition(b"\n")
                if newline:
                    stop = self._blocks.position - len(line)
                    yield from self._whole_lines(number, before, stop - len(before) - 1, stop)
                    number += newlines(before) + 1
                yield from long_line(self._name, number, self._rest_of_line(line), self._limit)
                number += 1
                blocks, size, tail = [], 0, 0
        yield from self._last_lines(number, b"".join(blocks))

    def _last_lines(self, number: int, data: bytes) -> Iterator[Chunk | Rejected]:
        """Yield the last lines; of a damaged stream the last one is likely cut."""
        if not data:
            return
        before, newline, last = data.rpartition(b"\n")
        stop = self._blocks.position
        begin = stop - len(data)
        if not self._blocks.damage or not last or is_json(last):
            yield from self._whole_lines(number, data, begin, stop)
            return
        if newline:
            yield from self._whole_lines(number, before, begin, stop - len(last))
            number += newlines(before) + 1
        yield Rejected(self._blocks.damage, Where(self._name, number), last[:RAW_BYTES])
        self._blocks.damage = ""

    def _whole_lines(
        self, number: int, data: bytes, begin: int, stop: int
    ) -> Iterator[Chunk | Rejected]:
        return whole_lines(self._name, number, data, begin, self._limit, stop)

    def _rest_of_line(self, start: bytes) -> Blocks:
        def pieces() -> Iterator[bytes]:
            yield from slices(start, _HEAD_BYTES)
            while block := self._blocks.next():
                end = block.find(b"\n")
                if end >= 0:
                    self._blocks.put_back(block[end + 1 :])
                    yield block[:end]
                    return
                yield block

        return Blocks(pieces())

    def _documents(
        self, documents: Iterable[bytes | Fault], number: int
    ) -> Iterator[Chunk | Rejected]:
        records: list[bytes] = []
        size = 0
        first = number
        for record in documents:
            if isinstance(record, Fault):
                if records:
                    yield Chunk(self._name, first, b"\n".join(records))
                yield self._fault(record, number)
                records, size, first = [], 0, number + 1
            else:
                records.append(record)
                size += len(record)
                if size >= self._chunk_bytes:
                    yield Chunk(self._name, first, b"\n".join(records))
                    records, size, first = [], 0, number + 1
            number += 1
        if records:
            yield Chunk(self._name, first, b"\n".join(records), self._blocks.position)

    def _fault(self, fault: Fault, number: int) -> Rejected:
        """Return one reject, not two, for a document that ends early because its stream does."""
        where = Where(self._name, number)
        if fault.reason == ENDS_EARLY and self._blocks.damage:
            reason, self._blocks.damage = self._blocks.damage, ""
            return Rejected(reason, where, fault.raw)
        return Rejected(fault.reason, where, fault.raw)


def _is_utf_16(head: bytes) -> bool:
    """Every other byte of the first words is zero, as in UTF-16 of JSON without a mark."""
    start = head[:64]
    even, odd = start[::2], start[1::2]
    return len(start) >= 4 and ((all(even) and not any(odd)) or (all(odd) and not any(even)))


def _is_binary(head: bytes) -> bool:
    # A power cut leaves zeros in a log between lines that are good.
    if _JSON_KEY.search(head):
        return False
    return len(head) - len(head.translate(None, _CONTROL)) > _BINARY_SHARE * len(head)
