"""An audit event is read wherever in a record it is, or the record is rejected: never skipped."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from k8sidx.events.decode.decode import decode
from k8sidx.events.normalize.event import Normalizer
from k8sidx.events.records import Chunk, Event, Rejected, Skipped
from tests.building import event, normalized
from tests.demo import demo_lines

EVENTS = [json.loads(line) for line in demo_lines()[:4000:97]]


def ids_of(line: bytes, format: str = "auto") -> list[str]:
    """Ids of the events in a line; a reject has its reason instead, a skip its kind."""
    found = []
    for record in decode(Chunk("x", 1, line), format):
        if isinstance(record, Event):
            normalizer = Normalizer()
            values = normalizer.normalize(record.audit, record.rest, record.context, record.size)
            found.append(values.row["event.id"])
        elif isinstance(record, Rejected):
            found.append(f"rejected: {record.reason}")
        else:
            assert isinstance(record, Skipped)
            found.append(f"skipped: {record.kind}")
    return found


def packed(value: Any) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


def any_value(value: Any) -> dict[str, Any]:
    """The ``AnyValue`` of OTLP/JSON that stands for a value."""
    match value:
        case None:
            return {}
        case bool():
            return {"boolValue": value}
        case str():
            return {"stringValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case list():
            return {"arrayValue": {"values": [any_value(element) for element in value]}}
    return {"kvlistValue": {"values": attributes(value)}}


def attributes(value: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": any_value(child)} for key, child in value.items()]


WRAPPERS: dict[str, Callable[[Any, str], Any]] = {
    "object": lambda value, key: {key: value},
    "array": lambda value, key: {key: [value]},
    "array beside others": lambda value, key: {key: [{"a": 1}, value, "noise", 3]},
    "text": lambda value, key: {key: json.dumps(value)},
    "text with a prefix": lambda value, key: {key: f"host audit: {json.dumps(value)}"},
    "Base64": lambda value, key: {key: packed(value)},
    "Base64 of gzip": lambda value, key: {
        key: base64.b64encode(gzip.compress(json.dumps(value).encode())).decode()
    },
    "beside noise": lambda value, key: {
        "time": "2026-11-23T12:00:00Z", "tags": ["a", {"b": "c"}], "n": 7, key: value, "last": None,
    },
    "list of pairs": lambda value, key: {key: [["1714990260000000000", json.dumps(value)]]},
    "bytes": lambda value, key: {key: list(json.dumps(value).encode())},
    "OTLP value": lambda value, key: {"body": any_value({key: value})},
    "OTLP attributes": lambda value, key: {"attributes": attributes({"n": 1, key: value})},
    "cut copy": lambda value, key: {
        "short_message": json.dumps(value)[:100] + "...", key: json.dumps(value),
    },
}  # fmt: skip
KEYS = st.one_of(
    st.sampled_from(["message", "log", "json", "event", "data", "records", "Body", "kubernetes"]),
    st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=12),
)  # fmt: skip


@given(
    body=st.sampled_from(EVENTS),
    wrappers=st.lists(st.tuples(st.sampled_from(sorted(WRAPPERS)), KEYS), max_size=6),
)
def test_an_event_in_any_envelope_is_read_or_rejected(
    body: dict[str, Any], wrappers: list[tuple[str, str]]
) -> None:
    # Each AnyValue in an AnyValue multiplies the depth by four, and OTLP has bytes as Base64.
    names = [name for name, _ in wrappers]
    otlp = sum(name.startswith("OTLP") for name in names)
    assume(otlp == 0 or (otlp == 1 and "bytes" not in names))
    value: Any = body
    for name, key in wrappers:
        value = WRAPPERS[name](value, key)
    results = [one for one in ids_of(json.dumps(value).encode()) if not one.startswith("skipped")]
    assert results
    assert set(results) == {normalized(body).row["event.id"]} or all(
        one.startswith("rejected") for one in results
    )


@pytest.mark.parametrize("name", WRAPPERS)
@pytest.mark.parametrize("key", ["payload", "short_message", "json"])
def test_an_event_in_an_unknown_envelope_has_the_id_of_the_bare_line(name: str, key: str) -> None:
    body = event("get", "secrets", name="db")
    line = json.dumps(WRAPPERS[name](body, key)).encode()
    assert normalized(body).row["event.id"] in ids_of(line)


@pytest.mark.parametrize(
    "line",
    [
        b'{"a": "{\\"auditID\\": \\"x\\", \\"stage\\": "}',
        b'{"note": "the policy is audit.k8s.io/v1"}',
        b'cut off "auditID":"x","stage":"ResponseComplete"}',
        b'I0523 10:00:00.000000 1 x.go:1] {"auditID": "x", "verb"',
        b'{"x": {"auditID": "y"}}',
    ],
)
def test_a_record_that_names_an_event_and_cannot_be_read_is_rejected(line: bytes) -> None:
    assert [result.partition(":")[0] for result in ids_of(line)] == ["rejected"]


@pytest.mark.parametrize(
    "line",
    [
        b'{"level": "info", "msg": "started"}',
        b'{"token": "' + b"QUFB" * 200 + b'"}',
        b'{"kind": "Event", "involvedObject": {}, "message": "audit.k8s.io/v1 is served"}',
        b"I0523 10:00:00.000000       1 x.go:1] ready",
    ],
)
def test_other_records_are_skipped(line: bytes) -> None:
    assert [result.partition(":")[0] for result in ids_of(line)] == ["skipped"]


def flat(value: Any, separator: str, path: str = "") -> dict[str, Any]:
    if not isinstance(value, dict) or not value:
        return {path: value}
    joined: dict[str, Any] = {}
    for key, child in value.items():
        joined |= flat(child, separator, f"{path}{separator}{key}" if path else key)
    return joined


@pytest.mark.parametrize("prefix", ["", "json", "kubernetes.audit"])
def test_dotted_keys_are_objects_again(prefix: str) -> None:
    body = event(
        "create", "secrets", name="db", requestObject={"kind": "Secret", "data": {"p": "x"}}
    )
    line = json.dumps(flat(body, ".", prefix)).encode()
    assert ids_of(line) == [normalized(body).row["event.id"]]


def test_keys_joined_by_underscores_are_objects_again() -> None:
    body = event("get", "pods", name="web", annotations=None)
    assert ids_of(json.dumps(flat(body, "_")).encode()) == [normalized(body).row["event.id"]]


TIMES = {"requestReceivedTimestamp": 1714990413100, "stageTimestamp": 1714990413350}


@pytest.mark.parametrize(
    ("changed", "meant"),
    [
        (TIMES, {"requestReceivedTimestamp": "2024-05-06T10:13:33.100000Z",
                 "stageTimestamp": "2024-05-06T10:13:33.350000Z"}),
        ({"stageTimestamp": "2024-05-06 10:13:33.35 +0000 UTC"},
         {"stageTimestamp": "2024-05-06T10:13:33.350000Z"}),
        ({"responseStatus": {"code": "403"}}, {"responseStatus": {"code": 403}}),
        ({"responseStatus": '{"code": 403}'}, {"responseStatus": {"code": 403}}),
        ({"sourceIPs": "10.0.0.9, 10.0.0.1:443"}, {"sourceIPs": ["10.0.0.9", "10.0.0.1"]}),
        ({"sourceIPs": ["[2001:db8::1]:443"]}, {"sourceIPs": ["2001:db8::1"]}),
        ({"user": '{"username": "alice", "groups": "a,b"}'},
         {"user": {"username": "alice", "groups": ["a", "b"]}}),
        ({"user": {"username": "alice", "extra": '{"k": "v"}'}},
         {"user": {"username": "alice", "extra": {"k": ["v"]}}}),
        ({"objectRef": '{"resource": "pods", "namespace": "shop"}'},
         {"objectRef": {"resource": "pods", "namespace": "shop"}}),
        ({"annotations": '{"authorization.k8s.io/decision": "forbid"}'},
         {"annotations": {"authorization.k8s.io/decision": "forbid"}}),
    ],
)  # fmt: skip
def test_values_with_one_plain_meaning_are_read(
    changed: dict[str, Any], meant: dict[str, Any]
) -> None:
    plain = {**event(), **meant}
    (read,) = ids_of(json.dumps({**event(), **changed}).encode())
    other = {key: value for key, value in meant.items() if "Timestamp" not in key}
    assert read == normalized(plain).row["event.id"] or not other


def test_epoch_times_are_read() -> None:
    (record,) = decode(Chunk("x", 1, json.dumps({**event(), **TIMES}).encode()))
    assert isinstance(record, Event)
    assert record.audit.stageTimestamp == "2024-05-06T10:13:33.350000Z"


@pytest.mark.parametrize("before", ["", "2026-11-23T12:00:00Z ", "key-1\t", '"'])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_line_that_is_base64_of_an_event_is_read(
    before: str, pack: Callable[[bytes], bytes]
) -> None:
    """Queues and exports write such lines; beside plain events they must not be skipped."""
    body = event("delete", "secrets", name="db")
    word = base64.b64encode(pack(json.dumps(body).encode())).decode()
    after = '"' if before == '"' else ""
    assert ids_of(f"{before}{word}{after}".encode()) == [normalized(body).row["event.id"]]


def test_a_line_of_base64_without_an_event_is_text() -> None:
    word = base64.b64encode(json.dumps({"message": "x" * 200}).encode())
    assert ids_of(word) == ["skipped: text line"]
