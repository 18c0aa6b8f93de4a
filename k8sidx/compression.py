"""Transparent decompression: formats are recognised by content, never by name.

gzip (RFC 1952, any number of members), zstd (RFC 8878, any number of frames) and bzip2,
also one inside the other: Amazon Data Firehose writes objects that are gzipped twice
when both it and the sender compress. Streams need not be seekable, output comes in
small blocks however much a block expands, and everything before a damage is given out
before the damage is reported.
"""

from __future__ import annotations

import bz2
from collections.abc import Callable, Iterator

import zstandard
from isal import igzip_lib, isal_zlib

MAX_LAYERS = 3
"""So often a stream may be compressed; more is a trap, not a log."""
_OUTPUT = 16 * 1024
"""Bytes that one step of inflating gives: what a corrupt stream may cost at most."""
_BLOCK = 256 * 1024
"""Bytes of the blocks that are given out, unless the input has no more for now."""
_ZSTD_INPUT = 1024
"""A block of 4 bytes may expand to 128 KiB, and the library returns all of it at once."""
_FIRST_INPUT = 1024
_LONGEST_INPUT = 1024 * 1024
_KEPT = "(what came before was kept)"

_GZIP = b"\x1f\x8b"
_BZIP2 = b"BZh"
_ZSTD = b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPABLE = tuple(bytes((low, 0x2A, 0x4D, 0x18)) for low in range(0x50, 0x60))
_HEADER_CHECKSUM, _EXTRA, _NAME, _COMMENT = 2, 4, 8, 16


class DamagedStreamError(Exception):
    """A compressed stream ends early or is corrupt; the message is in words for the user."""


def decompressed(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The plain bytes of a stream that may be compressed.

    :param blocks: the bytes as they are stored.
    :raises DamagedStreamError: after everything before the damage was given out.
    """
    for layer in range(MAX_LAYERS + 1):
        given = _Input(blocks)
        inflate = _inflater(given.peek(4))
        if inflate is None:
            break
        if layer == MAX_LAYERS:
            raise DamagedStreamError(f"the stream is compressed more than {MAX_LAYERS} times")
        blocks = inflate(given)
    yield from given.rest()


def is_compressed(start: bytes) -> bool:
    """Whether a stream that starts so is compressed.

    :param start: at least four bytes of it.
    """
    return _inflater(start) is not None


class _Input:
    """Blocks that can be looked at, taken by number of bytes, and given back.

    Nothing that is taken or given back costs more than its own length: a stream may consist of
    millions of empty members.
    """

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._held = b""
        self._at = 0

    def peek(self, count: int) -> bytes:
        """The next bytes, fewer at the end of the stream."""
        while len(self._held) - self._at < count:
            block = next(self._blocks, b"")
            if not block:
                break
            self._held, self._at = self._held[self._at :] + block, 0
        return self._held[self._at : self._at + count]

    def take(self, count: int) -> bytes:
        """Exactly so many bytes, fewer at the end of the stream."""
        taken = self.peek(count)
        self._at += len(taken)
        return taken

    def block(self, limit: int = 0) -> bytes:
        """The next block; empty at the end.

        :param limit: longest block; 0 for any length.
        """
        if self._at == len(self._held):
            self._held, self._at = next(self._blocks, b""), 0
        end = self._at + limit if limit else len(self._held)
        block = self._held[self._at : end]
        self._at += len(block)
        return block

    def give_back(self, count: int) -> None:
        """Give the last bytes of the last block again."""
        self._at -= count

    def pass_zeros(self) -> None:
        """Pass all zeros that follow."""
        while block := self.block(_FIRST_INPUT):
            left = len(block.lstrip(b"\0"))
            if left:
                self.give_back(left)
                return

    def pass_text(self) -> None:
        """Pass a text that ends with a zero."""
        while block := self.block(_FIRST_INPUT):
            end = block.find(b"\0")
            if end >= 0:
                self.give_back(len(block) - end - 1)
                return

    def rest(self) -> Iterator[bytes]:
        while block := self.block():
            yield block


class _Inputs:
    """Blocks for the inflater of one member: short ones first, then longer ones."""

    def __init__(self, given: _Input) -> None:
        self._given = given
        self._limit = _FIRST_INPUT

    def next(self) -> bytes:
        """The next block; empty at the end."""
        block = self._given.block(self._limit)
        self._limit = min(2 * self._limit, _LONGEST_INPUT)
        return block


def _inflater(magic: bytes) -> Callable[[_Input], Iterator[bytes]] | None:
    if magic.startswith(_GZIP):
        return _gunzip
    if magic.startswith(_ZSTD) or magic.startswith(_ZSTD_SKIPPABLE):
        return _unzstd
    if magic.startswith(_BZIP2):
        return _bunzip2
    return None


def _gunzip(given: _Input) -> Iterator[bytes]:
    """Members one after the other.

    Header and trailer are read here, and the inflater only sees raw DEFLATE: asked to
    check the trailer itself, it would keep the last bytes of a member to itself when the
    checksum is wrong.
    """
    wrong = False
    while True:
        _gzip_header(given)
        inflater = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_DEFLATE)
        checksum = size = 0
        inputs = _Inputs(given)
        while not inflater.eof:
            compressed = inputs.next() if inflater.needs_input else b""
            if inflater.needs_input and not compressed:
                raise DamagedStreamError(f"the gzip stream ends early {_KEPT}")
            plain, error = _inflated(inflater, compressed)
            checksum = isal_zlib.crc32(plain, checksum)
            size += len(plain)
            if plain:
                yield plain
            if error is not None:
                raise DamagedStreamError(f"the gzip stream is corrupt {_KEPT}") from error
        given.give_back(len(inflater.unused_data))
        trailer = given.take(8)
        if len(trailer) < 8:
            raise DamagedStreamError(f"the gzip stream ends early {_KEPT}")
        wrong |= trailer != checksum.to_bytes(4, "little") + (size % 2**32).to_bytes(4, "little")
        given.pass_zeros()  # tapes and some tools pad with them
        if not given.peek(1):
            break
        if given.peek(2) != _GZIP:
            raise DamagedStreamError(f"the gzip stream is followed by something else {_KEPT}")
    if wrong:
        raise DamagedStreamError("the gzip stream's checksum is wrong (its content was kept)")


def _inflated(
    inflater: igzip_lib.IgzipDecompressor, compressed: bytes
) -> tuple[bytes, Exception | None]:
    """Return the next block of plain bytes, and the error that ended it, if one did.

    Many steps make a block: a corrupt stream costs what one step gives, and each block that
    is passed on costs more than the step.
    """
    steps = []
    for _ in range(_BLOCK // _OUTPUT):
        try:
            steps.append(inflater.decompress(compressed, _OUTPUT))
        except igzip_lib.IsalError as error:  # type: ignore[misc]  # its stub is wrong
            return b"".join(steps), error
        compressed = b""
        if inflater.needs_input or inflater.eof:
            break
    return b"".join(steps), None


def _gzip_header(given: _Input) -> None:
    header = given.take(10)
    if len(header) < 10:
        raise DamagedStreamError(f"the gzip stream ends early {_KEPT}")
    flags = header[3]
    if flags & _EXTRA:
        given.take(int.from_bytes(given.take(2), "little"))
    for flag in (_NAME, _COMMENT):
        if flags & flag:
            given.pass_text()
    if flags & _HEADER_CHECKSUM:
        given.take(2)


def _unzstd(given: _Input) -> Iterator[bytes]:
    """Frames one after the other, skippable ones among them."""
    while magic := given.peek(4):
        if not (magic.startswith(_ZSTD) or magic.startswith(_ZSTD_SKIPPABLE)):
            raise DamagedStreamError(f"the zstd stream is followed by something else {_KEPT}")
        inflater = zstandard.ZstdDecompressor().decompressobj()
        while not inflater.eof:
            compressed = given.block(_ZSTD_INPUT)
            if not compressed:
                raise DamagedStreamError(f"the zstd stream ends early {_KEPT}")
            try:
                plain = inflater.decompress(compressed)
            except zstandard.ZstdError as error:
                raise DamagedStreamError(f"the zstd stream is corrupt {_KEPT}") from error
            if plain:
                yield plain
        given.give_back(len(inflater.unused_data))


def _bunzip2(given: _Input) -> Iterator[bytes]:
    """Streams one after the other."""
    while magic := given.peek(3):
        if magic != _BZIP2:
            raise DamagedStreamError(f"the bzip2 stream is followed by something else {_KEPT}")
        inflater = bz2.BZ2Decompressor()
        inputs = _Inputs(given)
        while not inflater.eof:
            compressed = inputs.next() if inflater.needs_input else b""
            if inflater.needs_input and not compressed:
                raise DamagedStreamError(f"the bzip2 stream ends early {_KEPT}")
            try:
                plain = inflater.decompress(compressed, _OUTPUT)
            except OSError as error:
                raise DamagedStreamError(f"the bzip2 stream is corrupt {_KEPT}") from error
            if plain:
                yield plain
        given.give_back(len(inflater.unused_data))
