"""Amazon EKS through CloudWatch Logs, Firehose, Kinesis and Lambda."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from k8sidx.events.records import Context, Rejected, Skipped
from tests.building import event
from tests.events.decode.decoding import (
    DecodedEvent,
    file_records,
    packed,
    records,
    rejected,
    skipped,
    the_event,
)

GROUP, STREAM = "/aws/eks/prod-eu/cluster", "kube-apiserver-audit-0123456789abcdef"
MILLISECONDS = 1_795_435_200_123
TIME = "2026-11-23T12:00:00.123Z"
EKS = Context("eks", "prod-eu", TIME)


def log_event(message: object, **more: object) -> dict[str, object]:
    text = message if isinstance(message, str) else json.dumps(message)
    return {"id": "3568", "timestamp": MILLISECONDS, "message": text, **more}


def subscription(*messages: object, **more: object) -> dict[str, object]:
    return {
        "messageType": "DATA_MESSAGE",
        "owner": "123456789012",
        "logGroup": GROUP,
        "logStream": STREAM,
        "subscriptionFilters": ["audit"],
        "logEvents": [log_event(message) for message in messages],
        **more,
    }


ROW = [
    {"field": "@timestamp", "value": "2026-11-23 12:00:00.123"},
    {"field": "@log", "value": f"123456789012:{GROUP}"},
    {"field": "@message", "value": json.dumps(event())},
    {"field": "@ptr", "value": "x"},
]


@pytest.mark.parametrize(
    "record",
    [
        subscription(event()),
        subscription(event(), policyLevel="ACCOUNT_LEVEL_POLICY"),
        {"awslogs": {"data": packed(subscription(event()))}},
        {"requestId": "r", "timestamp": 1, "records": [{"data": packed(subscription(event()))}]},
        {"Records": [{"kinesis": {"data": packed(subscription(event()))}}]},
        {"results": [ROW], "status": "Complete"},
        ROW,
        [{"@timestamp": "2026-11-23 12:00:00.123", "@log": GROUP, "@message": event()}],
    ],
    ids=["subscription", "account", "lambda", "firehose", "kinesis", "insights", "row", "console"],
)
def test_an_event_is_found_with_its_cluster_and_time(record: object) -> None:
    found = the_event(record)
    assert found.body == event()
    assert found.context == EKS


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (
            {"events": [log_event(event(), logStreamName=STREAM)], "searchedLogStreams": []},
            Context("eks", "", TIME),
        ),
        ({"events": [log_event(event())], "nextForwardToken": "f/1"}, Context(time=TIME)),
    ],
    ids=["filter-log-events", "get-log-events"],
)
def test_answers_of_the_command_line_tool_name_no_cluster(
    answer: dict[str, Any], found: Context
) -> None:
    assert the_event(answer).context == found


def test_other_log_groups_name_no_cluster() -> None:
    record = subscription(event(), logGroup="/my/cluster", logStream="cp-1")
    assert the_event(record).context == Context(time=TIME)


def test_objects_of_firehose_stand_back_to_back(tmp_path: Path) -> None:
    path = tmp_path / "firehose-1"
    record = json.dumps(subscription(event(), event(name="web-1")))
    path.write_text(record * 3, "utf-8")
    found = file_records(path)
    assert len(found) == 6
    assert all(isinstance(one, DecodedEvent) and one.context == EKS for one in found)


def test_data_of_firehose_may_be_plain_lines() -> None:
    lines = "\n".join(["I0102 15:04:05.6 x", json.dumps(event()), json.dumps(event())])
    record = {"records": [{"data": b64encode(lines.encode()).decode()}]}
    assert [type(one) for one in records(record)] == [Skipped, DecodedEvent, DecodedEvent]


def test_a_control_message_is_skipped() -> None:
    record = subscription("CWL CONTROL MESSAGE: Checking health", messageType="CONTROL_MESSAGE")
    assert skipped(record) == "CloudWatch control message"


def test_lines_of_other_streams_are_skipped() -> None:
    record = subscription("I0102 15:04:05.678901 1 x.go:1] y", logStream="kube-scheduler-1")
    assert skipped(record) == "klog line"


def test_a_row_without_the_message_is_skipped() -> None:
    assert skipped([ROW[0], ROW[3]]) == "Logs Insights row without @message"


def test_a_message_that_is_cut_is_rejected_so_that_it_can_be_shipped_again() -> None:
    cut = json.dumps(event())[:200] + " [Truncated...]"
    record = subscription(event(), cut, event())
    first, bad, last = records(record)
    assert isinstance(first, DecodedEvent)
    assert isinstance(last, DecodedEvent)
    assert isinstance(bad, Rejected)
    assert bad.reason == "the record was cut by the provider ([Truncated...])"
    assert json.loads(bad.raw) == subscription(cut)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("not Base64!", "the data of the record is not Base64"),
        ("é", "the data of the record is not Base64"),
        (packed(subscription(event()))[:400], "the gzip stream ends early"),
    ],
)
def test_data_that_cannot_be_unpacked_is_rejected(data: str, reason: str) -> None:
    assert reason in rejected({"awslogs": {"data": data}}).reason


@pytest.mark.parametrize("time", [None, -1, "x", 10**30, True, 1.5])
def test_odd_times_are_no_time(time: object) -> None:
    record = subscription()
    record["logEvents"] = [{"message": json.dumps(event()), "timestamp": time}]
    assert the_event(record).context.time == ""


def test_a_row_of_sentinel_has_the_cluster_and_the_time_in_its_columns() -> None:
    row = {
        "TimeGenerated": TIME, "AwsAccountId": "123456789012", "ClusterName": "prod-eu",
        "Verb": "get", "RawEvent": json.dumps(event()), "Type": "AWSEKSLogs_CL",
    }  # fmt: skip
    made = the_event(json.dumps(row))
    assert made.context == EKS
    assert made.body == event()
