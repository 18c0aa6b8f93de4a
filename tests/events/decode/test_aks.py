"""Azure Kubernetes Service: diagnostic settings."""

from __future__ import annotations

import json
from typing import Any

import pytest

from k8sidx.events.records import Context
from tests.building import event
from tests.events.decode.decoding import body, records, rejected, skipped, the_event

RESOURCE = (
    "/SUBSCRIPTIONS/1/RESOURCEGROUPS/G/PROVIDERS/MICROSOFT.CONTAINERSERVICE/MANAGEDCLUSTERS/PROD"
)
TIME = "2026-11-23T12:00:00.1234567Z"
AKS = Context("aks", "prod", TIME)


def record(log: object, category: str = "kube-audit") -> dict[str, Any]:
    return {
        "category": category,
        "operationName": "Microsoft.ContainerService/managedClusters/diagnosticLogs/Read",
        "properties": {"log": log, "pod": "kube-apiserver-1", "stream": "stdout"},
        "resourceId": RESOURCE,
        "time": TIME,
    }


ROW = {
    "TimeGenerated": TIME,
    "AuditId": "1",
    "Level": "Metadata",
    "Stage": "ResponseComplete",
    "RequestUri": "/api/v1/namespaces/shop/pods",
    "Verb": "create",
    "User": {"username": "alice"},
    "SourceIps": ["203.0.113.7"],
    "UserAgent": "kubectl",
    "ObjectRef": {"resource": "pods", "namespace": "shop"},
    "ResponseStatus": {"code": 201},
    "RequestReceivedTime": "2026-11-23T12:00:00.100000Z",
    "StageReceivedTime": "2026-11-23T12:00:00.200000Z",
    "Annotations": {"authorization.k8s.io/decision": "allow"},
    "RequestObject": "skipped-too-big-size-object",
    "PodName": "kube-apiserver-1",
    "_ResourceId": RESOURCE,
    "Type": "AKSAudit",
}
ROW_EVENT = {
    "kind": "Event",
    "apiVersion": "audit.k8s.io/v1",
    "auditID": "1",
    "level": "Metadata",
    "stage": "ResponseComplete",
    "requestURI": "/api/v1/namespaces/shop/pods",
    "verb": "create",
    "user": {"username": "alice"},
    "sourceIPs": ["203.0.113.7"],
    "userAgent": "kubectl",
    "objectRef": {"resource": "pods", "namespace": "shop"},
    "responseStatus": {"code": 201},
    "requestObject": "skipped-too-big-size-object",
    "requestReceivedTimestamp": "2026-11-23T12:00:00.100000Z",
    "stageTimestamp": "2026-11-23T12:00:00.200000Z",
    "annotations": {"authorization.k8s.io/decision": "allow"},
}


@pytest.mark.parametrize(
    "written",
    [
        record(json.dumps(event())),
        record(event(), "kube-audit-admin"),
        {"records": [record(json.dumps(event()))]},
        {
            "TimeGenerated": TIME,
            "ResourceId": RESOURCE,
            "Category": "kube-audit",
            "log_s": json.dumps(event()),
            "Type": "AzureDiagnostics",
        },
        {
            "@timestamp": TIME,
            "azure": {
                "resource": {"id": RESOURCE},
                "platformlogs": {"category": "kube-audit", "properties": {"log": event()}},
            },
        },
        {
            "@timestamp": TIME,
            "message": json.dumps(event()),
            "azure": {"resource": {"id": RESOURCE}, "platformlogs": {"category": "kube-audit"}},
        },
        record(None) | {"event": {"original": json.dumps(event())}},
    ],
    ids=[
        "storage",
        "object",
        "event hub",
        "AzureDiagnostics",
        "Elastic Agent",
        "Filebeat",
        "its text elsewhere",
    ],
)
def test_an_event_is_found_with_its_cluster_and_time(written: object) -> None:
    found = the_event(written)
    assert (found.body, found.context) == (event(), AKS)


def test_a_row_of_the_audit_table_is_an_event() -> None:
    found = the_event(ROW)
    assert (found.body, found.context) == (ROW_EVENT, AKS)


def test_dynamic_columns_may_be_text() -> None:
    """As ``az monitor log-analytics query`` and exports to CSV write them."""
    dynamic = {key: json.dumps(value) for key, value in ROW.items() if type(value) in (dict, list)}
    assert body({**ROW, **dynamic}) == ROW_EVENT
    assert body({**ROW, "User": "{cut"})["user"] == "{cut"


def test_an_answer_of_the_query_api_is_its_rows() -> None:
    table = {
        "name": "PrimaryResult",
        "columns": [{"name": key, "type": "dynamic"} for key in ROW],
        "rows": [list(ROW.values()), list(ROW.values())],
    }
    assert [one[0] for one in records({"tables": [table]})] == [ROW_EVENT, ROW_EVENT]


@pytest.mark.parametrize("category", ["kube-apiserver", "guard", "cluster-autoscaler"])
def test_other_categories_are_skipped(category: str) -> None:
    other = record("I0102 15:04:05.678901 1 x.go:1] y", category)
    assert skipped(other) == "AKS log of another category"


def test_an_event_that_is_cut_is_rejected_with_its_record() -> None:
    """AKS cuts the text at 16 KiB; the record around it stays valid."""
    cut = record(json.dumps(event())[:300])
    found = rejected({"records": [record(event()), cut]}["records"][1])
    assert found.reason == "the record is cut: its JSON ends early"
    assert json.loads(found.raw) == cut


def test_a_record_without_its_log_is_rejected() -> None:
    assert "no properties.log" in rejected(record(None)).reason


def test_a_diagnostics_row_with_its_properties_flattened_has_its_cluster() -> None:
    row = {"Category": "kube-audit", "ResourceId": RESOURCE, "TimeGenerated": TIME,
           "properties_log_s": json.dumps(event())}  # fmt: skip
    assert the_event(json.dumps(row)).context == AKS


def test_a_row_of_operator_nexus_is_an_event() -> None:
    """NCCKubernetesAPIAuditLogs has the status code alone, and its time is that of the stage."""
    row = {
        "AuditId": "1", "ClusterName": "edge", "Location": "eastus", "Verb": "get",
        "Stage": "ResponseComplete", "RequestUri": "/api/v1/pods", "User": "alice",
        "SourceIps": '["203.0.113.7"]', "UserAgent": "kubectl", "ResponseStatusCode": 403,
        "ObjectRef": '{"resource":"pods"}', "TimeGenerated": "2026-11-23T12:00:00.200000Z",
        "RequestReceivedTimestamp": "2026-11-23T12:00:00.100000Z",
        "_ResourceId": "/subscriptions/1/providers/microsoft.networkcloud/clusters/edge",
    }  # fmt: skip
    made = the_event(json.dumps(row))
    assert made.context.cluster == "edge"
    assert made.body["objectRef"] == {"resource": "pods"}
    assert made.body["responseStatus"] == {"code": 403}
    assert made.body["user"] == {"username": "alice"}
    assert made.body["stageTimestamp"] == "2026-11-23T12:00:00.200000Z"
    assert made.body["requestReceivedTimestamp"] == "2026-11-23T12:00:00.100000Z"
