"""The spool: entries survive the process, torn ones are reported, and its size is bounded."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8sidx.errors import UsageError
from k8sidx.events.records import Chunk, Rejected
from k8sidx.shipping.spool.line_entries import LineEntries
from k8sidx.shipping.spool.replay import replayed
from k8sidx.shipping.spool.segment import EntryAttributes, EntryKind
from k8sidx.shipping.spool.spool import Spool, SpoolError

LIMIT = 1_000_000
BODY = EntryAttributes(EntryKind.BODY, "webhook", cluster="prod")


def put(spool: Spool, data: bytes, attributes: EntryAttributes = BODY) -> None:
    entry = spool.entry(attributes, len(data))
    entry.write(data)
    entry.commit()


def spooled(folder: Path, *lines: bytes, source: str = "audit.log", first: int = 1) -> None:
    with Spool(folder) as spool, LineEntries(spool, source, "prod") as entries:
        for number, line in enumerate(lines, first):
            entries.add(number, line)


def replay(folder: Path) -> tuple[list[Chunk], list[Rejected], list[str]]:
    messages: list[str] = []
    with Spool(folder) as spool:
        pieces = list(replayed(spool, LIMIT, messages.append))
    chunks = [piece for piece in pieces if isinstance(piece, Chunk) and piece.data]
    return chunks, [piece for piece in pieces if isinstance(piece, Rejected)], messages


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.segment"))


def test_spool_gives_records_back_with_their_source_and_number(tmp_path: Path) -> None:
    spooled(tmp_path / "spool", b'{"a":1}', b'{"a":2}', first=17)
    ((chunk,), rejected, messages) = replay(tmp_path / "spool")
    assert (chunk.source, chunk.first, chunk.cluster) == ("audit.log", 17, "prod")
    assert chunk.data.splitlines() == [b'{"a":1}', b'{"a":2}']
    assert not rejected
    assert not messages


@given(st.lists(st.binary(max_size=300).map(lambda data: data.replace(b"\n", b"")), max_size=20))
def test_spool_gives_back_any_lines(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    spooled(folder, *lines)
    chunks, rejected, _ = replay(folder)
    assert b"\n".join(chunk.data for chunk in chunks).strip(b"\n") == b"\n".join(lines).strip(b"\n")
    assert not rejected


def test_spool_takes_a_body_apart_as_an_input_would_be(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool") as spool:
        put(spool, b'{"kind": "EventList", "items": [\n{"a": 1},\n{"a": 2}\n]}\n')
    chunks, rejected, _ = replay(tmp_path / "spool")
    assert b"\n".join(chunk.data for chunk in chunks).count(b'"a"') == 2
    assert {chunk.cluster for chunk in chunks} == {"prod"}
    assert not rejected


@given(cut=st.integers(min_value=0, max_value=120))
def test_spool_keeps_what_came_before_a_tear_and_reports_it(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    spooled(folder, *(b'{"number": %d}' % number for number in range(4)))
    (segment,) = segments(folder)
    os.truncate(segment, max(0, segment.stat().st_size - 1 - cut))
    chunks, rejected, messages = replay(folder)
    lines = b"\n".join(chunk.data for chunk in chunks).splitlines()
    assert lines == [b'{"number": %d}' % number for number in range(len(lines))]
    assert rejected or messages
    assert all("torn or damaged" in piece.reason for piece in rejected)


@given(at=st.integers(min_value=0), flipped=st.integers(min_value=1, max_value=255))
def test_spool_never_delivers_flipped_bytes_as_if_whole(
    tmp_path_factory: pytest.TempPathFactory, at: int, flipped: int
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    whole = [b'{"number": %d}' % number for number in range(4)]
    spooled(folder, *whole)
    (segment,) = segments(folder)
    data = bytearray(segment.read_bytes())
    data[at % len(data)] ^= flipped
    segment.write_bytes(data)
    chunks, rejected, messages = replay(folder)
    lines = b"\n".join(chunk.data for chunk in chunks).splitlines()
    assert lines == whole[: len(lines)]
    assert rejected or messages


def test_spool_leaves_out_a_body_that_was_never_acknowledged(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool") as spool:
        entry = spool.entry(BODY)
        entry.write(b'{"items": [{"a": 1}')
        entry.keep()  # as a kill leaves it
    chunks, rejected, messages = replay(tmp_path / "spool")
    assert not chunks
    assert not rejected
    assert "not received completely" in messages[0]


def test_spool_deletes_a_segment_once_all_of_it_is_delivered(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    spooled(folder, b"1", b"2")
    with Spool(folder) as spool:
        chunks = [piece for piece in replayed(spool, LIMIT, print) if isinstance(piece, Chunk)]
        for chunk in chunks:
            spool.begun(chunk)
        for chunk in reversed(chunks):
            assert len(segments(folder)) == 1
            spool.delivered(chunk)
        assert (spool.segments, spool.used) == (0, 0)
    assert not segments(folder)


def test_spool_delivers_again_what_was_in_flight_when_the_process_ended(tmp_path: Path) -> None:
    spooled(tmp_path / "spool", b"1", b"2")
    assert replay(tmp_path / "spool")[0] == replay(tmp_path / "spool")[0]


def test_spool_refuses_an_entry_that_would_exceed_its_size(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool", 100_000) as spool:
        put(spool, b"x" * 50_000)
        with pytest.raises(SpoolError, match="is full"):
            spool.entry(BODY, 60_000)
        entry = spool.entry(BODY)  # of unknown length
        with pytest.raises(SpoolError, match="is full"):
            for _ in range(100):
                entry.write(b"x" * 10_000)
        entry.abort()
        put(spool, b"x" * 30_000)
        assert sum(one.stat().st_size for one in segments(tmp_path / "spool")) <= 100_000


def test_spool_is_used_by_one_process_at_a_time(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool"), pytest.raises(UsageError, match="another k8sidx is using"):
        Spool(tmp_path / "spool")


def test_spool_is_private_whatever_the_umask(tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir(mode=0o755)
    before = os.umask(0)
    try:
        spooled(tmp_path / "spool", b"1")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "spool").stat().st_mode) == 0o700
    assert {stat.S_IMODE(one.stat().st_mode) for one in (tmp_path / "spool").iterdir()} == {0o600}
