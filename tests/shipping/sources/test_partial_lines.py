"""Lines that container runtimes split at 16 KiB are joined before they are decoded."""

from __future__ import annotations

import gzip
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8sidx.events.records import Chunk, Rejected, Skipped
from k8sidx.shipping.sources.files.chunks import read_chunks
from k8sidx.shipping.sources.files.inputs import Source
from k8sidx.shipping.sources.files.partial_lines import complete_length
from tests.building import event as audit_event
from tests.events.decode.decoding import DecodedEvent, DecodedRecord, file_records
from tests.shipping.sources.test_chunks import Piece, chunks, lines

pytestmark = pytest.mark.usefixtures("short_docker_parts")

TIME = "2024-05-06T10:31:00.350000001Z"


def event(number: int, size: int = 0) -> str:
    return json.dumps(
        {
            "kind": "Event",
            "apiVersion": "audit.k8s.io/v1",
            "level": "Metadata",
            "auditID": str(number),
            "stage": "ResponseComplete",
            "userAgent": '\\n"' + "x" * size,
        },
        separators=(",", ":"),
    )


def cri(text: str, *, last: bool = True, stream: str = "stdout") -> bytes:
    return f"{TIME} {stream} {'F' if last else 'P'} {text}\n".encode()


def docker(text: str, *, last: bool = True, stream: str = "stdout") -> bytes:
    row = {"log": text + "\n" * last, "stream": stream, "time": TIME}
    return json.dumps(row, separators=(",", ":")).encode() + b"\n"


FORMATS = pytest.mark.parametrize("write", [cri, docker])


def split(write: Any, text: str, size: int, stream: str = "stdout") -> list[bytes]:
    parts = [text[start : start + size] for start in range(0, len(text), size)]
    return [
        write(part, last=number == len(parts), stream=stream)
        for number, part in enumerate(parts, 1)
    ]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "0.log"


def ids(records: list[DecodedRecord]) -> list[tuple[int, str]]:
    return [
        (record.where.record, record.body["auditID"])
        for record in records
        if isinstance(record, DecodedEvent)
    ]


@FORMATS
@pytest.mark.parametrize("chunk_bytes", [1, 100, 1_000_000])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_parts_are_joined_per_stream(path: Path, write: Any, chunk_bytes: int, pack: Any) -> None:
    out = split(write, event(1, 100), 90)
    err = split(write, event(2, 60), 70, "stderr")
    assert (len(out), len(err)) == (3, 3)
    content = [write(event(0)), out[0], err[0], out[1], err[1], err[2], out[2], write(event(3))]
    path.write_bytes(pack(b"".join(content)))
    records = file_records(path, chunk_bytes)
    assert ids(records) == [(1, "0"), (6, "2"), (7, "1"), (8, "3")]
    assert len(records) == 4


@FORMATS
@pytest.mark.parametrize("chunk_bytes", [1, 1_000_000])
def test_parts_without_their_last_are_rejected(path: Path, write: Any, chunk_bytes: int) -> None:
    first, second, _third = split(write, event(1, 100), 90)
    path.write_bytes(b"".join((first, second, *split(write, event(2, 100), 90), first, second)))
    records = file_records(path, chunk_bytes)
    assert ids(records) == [(5, "2")]
    rejected = [record for record in records if isinstance(record, Rejected)]
    assert len(rejected) == len(records) - 1
    assert [record.where.record for record in rejected] == [1, 6]
    assert all("its last part is missing" in record.reason for record in rejected)
    assert all(b"auditID" in record.raw for record in rejected)


@FORMATS
def test_parts_over_the_limit_are_rejected_and_others_are_read(path: Path, write: Any) -> None:
    path.write_bytes(b"".join((*split(write, event(1, 5000), 100), write(event(2)))))
    records = file_records(path, 100, 1000)
    assert ids(records)[-1][1] == "2"
    assert any(
        isinstance(record, Rejected) and "longer than 1000 bytes" in record.reason
        for record in records
    )
    assert sum(isinstance(record, DecodedEvent) for record in records) == 1


def test_shippers_that_remove_newlines_keep_their_lines(path: Path) -> None:
    content = b"".join(
        docker(text, last=False)
        for text in (event(1), "I0506 {klog", "text", event(2), '{"a":1}', "end")
    )
    assert [number for number, _line in lines(chunks(path, content))] == [1, 2, 3, 4, 5, 6]
    assert ids(file_records(path)) == [(1, "1"), (4, "2")]


def test_tags_of_cri_lines_are_left_out(path: Path) -> None:
    text = event(1, 100)
    content = f"{TIME} stdout P:x {text[:50]}\n{TIME} stdout F:x {text[50:]}\n".encode()
    assert lines(chunks(path, content)) == [(2, f"{TIME} stdout F {text}".encode())]


def test_text_within_an_event_is_not_a_part(path: Path) -> None:
    content = json.dumps({"userAgent": f"{TIME} stdout P x"}).encode() + b"\n"
    assert [line + b"\n" for _n, line in lines(chunks(path, content * 3))] == [content] * 3


@FORMATS
def test_positions_are_before_lines_that_are_not_complete(path: Path, write: Any) -> None:
    content = b"".join(
        line for number in range(1500) for line in split(write, event(number, number * 7), 400)
    )
    found = chunks(path, gzip.compress(content), chunk_bytes=500)
    ends = [piece.end for piece in found if isinstance(piece, Chunk)]
    assert len(ends) > 5
    assert ends == sorted(ends)
    assert ends[-1] == len(content)
    everything = [line for _number, line in lines(found)]
    seen = 0
    for piece in found:
        assert isinstance(piece, Chunk)
        seen += len(lines([piece]))
        left = chunks(path, content[piece.end :])
        assert [line for _number, line in lines(left)] == everything[seen:]


def test_complete_length_waits_for_both_streams() -> None:
    out, err = split(cri, "x" * 20, 10), split(cri, "y" * 20, 10, "stderr")
    whole = cri("z")
    data = b"".join((whole, out[0], err[0], out[1]))[:-1]
    assert complete_length(data, 1000) == len(whole) - 1
    assert complete_length(data[len(whole) :], 1000) == -1
    assert complete_length(data[len(whole) :], 10) == len(data) - len(whole)
    assert complete_length(data + b"\n" + err[1][:-1], 1000) == len(data) + len(err[1])


@settings(max_examples=80, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 600), max_size=12),
    width=st.integers(20, 300),
    write=st.sampled_from([cri, docker]),
    chunk_bytes=st.integers(1, 3000),
    choose=st.randoms(use_true_random=False),
)
def test_split_lines_give_the_events_that_were_written(
    sizes: list[int], width: int, write: Any, chunk_bytes: int, choose: Any
) -> None:
    streams: dict[str, list[bytes]] = {"stdout": [], "stderr": []}
    for number, size in enumerate(sizes):
        stream = choose.choice(["stdout", "stderr"])
        streams[stream] += split(write, event(number, size), width, stream)
    mixed: list[bytes] = []
    while any(streams.values()):
        mixed.append(choose.choice([s for s in streams.values() if s]).pop(0))
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"".join(mixed))
        file.flush()
        found: list[Piece] = list(read_chunks(Source(file.name, 1), chunk_bytes))
        records = file_records(Path(file.name), chunk_bytes)
    assert not any(isinstance(piece, Rejected | Skipped) for piece in found)
    assert sorted(audit_id for _n, audit_id in ids(records)) == sorted(
        str(number) for number in range(len(sizes))
    )
    assert len(records) == len(sizes)


@FORMATS
def test_events_that_rotation_cut_are_rejected_in_both_files(path: Path, write: Any) -> None:
    whole = json.dumps(audit_event("create", requestObject={"spec": {"text": "x" * 300}}))
    for cut in (30, len(whole) // 2, len(whole) - 60, len(whole) - 8):
        path.write_bytes(write(event(1)) + write(whole[:cut], last=False))
        first = file_records(path)
        path.write_bytes(write(whole[cut:]) + write("text") + write(event(2)))
        second = file_records(path)
        for records, kept in ((first, [(1, "1")]), (second, [(3, "2")])):
            assert ids(records) == kept
            assert sum(isinstance(record, Rejected) for record in records) == 1, cut


@FORMATS
@pytest.mark.parametrize("text", ["}", '{"a": {"b": 1}}', "I1123 12:00:00 x}", "f() { return }"])
def test_other_text_of_containers_is_skipped(path: Path, write: Any, text: str) -> None:
    path.write_bytes(write(text))
    assert [type(record) for record in file_records(path)] == [Skipped]
