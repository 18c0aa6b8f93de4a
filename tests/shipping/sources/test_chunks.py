"""Sources → chunks of whole records."""

from __future__ import annotations

import gzip
import io
import json
import os
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from k8sidx.events.records import Chunk, Rejected, Skipped
from k8sidx.shipping.sources.files.blocks import Blocks, newlines
from k8sidx.shipping.sources.files.chunks import RECORD_LIMIT, read_chunks
from k8sidx.shipping.sources.files.inputs import Source
from k8sidx.shipping.sources.files.json_documents import Documents, Fault

Piece = Chunk | Rejected | Skipped


def chunks(path: Path, content: bytes, **options: Any) -> list[Piece]:
    path.write_bytes(content)
    return list(read_chunks(Source(str(path)), **options))


def lines(pieces: list[Piece]) -> list[tuple[int, bytes]]:
    """All records that are not blank, with their numbers."""
    return [
        (number, line)
        for piece in pieces
        if isinstance(piece, Chunk)
        for number, line in enumerate(piece.data.split(b"\n"), piece.first)
        if line.strip()
    ]


def values(pieces: list[Piece]) -> list[Any]:
    return [json.loads(line) for _number, line in lines(pieces)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.log"


# Positions


@pytest.mark.parametrize("packed", [False, True])
def test_reading_on_at_the_end_of_a_chunk_gives_the_rest(path: Path, packed: bool) -> None:
    content = b"\xef\xbb\xbf" + b"\n".join(
        b'{"n":%d,"x":"%s"}' % (n, b"x" * (300 if n % 11 == 0 else n % 5)) for n in range(200)
    )
    written = gzip.compress(content) if packed else content
    pieces = chunks(path, written, chunk_bytes=128, record_limit=200)
    ends = [piece.end for piece in pieces if isinstance(piece, Chunk)]
    assert len(ends) > 15
    assert ends == sorted(ends)
    assert ends[-1] == len(content)
    everything = values(pieces)
    seen = 0
    for piece in pieces:
        if isinstance(piece, Chunk):
            seen += len(values([piece]))
            left = values(chunks(path, content[piece.end :], record_limit=200))
            assert left == everything[seen:]


def test_a_hole_at_the_start_of_a_rotated_log_counts_as_position(path: Path) -> None:
    content = b"\0" * 5000 + b'{"n":1}\n{"n":2}\n'
    (piece,) = chunks(path, content)
    assert isinstance(piece, Chunk)
    assert piece.end == len(content)


def test_within_a_document_the_position_stays_before_it(path: Path) -> None:
    items = [{"n": n, "x": "x" * 300_000} for n in range(20)]
    pieces = chunks(path, json.dumps({"items": items}, indent=1).encode(), chunk_bytes=1000)
    ends = [piece.end for piece in pieces if isinstance(piece, Chunk)]
    assert len(ends) > 5
    assert set(ends[:-1]) == {0}


# Lines


@pytest.mark.parametrize("chunk_bytes", [1, 10, 50, 10_000])
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_lines_keep_their_numbers_whatever_the_size_of_chunks(
    path: Path, chunk_bytes: int, end: bytes
) -> None:
    content = b"\n".join(b'{"n":%d}' % n if n % 7 else b"" for n in range(1, 300)) + end
    found = chunks(path, content, chunk_bytes=chunk_bytes)
    assert lines(found) == [(n, b'{"n":%d}' % n) for n in range(1, 300) if n % 7]


def test_a_chunk_is_about_as_long_as_asked(path: Path) -> None:
    path.write_bytes(gzip.compress(b'{"n":1}\n' * 400_000))
    sizes = [len(one.data) for one in read_chunks(Source(str(path)), 400_000)]  # type: ignore[union-attr]
    assert len(sizes) > 5
    assert all(400_000 <= size <= 400_000 + 256 * 1024 + 8 for size in sizes[:-1])


def test_an_empty_file_has_no_chunk(path: Path) -> None:
    assert chunks(path, b"") == []


@pytest.mark.parametrize("record_limit", [100, 1000])
@pytest.mark.parametrize("chunk_bytes", [1, 500, 100_000])
def test_a_line_that_is_too_long_is_rejected_alone(
    path: Path, record_limit: int, chunk_bytes: int
) -> None:
    just = b'{"a":"' + b"x" * (record_limit - 8) + b'"}'
    long = b'{"a":"' + b"x" * (record_limit - 7) + b'"}'
    content = b"\n".join([b'{"n":1}', long, just, b"text " * record_limit, b'{"n":5}', long])
    found = chunks(path, content, chunk_bytes=chunk_bytes, record_limit=record_limit)
    assert lines(found) == [(1, b'{"n":1}'), (3, just), (5, b'{"n":5}')]
    rejected = [piece for piece in found if isinstance(piece, Rejected)]
    assert [one.where.record for one in rejected] == [2, 4, 6]
    assert all(f"{record_limit} bytes; --max-record-size" in one.reason for one in rejected)
    assert rejected[0].raw == long


def test_a_long_line_that_wraps_records_is_split(path: Path) -> None:
    items = [{"auditID": str(n)} for n in range(50)]
    whole = {"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": items}
    content = b'{"n":1}\n' + json.dumps(whole).encode() + b'\n{"n":3}'
    found = chunks(path, content, record_limit=300)
    first, *parts, last = values(found)
    assert (first, last) == ({"n": 1}, {"n": 3})
    assert len(parts) >= 3
    assert [item for part in parts for item in part["items"]] == items
    assert {(part["kind"], part["apiVersion"]) for part in parts} == {
        ("EventList", "audit.k8s.io/v1")
    }
    assert {number for number, _line in lines(found)} == {1, 2, 3}


def test_a_damaged_stream_is_one_reject_with_the_line_that_was_cut(path: Path) -> None:
    content = b"".join(
        b'{"n":%d,"r":"%s"}\n' % (n, os.urandom(9).hex().encode()) for n in range(9000)
    )
    whole = gzip.compress(content)
    *rest, damage = chunks(path, whole[:-3000])
    assert isinstance(damage, Rejected)
    assert "ends early" in damage.reason
    assert damage.raw.startswith(b'{"n":')
    found = lines(rest)
    assert damage.where.record == len(found) + 1
    assert content.startswith(b"\n".join(line for _number, line in found))


# Documents


def test_documents_back_to_back_are_told_apart(path: Path) -> None:
    found = chunks(path, b'{"a":"}{"}{"b":2} \n\n[3]{"d":\n4}{"e":5}')
    assert lines(found) == [
        (1, b'{"a":"}{"}'),
        (2, b'{"b":2}'),
        (3, b"[3]"),
        (4, b'{"d":4}'),
        (5, b'{"e":5}'),
    ]


@pytest.mark.parametrize("indent", [0, 1, 4])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_pretty_printed_documents_become_lines(path: Path, indent: int, newline: str) -> None:
    documents = [{"a": [1, {"b": "x  y\n{"}], "é": None}, [{"c": 1}, {"d": 2}]]
    text = newline.join(json.dumps(one, indent=indent) for one in documents)
    found = chunks(path, text.replace("\n", newline).encode())
    assert values(found) == documents


def test_a_document_is_not_changed_but_for_line_breaks(path: Path) -> None:
    text = '{\n "n": 12345678901234567890.10,\n "s": "\\ud800 \xff",\n "k": 1e5, "k": 2\n}'
    (only,) = chunks(path, text.encode("latin-1"))
    assert isinstance(only, Chunk)
    expected = '{"n": 12345678901234567890.10,"s": "\\ud800 \xff","k": 1e5, "k": 2}'
    assert only.data == expected.encode("latin-1")


def test_lines_after_a_first_line_that_is_cut_are_read_as_lines(path: Path) -> None:
    found = chunks(path, b'{"a":"cut\n{"b":2}\ntext\n{"c":3}\n')
    assert [line for _number, line in lines(found)] == [
        b'{"a":"cut',
        b'{"b":2}',
        b"text",
        b'{"c":3}',
    ]


@pytest.mark.parametrize(
    "cut", [b'{"a":', b'{"a":1,', b'{"a":[', b'{"a":[1', b'{"a":{"b":1,', b"{"]
)
def test_a_line_cut_between_values_does_not_take_the_next_ones_with_it(
    path: Path, cut: bytes
) -> None:
    found = chunks(path, cut + b'\n{"b":2}\n{"c":3}\n')
    assert {"b": 2} in [json.loads(line) for _n, line in lines(found) if line[-1:] == b"}"]
    assert (b'{"c":3}') in [line for _number, line in lines(found)]


def test_a_malformed_document_is_one_reject_up_to_the_next_record(path: Path) -> None:
    content = b'{\n "a": 1,\n "b": oops,\n "c": [\n  1\n ]\n}\n{\n "d": 4\n}\n'
    malformed, rest = chunks(path, content)
    assert isinstance(malformed, Rejected)
    assert "not valid JSON" in malformed.reason
    assert malformed.raw == content[: content.index(b"\n{\n", 5)]
    assert lines([rest]) == [(2, b'{"d": 4}')]


WRAPPERS = [
    ({"kind": "EventList", "items": "HERE"}, ["items"]),
    ({"owner": "1", "logGroup": "/aws/eks/prod/cluster", "logEvents": "HERE"}, ["logEvents"]),
    ({"events": "HERE", "nextForwardToken": "f/1"}, ["events"]),
    ({"requestId": "r", "timestamp": 1, "records": "HERE"}, ["records"]),
    ({"results": "HERE", "status": "Complete"}, ["results"]),
    ({"receivedMessages": "HERE"}, ["receivedMessages"]),
    ({"took": 3, "hits": {"total": {"value": 9}, "hits": "HERE"}}, ["hits", "hits"]),
]


@pytest.mark.parametrize(("wrapper", "path_to_array"), WRAPPERS)
@pytest.mark.parametrize("indent", [None, 1])
def test_a_long_document_is_split_and_keeps_its_context(
    path: Path, wrapper: dict[str, Any], path_to_array: list[str], indent: int | None
) -> None:
    elements = [{"id": n, "message": "m" * 3000} for n in range(1000)]
    text = json.dumps(wrapper, indent=indent).replace('"HERE"', json.dumps(elements, indent=indent))
    found: list[Any] = []
    for part in values(chunks(path, text.encode())):
        array = part
        for key in path_to_array:
            array = array[key]
        found += array
        assert len(json.dumps(array)) < 400_000
        before = list(wrapper)[: list(wrapper).index(path_to_array[0])]
        assert [part[key] for key in before] == [wrapper[key] for key in before]
    assert found == elements


def test_a_long_array_is_split(path: Path) -> None:
    elements = [{"id": n, "message": "m" * 3000} for n in range(1000)]
    parts = values(chunks(path, json.dumps(elements).encode()))
    assert len(parts) > 5
    assert [one for part in parts for one in part] == elements


def test_an_element_that_is_too_long_is_rejected_and_its_neighbours_are_kept(path: Path) -> None:
    elements = ["a", {"b": ["x" * 5000, {"c": "]}"}]}, "y" * 5000, "d" * 900, ["e"]]
    text = json.dumps({"items": elements, "more": 1}) + json.dumps({"n": 2})
    found = chunks(path, text.encode(), record_limit=1000)
    kept = [one for part in values(found) for one in part.get("items", [part])]
    assert kept == ["a", "d" * 900, ["e"], {"n": 2}]
    rejected = [one for one in found if isinstance(one, Rejected)]
    assert len(rejected) == 2
    assert rejected[0].raw.startswith(b'{"b": ["xxx')


def test_a_long_document_that_wraps_nothing_is_rejected(path: Path) -> None:
    text = json.dumps({"a": "x" * 5000, "b": {"items": [1, 2]}}, indent=1) + '\n{"n":2}'
    rejected, rest = chunks(path, text.encode(), record_limit=1000)
    assert isinstance(rejected, Rejected)
    assert values([rest]) == [{"n": 2}]


def test_of_a_document_that_is_cut_the_elements_before_are_kept(path: Path) -> None:
    text = json.dumps({"kind": "EventList", "items": [{"id": n} for n in range(10)]})
    kept, cut = chunks(path, text[: text.index('{"id": 7}') + 4].encode())
    assert values([kept]) == [{"kind": "EventList", "items": [{"id": n} for n in range(7)]}]
    assert isinstance(cut, Rejected)
    assert cut.reason == "the JSON document ends early (what came before was kept)"
    assert cut.raw == b'{"id'


def test_of_a_document_that_is_malformed_the_elements_before_are_kept(path: Path) -> None:
    text = '{"items": [{"id": 1}, {"id": 2}, {"id": oops}, {"id": 4}], "more": "' + "x" * 3000
    kept, malformed = chunks(path, text.encode() + b'"}', record_limit=100)
    assert values([kept]) == [{"items": [{"id": 1}, {"id": 2}]}]
    assert isinstance(malformed, Rejected)
    assert malformed.raw.startswith(b'{"id": oops')


def test_a_long_document_takes_no_more_memory_than_a_short_one() -> None:
    event = json.dumps({"auditID": "1", "requestObject": {"a": [1, 2, {"b": "c" * 500}]}})

    def document() -> Iterator[bytes]:
        yield b'{"kind":"EventList","items":['
        for _ in range(400):
            yield (f"{event},".encode()) * 100
        yield event.encode() + b"]}"

    tracemalloc.start()
    count = 0
    for record in Documents(Blocks(document()), RECORD_LIMIT):
        assert not isinstance(record, Fault)
        count += record.count(b"auditID")
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 40_001
    assert peak < 12 * 1024 * 1024


# Lines that start with a bracket


@pytest.mark.parametrize("prefix", [b"[pod/kube-apiserver-m1/kube-apiserver] ", b"[2024-05-06] "])
def test_lines_with_a_prefix_in_brackets_are_lines(path: Path, prefix: bytes) -> None:
    content = b"".join(prefix + b'{"n":%d}\n' % n for n in range(3))
    assert lines(chunks(path, content)) == [(n + 1, prefix + b'{"n":%d}' % n) for n in range(3)]


@pytest.mark.parametrize(
    "content", [b'[{"n":1},\n{"n":2}]', b'[\n{"n":1},{"n":2}]', b'[ \r\n{"n":1}, {"n":2}\n]']
)
def test_arrays_over_several_lines_are_documents(path: Path, content: bytes) -> None:
    assert values(chunks(path, content)) == [[{"n": 1}, {"n": 2}]]


# Streams


def test_standard_input_is_read_as_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot be sought in, and is decompressed like files."""
    incoming, outgoing = os.pipe()
    with os.fdopen(outgoing, "wb") as file:
        file.write(gzip.compress(b'{"n":1}\n{"n":2}\n'))
    with os.fdopen(incoming, "rb") as stream:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=stream))
        found = list(read_chunks(Source("-")))
        assert not stream.closed
    assert lines(found) == [(1, b'{"n":1}'), (2, b'{"n":2}')]


def test_progress_counts_the_bytes_as_they_are_stored(path: Path) -> None:
    content = gzip.compress(b'{"n":1}\n' * 100_000)
    seen: list[int] = []
    chunks(path, content, on_bytes=seen.append)
    assert sum(seen) == len(content)


def test_a_read_error_is_a_reject_after_what_came_before(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(io.RawIOBase):
        served = False

        def read(self, size: int = -1) -> bytes:
            if self.served:
                raise OSError(5, "Input/output error")
            self.served = True
            return b'{"n":1}\n{"n":2}\n'

    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=Broken()))
    *rest, error = read_chunks(Source("-"))
    assert [number for number, _line in lines(rest)] == [1, 2]
    assert isinstance(error, Rejected)
    assert "cannot be read further: input/output error" in error.reason


@pytest.mark.parametrize("length", [0, 1, 100, 200, 2_000, 20_000])
def test_lines_of_any_length_are_counted(length: int) -> None:
    data = (b"x" * length + b"\n") * 40 + b"last"
    assert newlines(data) == 40
    assert newlines(data + b"\n" * 20_000) == 20_040
