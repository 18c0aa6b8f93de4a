"""Bad input, one named test each: what is kept, what is refused, and in which words."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest

from k8sidx.errors import UsageError
from k8sidx.events.decode.decode import FORMATS, decode
from k8sidx.events.records import Chunk, Rejected, Skipped
from tests.building import event
from tests.events.decode.decoding import (
    DecodedEvent,
    body,
    file_records,
    packed,
    records,
    rejected,
    skipped,
)


def test_an_empty_file_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.touch()
    assert file_records(path) == []


def test_blank_lines_are_nothing(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.write_text(f"\n\n  \n{json.dumps(event())}\n\r\n\n", "utf-8")
    (found,) = file_records(path)
    assert found.where.record == 4


def test_of_a_truncated_gzip_what_came_before_is_kept(tmp_path: Path) -> None:
    lines = b"".join(json.dumps(event(name=f"web-{n}")).encode() + b"\n" for n in range(2000))
    path = tmp_path / "audit.log.gz"
    whole = gzip.compress(lines)
    path.write_bytes(whole[: len(whole) // 2])
    *events, last = file_records(path)
    assert len(events) > 500
    assert all(isinstance(one, DecodedEvent) for one in events)
    assert isinstance(last, Rejected)
    assert last.reason == "the gzip stream ends early (what came before was kept)"
    assert last.where.record == len(events) + 1
    assert lines.startswith(last.raw, lines.index(last.raw))


def test_a_binary_file_is_one_thing_that_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "audit.bin"
    path.write_bytes(os.urandom(200_000))
    assert [one[0] for one in file_records(path)] == ["binary file"]


@pytest.mark.parametrize(
    "content",
    [
        {"kind": 0},
        {"a": 1},
        {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "web"}},
        {"kind": "PodList", "apiVersion": "v1", "items": [{"metadata": {}}]},
        {"items": 5, "events": {}, "records": None, "logEvents": "x"},
        [5],
        [None],
    ],
)
def test_json_of_another_kind_is_skipped(content: object) -> None:
    assert skipped(content) == "JSON of another kind"


def test_a_line_of_50_mb_is_rejected_and_its_neighbours_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    with path.open("wb") as file:
        file.write(json.dumps(event()).encode() + b"\n")
        file.write(json.dumps(event(requestObject="x" * 50_000_000)).encode() + b"\n")
        file.write(json.dumps(event()).encode() + b"\n")
    first, long, last = file_records(path)
    assert isinstance(first, DecodedEvent)
    assert isinstance(last, DecodedEvent)
    assert isinstance(long, Rejected)
    assert long.where.record == 2
    assert "32 MiB" in long.reason
    assert "--max-record-size" in long.reason
    assert len(long.raw) == 64 * 1024


def test_bytes_that_are_not_utf_8_become_replacement_characters() -> None:
    line = json.dumps(event(agent="AGENT")).encode().replace(b"AGENT", b"a\xff\xc3(b")
    assert body(line)["userAgent"] == "a\ufffd\ufffd(b"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"a\ud800b", "a\ufffdb"),
        (r"\udc00", "\ufffd"),
        (r"\ud800\ud800\udc00", "\ufffd\U00010000"),
        (r"\\ud800", "\\ud800"),
        (r"\\\ud800", "\\\ufffd"),
        (r"\ud83d\ude00", "\U0001f600"),
        (r"\ud800\n\u0041", "\ufffd\nA"),
    ],
)
def test_a_lone_surrogate_becomes_a_replacement_character(written: str, read: str) -> None:
    line = json.dumps(event(agent="AGENT")).replace("AGENT", written).encode()
    assert body(line)["userAgent"] == read


def test_nul_in_a_string_is_kept() -> None:
    assert body(event(agent="a\0b"))["userAgent"] == "a\0b"


def test_nul_bytes_before_a_line_are_passed_over(tmp_path: Path) -> None:
    """What is left of a file that was truncated while it was written to."""
    path = tmp_path / "audit.log"
    path.write_bytes(b"\0" * 300_000 + json.dumps(event()).encode() + b"\n")
    (found,) = file_records(path)
    assert isinstance(found, DecodedEvent)


def test_keys_named_dot_and_nothing_are_kept() -> None:
    odd = {".": {}, "": {"..": 1}, "f:labels": {".": {}}}
    assert body(event(requestObject=odd))["requestObject"] == odd


def test_40_levels_of_nesting_are_kept() -> None:
    deep: object = "end"
    for _ in range(40):
        deep = {"a": [deep]}
    assert body(event(responseObject=deep))["responseObject"] == deep


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
def test_100_000_levels_of_nesting_are_rejected(opening: str, tmp_path: Path) -> None:
    found = rejected(b'{"auditID":"1","stage":"x","requestObject":' + opening.encode() * 100_000)
    assert found.reason == "the JSON is nested too deeply"
    path = tmp_path / "audit.log"
    line = json.dumps(event())
    path.write_text(f'{{"a":{opening * 100_000}\n{line}\n', "utf-8")
    first, last = file_records(path)
    assert isinstance(first, Rejected)
    assert isinstance(last, DecodedEvent)


def test_lines_that_nest_without_end_are_read_in_linear_time(tmp_path: Path) -> None:
    path = tmp_path / "audit.json"
    path.write_text('{"a":\n' * 50_000 + json.dumps(event()), "utf-8")
    found = file_records(path)
    assert isinstance(found[-1], DecodedEvent)


def test_a_line_cut_with_a_mark_says_so() -> None:
    line = json.dumps(event()).encode()[:300] + b" [Truncated...]"
    found = rejected(line)
    assert found.reason == "the record was cut by the provider ([Truncated...])"
    assert found.raw == line


@pytest.mark.parametrize("length", [1, 2, 20, 300])
def test_a_line_that_is_cut_says_so(length: int) -> None:
    assert rejected(json.dumps(event()).encode()[:length]).reason == (
        "the record is cut: its JSON ends early"
    )


def test_the_rest_of_a_cut_event_says_so() -> None:
    line = json.dumps(event()).encode()[20:]
    assert rejected(line).reason == "the beginning of the event is missing"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_does_not_have_are_rejected(number: str) -> None:
    line = json.dumps(event(requestObject="N")).replace('"N"', number).encode()
    assert number in rejected(line).reason


def test_a_number_beyond_a_double_is_rejected() -> None:
    line = json.dumps(event(requestObject="N")).replace('"N"', "1e999").encode()
    assert "beyond the range of a double" in rejected(line).reason


@pytest.mark.parametrize("number", [2**53 + 1, 2**64, -(2**63) - 1, 10**30, -(10**300)])
def test_whole_numbers_of_any_size_are_exact(number: int) -> None:
    assert body(event(requestObject={"n": number}))["requestObject"] == {"n": number}


def test_a_number_of_10_000_digits_does_not_stop_anything() -> None:
    line = json.dumps(event(requestObject="N")).replace('"N"', "9" * 10_000).encode()
    (found,) = records(line)
    assert isinstance(found, (DecodedEvent, Rejected))


def test_of_keys_that_are_there_twice_the_last_counts() -> None:
    line = json.dumps(event(verb="get")).encode()[:-1] + b',"verb":"delete"}'
    assert body(line)["verb"] == "delete"


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(event()).encode())
    (found,) = file_records(path)
    assert isinstance(found, DecodedEvent)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_named(encoding: str, tmp_path: Path) -> None:
    """What ``>`` writes in Windows PowerShell."""
    path = tmp_path / "audit.log"
    path.write_bytes(json.dumps(event()).encode(encoding))
    (found,) = file_records(path)
    assert isinstance(found, Rejected)
    assert "UTF-16" in found.reason


def test_garbage_and_text_are_skipped() -> None:
    assert skipped(b"hello") == "text line"
    assert skipped(b"\x80\x81 garbage") == "text line"
    assert skipped(b'"just text"') == "text line"
    assert skipped(b"[2026-11-23] starting") == "text line"


def test_a_line_that_starts_like_json_and_is_none_is_rejected() -> None:
    found = rejected(b"{not json}")
    assert found.reason.startswith("not valid JSON")
    assert found.raw == b"{not json}"


@pytest.mark.parametrize("between", [b"", b" ", b",", b"\r"])
def test_several_documents_on_a_line_are_all_read(between: bytes) -> None:
    line = json.dumps(event()).encode()
    found = records(between.join([line, b'{"a":1}', line, line[:50]]))
    assert [type(one) for one in found] == [DecodedEvent, Skipped, DecodedEvent, Rejected]
    assert isinstance(found[-1], Rejected)
    assert found[-1].raw == line[:50]


def test_data_that_unpacks_to_too_much_is_rejected() -> None:
    bomb = {"awslogs": {"data": packed("x" * 100_000_000)}}
    assert "unpacks to more than 64 MiB" in rejected(bomb).reason


def test_data_that_is_packed_in_itself_too_often_is_rejected() -> None:
    wrapped: object = event()
    for _ in range(10):
        wrapped = {"awslogs": {"data": packed(wrapped)}}
    assert rejected(wrapped).reason == "the record is wrapped more than 8 times"


def test_an_unknown_format_is_named_with_those_there_are() -> None:
    with pytest.raises(UsageError) as caught:
        decode(Chunk("test.log", 1, b""), "gcp")
    assert all(name in caught.value.remedy for name in FORMATS)
