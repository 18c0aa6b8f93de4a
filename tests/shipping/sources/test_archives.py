"""tar and zip archives: every member is read like a file of its own."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from k8sidx.errors import Where
from k8sidx.events.records import Chunk, Rejected, Skipped
from k8sidx.shipping.sources.files import archives
from k8sidx.shipping.sources.files.chunks import is_lines, read_chunks
from k8sidx.shipping.sources.files.inputs import Source
from tests.shipping.sources.test_chunks import Piece, lines, values

Members = dict[str, bytes]


def tar(members: Members, format: int = tarfile.PAX_FORMAT) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=format) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def zipped(members: Members, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def pieces(content: bytes) -> list[Piece]:
    """Return what reading a file named ``a`` in the current folder gives."""
    Path("a").write_bytes(content)
    return list(read_chunks(Source("a", len(content))))


def records(found: list[Piece]) -> list[tuple[str, object]]:
    """Return where each record is, and its value."""
    return [
        (str(Where(piece.source, number)), json.loads(line))
        for piece in found
        if isinstance(piece, Chunk)
        for number, line in enumerate(piece.data.split(b"\n"), piece.first)
        if line.strip()
    ]


def faults(found: list[Piece]) -> list[tuple[str, str]]:
    """Return where each piece is that is no chunk, and why."""
    return [
        (str(piece.where), piece.reason if isinstance(piece, Rejected) else piece.kind)
        for piece in found
        if not isinstance(piece, Chunk)
    ]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


LOGS = {"dir/audit.log": b'{"n":1}\n{"n":2}\n', "b.log": b'{"n":3}\n'}
EXPECTED = [
    ("a:dir/audit.log:1", {"n": 1}),
    ("a:dir/audit.log:2", {"n": 2}),
    ("a:b.log:1", {"n": 3}),
]


@pytest.mark.parametrize("make", [tar, zipped])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, zstandard.compress])
def test_members_are_read_like_files(
    make: Callable[[Members], bytes], pack: Callable[[bytes], bytes]
) -> None:
    found = pieces(pack(make(LOGS)))
    assert records(found) == EXPECTED
    assert faults(found) == []
    assert {piece.end for piece in found if isinstance(piece, Chunk)} == {0}


@pytest.mark.parametrize("make", [tar, zipped])
def test_members_may_be_compressed_documents_and_archives(make: Callable[[Members], bytes]) -> None:
    found = pieces(
        make(
            {
                "1.log.gz": gzip.compress(b'{"n":1}\n'),
                "2.json": b'[\n {"n": 2}\n]',
                "3.tar": tar({"x": b'{"n":3}\n'}),
                "4.zip": zipped({"x": b'{"n":4}\n'}),
                "5.bin": bytes(range(256)) * 9,
                "empty": b"",
                "6.log": b'\xef\xbb\xbf{"n":6}',
            }
        )
    )
    assert records(found) == [
        ("a:1.log.gz:1", {"n": 1}),
        ("a:2.json:1", [{"n": 2}]),
        ("a:3.tar:x:1", {"n": 3}),
        ("a:4.zip:x:1", {"n": 4}),
        ("a:6.log:1", {"n": 6}),
    ]
    assert faults(found) == [("a:5.bin", "binary file")]


@pytest.mark.parametrize("make", [tar, zipped])
def test_archives_nested_too_deeply_are_rejected(make: Callable[[Members], bytes]) -> None:
    content = b'{"n":1}\n'
    for _ in range(4):
        content = make({"x": content})
    assert faults(pieces(content)) == [
        ("a:x:x:x", "archives are inside one another more than 3 times")
    ]


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_tar_long_names_are_kept_in_every_dialect(format: int) -> None:
    name = "/".join(["directory" * 5] * 3) + "/audit.log"
    assert records(pieces(tar({name: b'{"n":1}\n', "b": b'{"n":2}'}, format))) == [
        (f"a:{name}:1", {"n": 1}),
        ("a:b:1", {"n": 2}),
    ]


@pytest.mark.skipif(not shutil.which("tar"), reason="no tar")
@pytest.mark.parametrize(
    "options",
    [["--format=gnu"], *(["--format=pax", f"--sparse-version={v}"] for v in ("0.0", "0.1", "1.0"))],
)
def test_tar_sparse_members_are_read_without_their_holes(options: list[str]) -> None:
    with Path("audit.log").open("wb") as file:
        for n in range(40):
            file.seek(1_000_000 * n)
            file.write(b'{"number":%d}\n' % n)
    Path("b").write_bytes(b'{"number":40}\n')
    subprocess.run(["tar", "cSf", "s.tar", *options, "audit.log", "b"], check=True)
    content = Path("s.tar").read_bytes()
    assert len(content) < 1_000_000
    found = pieces(content)
    sparse = [
        line.strip(b"\0")
        for piece in found
        if isinstance(piece, Chunk)
        for line in piece.data.split(b"\n")
    ]
    assert [json.loads(line)["number"] for line in sparse if line] == list(range(41))
    assert faults(found) == []


def test_tar_links_and_devices_are_skipped_and_counted() -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, type in (
            ("d", tarfile.DIRTYPE),
            ("s", tarfile.SYMTYPE),
            ("h", tarfile.LNKTYPE),
            ("c", tarfile.CHRTYPE),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = type, "x"
            archive.addfile(info)
        info = tarfile.TarInfo("x")
        info.size = 8
        archive.addfile(info, io.BytesIO(b'{"n":1}\n'))
    found = pieces(file.getvalue())
    assert records(found) == [("a:x:1", {"n": 1})]
    assert faults(found) == [
        ("a:s", "link in an archive"),
        ("a:h", "link in an archive"),
        ("a:c", "device in an archive"),
    ]


def test_tar_archives_one_after_the_other_are_read() -> None:
    content = tar({"x": b'{"n":1}\n'}) + tar({"y": b'{"n":2}\n'})
    assert records(pieces(content)) == [("a:x:1", {"n": 1}), ("a:y:1", {"n": 2})]


def test_tar_member_names_cannot_contain_terminal_escapes() -> None:
    found = pieces(tar({"\x1b[31mx\n": b'{"n":1}\n'}, tarfile.GNU_FORMAT))
    assert records(found) == [("a:\ufffd[31mx\ufffd:1", {"n": 1})]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("cut", range(520, 5120, 101))
def test_tar_that_is_cut_keeps_what_came_before_and_says_so(
    cut: int, pack: Callable[[bytes], bytes]
) -> None:
    whole = b"".join(b'{"n":%3d}\n' % n for n in range(200))
    content = tar({"x": whole, "y": whole})[:cut]
    found = pieces(pack(content))
    # A last line that is cut may be left to the decoder.
    seen = [json.loads(line) for _number, line in lines(found) if len(line) == 9]
    complete = [{"n": n} for n in range(200)]
    assert seen == (complete + complete)[: len(seen)]
    assert len(seen) >= min(400, (cut - 512 - 10) // 10 - 103)
    ((_where, reason),) = faults(found)
    assert reason == "the tar archive ends early (what came before was kept)"


def test_tar_in_a_damaged_gzip_stream_says_so_once() -> None:
    content = gzip.compress(tar({"x": os.urandom(30_000).hex().encode(), "y": b""}))
    found = pieces(content[:-5000])
    ((where, reason),) = faults(found)
    assert where.startswith("a:x")
    assert "gzip stream ends early" in reason


def test_tar_with_a_damaged_header_is_rejected_from_there() -> None:
    content = bytearray(tar({"x": b'{"n":1}\n', "y": b'{"n":2}\n'}, tarfile.USTAR_FORMAT))
    content[1024 + 20] ^= 1
    found = pieces(bytes(content))
    assert records(found) == [("a:x:1", {"n": 1})]
    ((where, reason),) = faults(found)
    assert where == "a"
    assert "header of a member is not valid" in reason


def test_tar_header_of_any_size_is_not_read_into_memory() -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 8 * 1024**3
    ((_where, reason),) = faults(pieces(info.tobuf(tarfile.GNU_FORMAT) + b"1" * 5000))
    assert "has a header of 8589934592 bytes" in reason


def test_tar_of_many_small_members_takes_linear_time() -> None:
    header = tar({"x": b"{}\n"})[:1024]
    started = time.process_time()
    found = pieces(header * 20_000 + bytes(1024))
    assert len(found) == 20_000
    assert time.process_time() - started < 10


def test_memory_does_not_grow_with_members() -> None:
    line = b'{"n":"' + b"x" * 2000 + b'"}\n'
    content = gzip.compress(tar({f"{n}": line * 5000 for n in range(5)}))
    Path("a").write_bytes(content)
    tracemalloc.start()
    count = sum(
        piece.data.count(b'"n"')
        for piece in read_chunks(Source("a", len(content)), chunk_bytes=100_000)
        if isinstance(piece, Chunk)
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 5 * 5000
    assert peak < 8_000_000


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_zip_methods_are_read(method: int) -> None:
    assert records(pieces(zipped(LOGS, method))) == EXPECTED


@pytest.mark.parametrize("make", [tar, zipped])
def test_archive_on_standard_input_is_read(
    make: Callable[[Members], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.BufferedReader(io.BytesIO(make(LOGS)))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=stream))
    found = list(read_chunks(Source("-")))
    assert records(found) == [("-" + place[1:], value) for place, value in EXPECTED]


def test_zip_that_cannot_be_spooled_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "SPOOL_LIMIT", 100)
    ((where, reason),) = faults(pieces(gzip.compress(zipped({"x": os.urandom(1000)}))))
    assert (where, "unpack it first" in reason) == ("a", True)


def test_zip_encrypted_member_is_rejected_and_others_are_read() -> None:
    content = bytearray(zipped(LOGS))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    found = pieces(bytes(content))
    assert records(found) == EXPECTED[2:]
    assert faults(found) == [
        ("a:dir/audit.log", "the member is encrypted; unpack the archive first")
    ]


def test_zip_damaged_member_is_rejected_and_others_are_read() -> None:
    content = bytearray(zipped(LOGS, zipfile.ZIP_STORED))
    content[content.index(b'"n":1') + 4] = ord("7")
    found = pieces(bytes(content))
    assert records(found)[-1] == EXPECTED[-1]
    ((where, reason),) = faults(found)
    assert where.startswith("a:dir/audit.log")
    assert "bad crc-32" in reason


def test_zip_that_is_cut_is_rejected() -> None:
    ((where, reason),) = faults(pieces(zipped(LOGS)[:-30]))
    assert where == "a"
    assert "the zip archive is damaged" in reason


def test_zip_bomb_of_overlapping_members_is_rejected() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x", b"0" * 10_000_000)
        archive.filelist *= 300
    ((where, reason),) = faults(pieces(file.getvalue()))
    assert (where, "overlap" in reason) == ("a", True)


def test_zip_link_is_skipped() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        info = zipfile.ZipInfo("l")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "x")
    assert faults(pieces(file.getvalue())) == [("a:l", "link in an archive")]


def test_archives_are_not_lines() -> None:
    assert not is_lines(tar(LOGS))
    assert not is_lines(zipped(LOGS))
    assert is_lines(LOGS["b.log"])


@settings(max_examples=40, deadline=None)
@given(
    members=st.dictionaries(
        st.text(
            st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_characters="/\x7f"),
            min_size=1,
            max_size=200,
        ),
        st.lists(st.integers(), max_size=60),
        min_size=1,
        max_size=5,
    ),
    make=st.sampled_from([tar, zipped]),
    pack=st.sampled_from([bytes, gzip.compress]),
    chunk_bytes=st.integers(1, 300),
)
def test_archive_gives_the_records_of_its_members(
    members: dict[str, list[int]],
    make: Callable[[Members], bytes],
    pack: Callable[[bytes], bytes],
    chunk_bytes: int,
) -> None:
    logs = {
        name: b"".join(b'{"n":%d}\n' % number for number in numbers)
        for name, numbers in members.items()
    }
    with tempfile.NamedTemporaryFile() as file:
        file.write(pack(make(logs)))
        file.flush()
        found = list(read_chunks(Source(file.name, 1), chunk_bytes))
    assert not any(isinstance(piece, Rejected | Skipped) for piece in found)
    assert values(found) == [{"n": n} for numbers in members.values() for n in numbers]
