"""CSV as consoles export it: one JSON object per row."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8sidx.events.records import Chunk, Rejected
from k8sidx.shipping.sources.files.chunks import is_lines, read_chunks
from k8sidx.shipping.sources.files.inputs import Source
from tests.events.decode.decoding import DecodedEvent, file_records
from tests.shipping.sources.test_chunks import Piece, chunks, lines

EVENT: dict[str, Any] = {
    "kind": "Event",
    "apiVersion": "audit.k8s.io/v1",
    "level": "Metadata",
    "auditID": "a-1",
    "stage": "ResponseComplete",
    "verb": "get",
    "user": {"username": "alex"},
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "export"


def table(rows: list[list[str]], quoting: Any = csv.QUOTE_MINIMAL, end: str = "\n") -> bytes:
    file = io.StringIO()
    csv.writer(file, quoting=quoting, lineterminator=end).writerows(rows)
    return file.getvalue().encode()


def objects(found: list[Piece]) -> list[tuple[int, Any]]:
    return [(number, json.loads(line)) for number, line in lines(found)]


def reasons(found: list[Piece]) -> list[tuple[int, str]]:
    return [(piece.where.record, piece.reason) for piece in found if isinstance(piece, Rejected)]


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "rows",
    [
        [["@timestamp", "@message"], ["2024-05-06 10:31:00.350", json.dumps(EVENT)]],
        [["timestamp", "message"], ["1714991460350", json.dumps(EVENT)]],
        [["@message"], [json.dumps(EVENT)]],
        [["@message"], [json.dumps(EVENT, indent=2)]],
        [
            ["TenantId", "TimeGenerated [UTC]", "Category", "log_s"],
            ["t", "5/6/2024, 10:31:00.350 AM", "kube-audit", json.dumps(EVENT)],
        ],
        [
            ["TimeGenerated [UTC]", "AuditId", "Level", "Stage", "Verb", "User"],
            ["5/6/2024", "a-1", "Metadata", "ResponseComplete", "get", '{"username":"alex"}'],
        ],
    ],
)
def test_console_exports_contain_their_events(
    path: Path, rows: list[list[str]], end: str, quoting: int, bom: bytes
) -> None:
    path.write_bytes(bom + table(rows, quoting, end))
    (event,) = file_records(path)
    assert isinstance(event, DecodedEvent)
    assert event.body == EVENT
    assert event.where.record == 2


def test_rows_are_numbered_as_in_a_spreadsheet_and_blank_ones_left_out(path: Path) -> None:
    found = chunks(path, b'time,message\n1,a\n\n2,"b\nc"\n3,\n')
    assert objects(found) == [
        (2, {"time": "1", "message": "a"}),
        (4, {"time": "2", "message": "b\nc"}),
        (5, {"time": "3"}),
    ]
    assert reasons(found) == []


@pytest.mark.parametrize("chunk_bytes", [1, 1000])
def test_faulty_rows_are_rejected_and_others_are_read(path: Path, chunk_bytes: int) -> None:
    found = chunks(
        path,
        b'time,message\n1,a\n2,"b\n3,c\n4,"d"x\n5,f,g\n6\n7,h\n8,"i',
        chunk_bytes=chunk_bytes,
    )
    assert objects(found) == [
        (2, {"time": "1", "message": "a"}),
        (4, {"time": "3", "message": "c"}),
        (8, {"time": "7", "message": "h"}),
    ]
    assert reasons(found) == [
        (3, "not a valid CSV row: a quote in a cell is not doubled"),
        (5, "not a valid CSV row: a quote in a cell is not doubled"),
        (6, "the CSV row has 3 cells, the header 2"),
        (7, "the CSV row has 1 cells, the header 2"),
        (9, "the CSV row ends early: a quote is not closed"),
    ]
    assert next(piece.raw for piece in found if isinstance(piece, Rejected)) == b'2,"b'


@pytest.mark.parametrize("cell", [b"x" * 200, b'"' + b"x\n" * 100 + b'"', b'"' + b"x" * 200])
def test_rows_over_the_limit_are_rejected(path: Path, cell: bytes) -> None:
    content = b"time,message\n1,a\n2," + cell + b"\n3,c\n"
    found = chunks(path, content, record_limit=100)
    assert (2, {"time": "1", "message": "a"}) in objects(found)
    assert ("3", "c") in [(v.get("time"), v.get("message")) for _n, v in objects(found)]
    assert "longer than 100 bytes" in reasons(found)[0][1]


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(EVENT).encode() + b"\n" + json.dumps(EVENT).encode(),
        b'["a","message"]\n1,"{""a"":1}"\n',
        b"I0506 10:31:00.350  1 a.go:1] a, message\nx\n",
        b"time,message",
        b"hello, world\nfoo, bar\n",
        b'{"message":"time,message\\n"}\n',
    ],
)
def test_other_logs_are_not_taken_for_csv(path: Path, content: bytes) -> None:
    found = chunks(path, content)
    assert reasons(found) == []
    assert [line for _number, line in lines(found)] == content.strip(b"\n").split(b"\n")


def test_csv_is_not_lines() -> None:
    assert not is_lines(b"time,message\n1,a\n")


text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(text.filter(str.strip), st.lists(text, max_size=3)), max_size=8),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    end=st.sampled_from(["\n", "\r\n"]),
    chunk_bytes=st.integers(1, 300),
)
def test_rows_give_what_a_csv_writer_was_given(
    rows: list[tuple[str, list[str]]], quoting: int, end: str, chunk_bytes: int
) -> None:
    expected = [{"time": time, "message": json.dumps(value)} for time, value in rows]
    header = [["time", "message"]]
    with tempfile.NamedTemporaryFile() as file:
        file.write(table(header + [list(row.values()) for row in expected], quoting, end))
        file.flush()
        found = list(read_chunks(Source(file.name, 1), chunk_bytes))
    assert all(isinstance(piece, Chunk) for piece in found)
    assert [value for _number, value in objects(found)] == expected
