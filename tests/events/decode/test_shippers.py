"""Log shippers and search engines."""

from __future__ import annotations

import json

import pytest

from k8sidx.events.records import Context
from tests.building import event
from tests.events.decode.decoding import (
    DecodedEvent,
    body,
    context,
    packed,
    records,
    skipped,
    the_event,
)

LINE = json.dumps(event())
TIME = "2026-11-23T12:00:00.123Z"


@pytest.mark.parametrize(
    "document",
    [
        {"@timestamp": TIME, "log": LINE},
        {"@timestamp": TIME, "message": LINE, "log": {"offset": 0}, "agent": {"type": "filebeat"}},
        {"timestamp": TIME, "message": LINE, "file": "/var/log/audit.log", "source_type": "file"},
        {"@timestamp": TIME, "event": {"original": LINE}, "message": "see event.original"},
        {"@timestamp": TIME, "log": f"{LINE}\n", "stream": "stdout"},
        {"@timestamp": TIME, "log_processed": event()},
        {"@timestamp": TIME, "kubernetes": {"audit": event()}},
        {"_index": "audit", "_id": "1", "_source": {"@timestamp": TIME, "message": LINE}},
        {"hits": {"total": 1, "hits": [{"_source": {"@timestamp": TIME, "log": LINE}}]}},
        {"preview": False, "result": {"_raw": LINE, "timestamp": TIME}},
        {"timestamp": TIME, "line": LINE, "labels": {"job": "audit"}},
        {"timestamp": TIME, "message": json.dumps({"log": LINE})},
    ],
    ids=[
        "Fluent Bit", "Filebeat", "Vector", "event.original", "Docker", "Merge_Log",
        "Elastic Agent", "hit", "hits", "Splunk", "Loki", "twice",
    ],
)  # fmt: skip
def test_an_event_is_found_with_the_shippers_time(document: object) -> None:
    found = the_event(document)
    assert found.body == event()
    assert found.context == Context(time=TIME)


def test_events_that_were_parsed_to_the_top_level_keep_the_shippers_keys() -> None:
    document = {**event(tag="k8s.audit"), "@timestamp": TIME}
    assert body(document) == document


def test_elastic_agent_names_the_cluster() -> None:
    document = {"orchestrator": {"cluster": {"name": "prod"}}, "kubernetes": {"audit": event()}}
    assert context(document).cluster == "prod"


def test_elastic_agents_annotations_get_their_dots_back() -> None:
    annotations = {
        "authorization_k8s_io/decision": "allow",
        "mutation_webhook_admission_k8s_io/round_0_index_3": "{}",
        "without_a_slash": "x",
    }
    found = body({"kubernetes": {"audit": event(annotations=annotations)}})
    assert found["annotations"] == {
        "authorization.k8s.io/decision": "allow",
        "mutation.webhook.admission.k8s.io/round_0_index_3": "{}",
        "without_a_slash": "x",
    }


@pytest.mark.parametrize(
    "action", [{"create": {"_index": "audit"}}, {"index": {}}, {"delete": {"_id": "1"}}]
)
def test_action_lines_of_bulk_requests_are_skipped(action: dict[str, object]) -> None:
    assert skipped(action) == "bulk action"


def test_datadogs_names_are_put_back() -> None:
    document = {
        "kind": "Event",
        "level": "Request",
        "objectRef": {"resource": "nodes", "subresource": "proxy"},
        "requestURI": "/api/v1/nodes/n1/proxy/pods",
        "http": {"method": "GET", "status_code": 200, "useragent": "kubectl"},
        "usr": {"id": "alice"},
        "network": {"client": {"ip": "203.0.113.7"}},
    }
    found = body(document)
    assert found["verb"] == "get"
    assert found["responseStatus"] == {"code": 200}
    assert found["userAgent"] == "kubectl"
    assert found["user"] == {"username": "alice"}
    assert found["sourceIPs"] == ["203.0.113.7"]
    assert body({"attributes": document}) == found


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("I0102 15:04:05.678901 1 x.go:1] y", "klog line"),
        ("hello", "text line"),
        ("", "empty record"),
        ('{"level":"info"}', "JSON of another kind"),
    ],
)
def test_documents_with_other_lines_are_skipped(message: str, kind: str) -> None:
    assert skipped({"message": message, "@timestamp": TIME}) == kind


def test_a_shipper_may_hold_a_record_of_a_provider() -> None:
    """Filebeat with a line of CloudWatch Logs that holds packed events."""
    subscription = {
        "messageType": "DATA_MESSAGE",
        "logGroup": "/aws/eks/prod/cluster",
        "logStream": "kube-apiserver-audit-1",
        "logEvents": [{"message": LINE, "timestamp": 0}, {"message": LINE, "timestamp": 0}],
    }
    lambda_event = {"awslogs": {"data": packed(subscription)}}
    found = records({"message": json.dumps(lambda_event), "@timestamp": TIME})
    assert len(found) == 2
    for one in found:
        assert isinstance(one, DecodedEvent)
        assert one.body == event()
        assert one.context == Context("eks", "prod", "1970-01-01T00:00:00.000Z")


def test_shippers_say_the_log_group() -> None:
    document = {
        "message": LINE,
        "aws": {"cloudwatch": {"log_group": "/aws/eks/prod/cluster", "log_stream": "x"}},
    }
    assert context(document) == Context("eks", "prod", "")
