"""Events as the API server writes and posts them, and their look-alikes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from k8sidx.errors import Where
from k8sidx.events.records import Context, Rejected
from tests.building import SHARED, event
from tests.events.decode.decoding import (
    DecodedEvent,
    body,
    context,
    file_records,
    records,
    rejected,
    skipped,
    the_event,
)


def test_a_line_of_the_log_is_its_event() -> None:
    assert records(event()) == [DecodedEvent(event(), Context(), Where("test.log", 1))]


def test_lines_keep_their_order_and_numbers(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    lines = [json.dumps(event(name=str(number))) for number in range(3)]
    path.write_text("\n".join(["text", *lines, "{", "I0102 15:04:05.6 x"]), "utf-8")
    assert [(type(one).__name__, one.where.record) for one in file_records(path)] == [
        ("Skipped", 1),
        ("DecodedEvent", 2),
        ("DecodedEvent", 3),
        ("DecodedEvent", 4),
        ("Rejected", 5),
        ("Skipped", 6),
    ]


def test_items_of_a_list_need_neither_kind_nor_version() -> None:
    items = [event(kind=None, apiVersion=None, name=str(number)) for number in range(3)]
    posted = {"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "metadata": {}, "items": items}
    assert [one.body for one in records(posted) if isinstance(one, DecodedEvent)] == items


def test_a_bad_item_is_rejected_alone_with_what_is_around_it() -> None:
    good = event(kind=None, apiVersion=None)
    posted = {"kind": "EventList", "items": [good, '{"auditID":"1', good]}
    first, bad, last = records(posted)
    assert isinstance(first, DecodedEvent)
    assert isinstance(last, DecodedEvent)
    assert isinstance(bad, Rejected)
    assert json.loads(bad.raw) == {"kind": "EventList", "items": ['{"auditID":"1']}


def test_an_empty_list_is_skipped() -> None:
    assert skipped({"kind": "EventList", "items": []}) == "empty list"
    assert skipped([]) == "empty list"


def test_an_array_is_its_elements() -> None:
    assert len(records([event(), [event()], json.dumps(event())])) == 3


@pytest.mark.parametrize("version", ["v1beta1", "v1alpha1"])
def test_older_versions_are_converted(version: str) -> None:
    old = event(
        apiVersion=f"audit.k8s.io/{version}",
        timestamp="2018-10-26T13:38:34Z",
        metadata={"creationTimestamp": "2018-10-26T13:38:34Z"},
    )
    assert the_event(old)[:2] == (event(), Context())


def test_the_timestamp_of_older_versions_is_the_time_when_there_is_no_other() -> None:
    old = event(
        apiVersion="audit.k8s.io/v1beta1",
        stageTimestamp=None,
        requestReceivedTimestamp=None,
        metadata={"creationTimestamp": "2018-10-26T13:38:34Z"},
    )
    assert context(old).time == "2018-10-26T13:38:34Z"


def test_v1alpha1_has_the_group_in_the_version_of_the_object() -> None:
    reference = {"resource": "deployments", "apiVersion": "apps/v1beta1"}
    old = event(apiVersion="audit.k8s.io/v1alpha1", objectRef=reference)
    assert body(old)["objectRef"] == {
        "resource": "deployments",
        "apiGroup": "apps",
        "apiVersion": "v1beta1",
    }


@pytest.mark.parametrize(
    "short",
    [
        {"auditID": "1", "stage": "Panic"},
        {"kind": "Event", "apiVersion": "audit.k8s.io/v1"},
        {"kind": "Event", "apiVersion": "audit.k8s.io/v1", "user": {}, "sourceIPs": []},
        {"kind": "Event", "verb": "create", "objectRef": {"resource": "pods"}},
        {"verb": "get", "user": {"username": "a"}, "requestURI": "/version"},
        {"verb": "get", "user": {"username": "a"}, "objectRef": {}},
        {"auditID": {"odd": 1}, "stage": 5},
    ],
)
def test_short_and_odd_events_are_events(short: dict[str, object]) -> None:
    assert body(short) == short


def test_members_that_are_null_are_missing() -> None:
    short = {"auditID": {"odd": 1}, "stage": 5, "objectRef": {"name": "web"}}
    nulls = {"verb": None, "user": None, "objectRef": {"name": "web", "uid": None}}
    assert body({**short, **nulls}) == body(short) == short


def test_the_shippers_time_stands_in_for_one_that_is_missing() -> None:
    short = {"kind": "Event", "verb": "get", "@timestamp": "2026-11-23T12:00:00Z"}
    assert context(short).time == "2026-11-23T12:00:00Z"


def test_keys_of_shippers_stay_beside_those_of_the_event() -> None:
    more = {"@timestamp": "2026-11-23T12:00:00Z", "tag": "k8s.audit", "hostname": "cp-1"}
    assert body({**event(), **more}) == {**event(), **more}


@pytest.mark.parametrize(
    "other",
    [
        {"kind": "Event", "apiVersion": "v1", "involvedObject": {}, "reason": "Killing"},
        {"kind": "Event", "apiVersion": "events.k8s.io/v1", "regarding": {}, "action": "x"},
        {"kind": "EventList", "apiVersion": "v1", "items": [{"involvedObject": {}}]},
        {"kind": "EventList", "apiVersion": "events.k8s.io/v1", "items": [{}]},
    ],
)
def test_an_event_of_the_events_api_is_no_audit_event(other: dict[str, object]) -> None:
    assert skipped(other) == "Kubernetes Event object"


@pytest.mark.parametrize(
    "other",
    [
        {
            "auditID": "1",
            "requestURI": "/v3/clusters",
            "method": "GET",
            "remoteAddr": "10.0.0.1:4711",
            "responseCode": 200,
        },
        {
            "auditID": "1",
            "requestURI": "/v3/schemas",
            "user": {"name": "user-1", "group": ["system:authenticated"]},
            "verb": "GET",
            "stage": "RequestReceived",
            "stageTimestamp": "2026-11-23 12:00:00 +0000",
        },
    ],
)
def test_ranchers_log_of_its_own_api_is_another_format(other: dict[str, object]) -> None:
    assert skipped(other) == "Rancher API audit log"


def test_an_alert_of_falco_is_no_audit_event() -> None:
    alert = {"output": "…", "priority": "Warning", "rule": "x", "output_fields": {"ka.verb": "get"}}
    assert skipped(alert) == "Falco alert"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b"I0102 15:04:05.678901       1 trace.go:236] Trace[1]: ---", "klog line"),
        (b'E0102 15:04:05.678901       1 x.go:1] "msg" obj={"a":1}', "klog line"),
        (b"Starting kube-apiserver", "text line"),
        (
            b'2017-03-21T03:57:09.106841886-04:00 AUDIT: id="c9" ip="127.0.0.1" method="GET"',
            "audit line in the legacy text format",
        ),
    ],
)
def test_lines_of_other_logs_are_skipped(line: bytes, kind: str) -> None:
    assert skipped(line) == kind


@pytest.mark.parametrize(
    ("prefix", "time"),
    [
        (b"2026-11-23T12:00:00.123Z ", "2026-11-23T12:00:00.123Z"),
        (b"2026-11-23T12:00:00.123456789Z stdout F ", "2026-11-23T12:00:00.123456789Z"),
        (b"2026-11-23T12:00:00+01:00 kube-apiserver-audit-1 ", "2026-11-23T12:00:00+01:00"),
        (b"Nov 23 12:00:00 cp-1 audit: ", ""),
        (b"[pod/kube-apiserver-cp-1/kube-apiserver] ", ""),
    ],
)
def test_an_event_is_found_after_a_time_or_a_name(prefix: bytes, time: str) -> None:
    """Exports of CloudWatch, container logs, syslog, kubectl logs --prefix."""
    found = the_event(prefix + json.dumps(event()).encode())
    assert found.body == event()
    assert found.context.time == time


def test_an_event_that_is_cut_after_a_prefix_is_rejected() -> None:
    line = b"2026-11-23T12:00:00.123Z " + json.dumps(event()).encode()[:250]
    assert rejected(line).reason == "the record is cut: its JSON ends early"
    assert rejected(line).raw == line


@pytest.mark.skipif(not SHARED.exists(), reason="there is no recorded log beside the checkout")
@pytest.mark.parametrize("name", ["baseline", "attacks", "everything"])
def test_every_line_of_a_real_log_is_an_event(name: str) -> None:
    found = file_records(SHARED / "data" / "apiserver" / f"{name}.ndjson.gz")
    assert len(found) > 700
    assert all(isinstance(one, DecodedEvent) for one in found)


@pytest.mark.skipif(not SHARED.exists(), reason="there are no recorded batches beside the checkout")
def test_every_item_of_a_real_webhook_batch_is_an_event() -> None:
    for batch in sorted((SHARED / "data" / "apiserver" / "webhook").glob("*.json.gz")):
        found = file_records(batch)
        assert found
        assert all(isinstance(one, DecodedEvent) for one in found)
