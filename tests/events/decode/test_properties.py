"""Whatever the input is: nothing raises, nothing vanishes, and chunking changes nothing."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from k8sidx.events.decode.decode import FORMATS
from k8sidx.events.records import Chunk, Rejected, Skipped
from tests.building import event
from tests.events.decode.decoding import (
    DecodedEvent,
    DecodedRecord,
    decoded,
    file_records,
    packed,
    records,
)

WORDS = """
    kind apiVersion auditID stage verb user username objectRef requestURI items events logEvents
    messageType logGroup message log records data results field value @message awslogs Records
    kinesis receivedMessages hits _source protoPayload methodName resourceName serviceName status
    authenticationInfo authorizationInfo labels operation properties category log_s Category AuditId
    Verb tables rows columns name azure platformlogs kubernetes audit annotations structured
    log_type log_source http method k8sidx raw raw_base64 metadata involvedObject result event
    original index k8s_audit_level timestamp @timestamp request response level jsonPayload
    logName resource .
"""
KEYS = st.sampled_from(WORDS.split()) | st.text(max_size=4)
VALUES = st.sampled_from(
    [
        "Event", "EventList", "audit.k8s.io/v1", "audit.k8s.io/v1beta1", "v1", "dead-letter",
        "kube-audit", "k8s.io", "io.k8s.core.v1.pods.exec.create", "CONTROL_MESSAGE", "",
        "core/v1/namespaces/shop/pods/web", "/aws/eks/prod/cluster", '{"auditID":"1","stage":"x"}',
        packed({"auditID": "1", "stage": "x"}), "H4sIAAAA", '{"auditID":"1', "I0102 15:04:05.6 x",
    ]
)  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | VALUES
JSON: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)
ENVELOPED: st.SearchStrategy[Any] = st.recursive(
    st.dictionaries(KEYS, JSON, max_size=6) | st.just(event()),
    lambda inner: st.one_of(
        inner.map(lambda one: {"message": json.dumps(one)}),
        inner.map(lambda one: {"items": [one], "kind": "EventList"}),
        inner.map(lambda one: {"logEvents": [{"message": json.dumps(one), "timestamp": 1}]}),
        inner.map(lambda one: {"records": [{"data": packed(one)}]}),
        inner.map(lambda one: {"category": "kube-audit", "properties": {"log": one}}),
        inner.map(lambda one: {"k8sidx": "dead-letter", "raw": json.dumps(one)}),
        inner.map(lambda one: {"protoPayload": one, "labels": one, "operation": one}),
        inner.map(lambda one: {"hits": {"hits": [{"_source": one}]}}),
        inner.map(lambda one: {"kubernetes": {"audit": one}}),
        st.lists(inner, max_size=3),
    ),
    max_leaves=4,
)
LINES = st.one_of(
    st.binary(max_size=60),
    JSON.map(lambda one: json.dumps(one).encode()),
    ENVELOPED.map(lambda one: json.dumps(one).encode()),
    ENVELOPED.map(lambda one: json.dumps(one).encode()[:-7]),
    ENVELOPED.map(lambda one: json.dumps(one, ensure_ascii=False).encode("utf-8", "replace")),
).map(lambda line: line.replace(b"\n", b" "))
BLANK = b" \t\r\n\0\xef\xbb\xbf"


@given(LINES, st.sampled_from(sorted(FORMATS)))
@settings(max_examples=400, deadline=None)
def test_every_line_ends_as_a_record_and_none_raises(line: bytes, format: str) -> None:
    found = records(line, format)
    assert found or not line.strip(BLANK)
    for record in found:
        assert isinstance(record, (DecodedEvent, Skipped, Rejected))
        assert record.where.record == 1
        if isinstance(record, DecodedEvent):
            assert type(record.body) is dict
            assert all(type(one) is str for one in record.context)
        if isinstance(record, Rejected):
            assert record.raw and record.reason


@given(st.lists(LINES, max_size=6))
@settings(max_examples=100, deadline=None)
def test_a_line_is_decoded_the_same_whatever_its_neighbours_are(lines: list[bytes]) -> None:
    together = decoded(Chunk("test.log", 1, b"\n".join(lines)))
    alone = [
        one
        for number, line in enumerate(lines, 1)
        for one in decoded(Chunk("test.log", number, line))
    ]
    assert together == alone


def summary(found: list[DecodedRecord]) -> list[Any]:
    """What was found, without where: chunking numbers the parts of long documents."""
    return [
        ("event", one.body.get("auditID")) if isinstance(one, DecodedEvent) else type(one).__name__
        for one in found
    ]


@given(
    st.lists(ENVELOPED.map(json.dumps), max_size=8),
    st.sampled_from(["\n", "", "\r\n", "\n\n", " "]),
    st.sampled_from([1, 100, 1024]),
)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_size_of_chunks_changes_nothing(
    documents: list[str], between: str, chunk_bytes: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "audit.log")
        path.write_bytes(between.join(documents).encode())
        assert file_records(path, chunk_bytes=chunk_bytes) == file_records(path)


@given(
    st.lists(ENVELOPED, min_size=1, max_size=6),
    st.sampled_from([None, 1, 2]),
    st.sampled_from(["\n", "", "\n\n"]),
)
@settings(max_examples=150, deadline=None)
def test_documents_hold_the_same_events_as_lines(
    documents: list[Any], indent: int | None, between: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lines, other = Path(folder, "lines"), Path(folder, "documents")
        lines.write_text("\n".join(json.dumps(one) for one in documents), "utf-8")
        other.write_text(between.join(json.dumps(one, indent=indent) for one in documents), "utf-8")
        assert summary(file_records(other)) == summary(file_records(lines))


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.sampled_from([200, 2000]))
@settings(max_examples=60, deadline=None)
def test_a_split_document_holds_the_same_events_as_a_whole_one(
    ids: list[int], record_limit: int
) -> None:
    """A limit below the document's size makes it be read in parts."""
    items = [{"auditID": str(one), "stage": "Panic"} for one in ids]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "audit.json")
        path.write_text(json.dumps({"kind": "EventList", "items": items}, indent=1), "utf-8")
        found = file_records(path, record_limit=record_limit)
    assert [one.body["auditID"] for one in found if isinstance(one, DecodedEvent)] == list(
        map(str, ids)
    )
    assert len(found) == len(ids)


@given(st.binary(max_size=400), st.sampled_from([1, 64]))
@settings(max_examples=200, deadline=None)
def test_arbitrary_bytes_in_a_file_never_raise(content: bytes, chunk_bytes: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "audit.log")
        path.write_bytes(content)
        found = file_records(path, chunk_bytes=chunk_bytes, record_limit=100)
    assert found or not content.strip(BLANK)


@given(
    st.text(alphabet='{}[]":,\\\n \t1atrue', max_size=120),
    st.sampled_from([1, 30, 1000]),
    st.sampled_from([60, 1000]),
    st.booleans(),
)
@settings(max_examples=600, deadline=None)
def test_broken_json_keeps_the_events_around_it(
    noise: str, chunk_bytes: int, record_limit: int, first: bool
) -> None:
    """Good lines before and after anything at all are found."""
    lines = [json.dumps({"auditID": one, "stage": "x"}) for one in ("1", "2")]
    lines.insert(0 if first else 1, noise)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "audit.log")
        path.write_text("\n".join((*lines, "")), "utf-8")
        found = file_records(path, chunk_bytes=chunk_bytes, record_limit=record_limit)
    ids = Counter(one.body.get("auditID") for one in found if isinstance(one, DecodedEvent))
    assert ids["1"] >= 1
    assert ids["2"] >= 1
