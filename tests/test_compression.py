"""Compressed streams: recognised by content, given out up to the damage."""

from __future__ import annotations

import bz2
import gzip
import io
import os
import struct
from collections.abc import Callable, Iterator

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from k8sidx.compression import DamagedStreamError, decompressed

TEXT = b"".join(b'{"auditID":"%d"}\n' % number for number in range(20_000))


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


CODECS = pytest.mark.parametrize(
    "compress", [gzip.compress, bz2.compress, zstd], ids=["gzip", "bzip2", "zstd"]
)
Compress = Callable[[bytes], bytes]


def blocks(data: bytes, size: int = 1000) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def read(data: bytes, size: int = 1000) -> tuple[bytes, str]:
    """What comes out, and why it ended early."""
    found = b""
    try:
        for block in decompressed(blocks(data, size)):
            found += block
    except DamagedStreamError as damage:
        return found, str(damage)
    return found, ""


@CODECS
@pytest.mark.parametrize("size", [1, 7, 1000, 1_000_000])
def test_a_stream_is_decompressed_in_blocks_of_any_size(compress: Compress, size: int) -> None:
    assert read(compress(TEXT[:50_000]), size) == (TEXT[:50_000], "")


@CODECS
def test_streams_one_after_the_other_are_one(compress: Compress) -> None:
    assert read(compress(b"a\n") + compress(b"") + compress(TEXT)) == (b"a\n" + TEXT, "")


@CODECS
def test_nothing_compressed_is_nothing(compress: Compress) -> None:
    assert read(compress(b"")) == (b"", "")


@given(st.binary(max_size=300))
def test_what_is_not_compressed_comes_out_as_it_is(data: bytes) -> None:
    if not data.startswith((b"\x1f\x8b", b"BZh", b"\x28\xb5\x2f\xfd")):
        assert read(data, 3) == (data, "")


@given(st.binary(max_size=300), st.sampled_from([b"\x1f\x8b", b"BZh9", b"\x28\xb5\x2f\xfd"]))
def test_what_only_looks_compressed_is_a_damage(data: bytes, magic: bytes) -> None:
    _found, damage = read(magic + data)
    assert damage


def test_gzip_in_gzip_is_unwrapped_three_times_and_no_more() -> None:
    data = TEXT
    for layers in range(1, 4):
        data = gzip.compress(data)
        assert read(data) == (TEXT, ""), layers
    found, damage = read(gzip.compress(data))
    assert found == b""
    assert damage == "the stream is compressed more than 3 times"


@CODECS
def test_of_a_stream_that_ends_early_everything_before_is_given_out(compress: Compress) -> None:
    text = os.urandom(1_500_000).hex().encode()
    whole = compress(text)
    found, damage = read(whole[: len(whole) * 2 // 3])
    assert text.startswith(found)
    assert len(found) > len(text) // 4
    assert "ends early" in damage
    assert "what came before was kept" in damage


@CODECS
def test_of_a_corrupt_stream_what_came_before_is_given_out(compress: Compress) -> None:
    first, second = compress(TEXT), bytearray(compress(TEXT))
    second[len(second) // 2 :] = bytes(len(second) - len(second) // 2)
    found, damage = read(first + bytes(second))
    assert found.startswith(TEXT)
    assert damage


def test_a_wrong_checksum_is_a_damage_that_costs_nothing() -> None:
    wrong = bytearray(gzip.compress(b"hello\n"))
    wrong[-8] ^= 1
    found, damage = read(bytes(wrong) + gzip.compress(TEXT))
    assert found == b"hello\n" + TEXT
    assert "checksum" in damage


@CODECS
def test_something_after_the_stream_is_a_damage(compress: Compress) -> None:
    found, damage = read(compress(TEXT) + b"something")
    assert found == TEXT
    assert "followed by something else" in damage


def test_zeros_after_a_gzip_stream_are_padding() -> None:
    padded = gzip.compress(b"a") + bytes(5000)
    assert read(padded) == (b"a", "")
    assert read(padded + gzip.compress(b"b")) == (b"ab", "")


def test_a_gzip_header_with_everything_in_it_is_read() -> None:
    plain = gzip.compress(b"hello", mtime=0)
    extra, name, comment = b"\x04\x00abcd", b"audit.log\0", b"a comment\0"
    header = plain[:3] + bytes([2 | 4 | 8 | 16]) + plain[4:10]
    data = header + extra + name + comment + b"\0\0" + plain[10:]
    assert read(data, 1) == (b"hello", "")


def test_skippable_zstd_frames_are_skipped() -> None:
    frame = struct.pack("<II", 0x184D2A53, 4) + b"abcd"
    assert read(frame + zstd(TEXT) + frame + zstd(b"end"), 100) == (TEXT + b"end", "")


def test_a_bomb_expands_block_by_block() -> None:
    for compress in (gzip.compress, bz2.compress, zstd):
        bomb = compress(bytes(200_000_000))
        sizes = [len(block) for block in decompressed(iter((bomb,)))]
        assert sum(sizes) == 200_000_000
        assert max(sizes) <= 32 * 1024 * 1024


def test_a_stream_is_read_no_further_than_asked() -> None:
    source = io.BytesIO(gzip.compress(TEXT * 100, compresslevel=1))
    stream = decompressed(iter(lambda: source.read(1000), b""))
    assert next(stream)
    assert source.tell() < len(source.getvalue())


@pytest.mark.parametrize(
    ("member", "padding"),
    [
        (gzip.compress(b""), b""),
        (gzip.compress(b""), b"\0"),
        (bz2.compress(b""), b""),
        (zstd(b""), b""),
        (b"\x50\x2a\x4d\x18\0\0\0\0", b""),
    ],
    ids=["gzip", "padded gzip", "bzip2", "zstd", "skippable zstd"],
)
def test_empty_members_cost_no_more_than_their_own_length(member: bytes, padding: bytes) -> None:
    # Each of them used to copy the rest of its block: 30 GB here, which does not end.
    count = 30_000
    assert read((member + padding) * count + gzip.compress(b"x"), 1024 * 1024)[0] in (b"x", b"")


def test_gzip_header_name_of_any_length_is_passed() -> None:
    header = b"\x1f\x8b\x08\x08" + bytes(6)
    data = header + b"n" * 8_000_000 + b"\0" + gzip.compress(TEXT)[10:]
    assert read(data, 1024 * 1024) == (TEXT, "")
