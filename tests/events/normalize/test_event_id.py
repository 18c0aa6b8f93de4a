"""The same event has the same id however it arrives; another event has another."""

from __future__ import annotations

import json
from typing import Any

import pytest

from k8sidx.events.decode.event_model import decode_text
from k8sidx.events.normalize.event import Normalizer
from k8sidx.events.records import Context
from tests.building import event, row


def identity(body: dict[str, Any]) -> str:
    return str(row(body)["event.id"])


BODY: dict[str, Any] = {
    **event("create", "pods", requestObject={"b": [1, {"d": 1, "c": "<&>"}], "a": 2**70}),
    "user": {"username": "alice", "groups": ["a", "b"], "extra": {"k": ["v"]}},
}


def reordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: reordered(value[key]) for key in sorted(value, reverse=True)}
    return [reordered(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "other",
    [
        {key: value for key, value in BODY.items() if key not in ("kind", "apiVersion")},
        reordered(BODY),
        {**BODY, "@timestamp": "2026-01-01", "tag": "kube", "hostname": "node-1"},
        {**BODY, "responseObject": None, "impersonatedUser": {}},
        {**BODY, "responseStatus": {"code": 200}},
    ],
    ids=["item of an EventList", "keys in another order", "shipper's keys", "empty", "no metadata"],
)
def test_the_same_event_in_another_dress(other: dict[str, Any]) -> None:
    assert identity(other) == identity(BODY)


META = {"impersonationConstraint": "impersonate:user-info", "b": {"y": 1, "x": [2]}}
FULL: dict[str, Any] = {
    **BODY,
    "authenticationMetadata": META,
    "stageTimestamp": "2026-11-23T12:00:00.120000Z",
    "requestReceivedTimestamp": "2026-11-23T12:00:00.000000Z",
}
BARE = {key: value for key, value in FULL.items() if key not in ("requestObject", "userAgent")}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (FULL, reordered(FULL)),
        (FULL, {**FULL, "stageTimestamp": "2026-11-23T12:00:00.12Z"}),
        (FULL, {**FULL, "stageTimestamp": "2026-11-23T13:00:00.12+01:00"}),
        (FULL, {**FULL, "stageTimestamp": "2026-11-23T12:00:00.120000000Z"}),
        (FULL, {**FULL, "requestReceivedTimestamp": "2026-11-23T12:00:00Z"}),
        (FULL, {**FULL, "requestReceivedTimestamp": "2026-11-23 07:00:00-05:00"}),
        (BARE, {**BARE, "requestObject": {}, "responseObject": {}, "userAgent": ""}),
        (BARE, {**BARE, "impersonatedUser": {"username": "", "groups": [], "extra": {}}}),
        (
            {**BARE, "user": {"username": "alice"}},
            {**BARE, "user": {"username": "alice", "uid": "", "groups": [], "extra": {}}},
        ),
        ({**BARE, "sourceIPs": None}, {**BARE, "sourceIPs": []}),
        (
            {**BARE, "responseStatus": {"code": 200}},
            {**BARE, "responseStatus": {"code": 200, "message": "", "reason": "", "status": None}},
        ),
        ({**BARE, "stage": "", "level": ""}, {**BARE, "stage": None, "level": None}),
        ({**BARE, "authenticationMetadata": {}}, {**BARE, "authenticationMetadata": None}),
    ],
)
def test_the_same_event_written_otherwise(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert identity(one) == identity(other)


def test_blanks_in_raw_text_make_no_other_event() -> None:
    texts = [json.dumps(FULL), json.dumps(FULL, indent=2).replace("\n", " ")]
    ids = set()
    for text in texts:
        audit = decode_text(text.encode())
        assert audit is not None
        ids.add(Normalizer().normalize(audit, None, Context(), 1).values.id)
    assert len(ids) == 1


def test_nanoseconds_tell_events_apart() -> None:
    times = ("2026-11-23T12:00:00.120000001Z", "2026-11-23T12:00:00.120000002Z")
    assert len({identity({**BODY, "stageTimestamp": time}) for time in times}) == 2


def test_the_line_as_read_and_the_object_have_the_same_id() -> None:
    plain = event("list", "secrets", code=403)
    lines = [json.dumps(plain), json.dumps(plain, separators=(",", ":"), ensure_ascii=False)]
    normalizer = Normalizer()
    for line in lines:
        audit = decode_text(line.encode())
        assert audit is not None
        row = normalizer.normalize(audit, None, Context(), len(line)).row
        assert row["event.id"] == identity(plain)


@pytest.mark.parametrize(
    "change",
    [
        {"stage": "RequestReceived"},
        {"stageTimestamp": "2026-11-23T12:00:00.002001Z"},
        {"requestObject": {"b": 1}},
        {"responseObject": {"b": [1, {"d": 1, "c": "<&>"}], "a": 2**70}},
        {"user": {"username": "alice", "groups": ["b", "a"], "extra": {"k": ["v"]}}},
        {"verb": "update"},
        {"verb": 5},
        {"annotations": {"x": "y"}},
        {"authenticationMetadata": {"impersonationConstraint": "x"}},
    ],
)
def test_another_event_with_the_same_audit_id(change: dict[str, Any]) -> None:
    assert identity({**BODY, **change}) != identity(BODY)


def test_the_id_is_128_bits_in_hexadecimal() -> None:
    assert len(bytes.fromhex(identity(BODY))) == 16
