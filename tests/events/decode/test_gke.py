"""Cloud Audit Logs entries of GKE → audit.k8s.io/v1."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest

from k8sidx.events.records import Context
from tests.building import event
from tests.events.decode.decoding import body, context, skipped, the_event

TIME = "2026-11-23T12:00:00.123456Z"


def entry(
    method: str = "io.k8s.core.v1.pods.create",
    resource: str = "core/v1/namespaces/shop/pods/web-0",
    payload: dict[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    made = {
        "insertId": "11111111-2222-3333-4444-555555555555",
        "labels": {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": ""},
        "logName": "projects/acme/logs/cloudaudit.googleapis.com%2Factivity",
        "operation": {"id": "op", "producer": "k8s.io", "first": True, "last": True},
        "protoPayload": {
            "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
            "authenticationInfo": {"principalEmail": "alice@example.com"},
            "methodName": method,
            "requestMetadata": {
                "callerIp": "203.0.113.7",
                "callerSuppliedUserAgent": "kubectl/v1.37.2",
            },
            "resourceName": resource,
            "serviceName": "k8s.io",
            "status": {},
            **(payload or {}),
        },
        "receiveTimestamp": "2026-11-23T12:05:00Z",
        "resource": {"type": "k8s_cluster", "labels": {"cluster_name": "prod-eu"}},
        "timestamp": TIME,
        **more,
    }
    return {key: value for key, value in made.items() if value is not None}


def test_an_entry_becomes_an_event_that_says_no_more_than_it() -> None:
    request = {"@type": "core.k8s.io/v1.Pod", "apiVersion": "v1", "kind": "Pod", "spec": {}}
    found = the_event(entry(payload={"request": request}))
    assert found.context == Context("gke", "prod-eu", TIME)
    assert found.body == {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "RequestResponse",
        "auditID": "11111111-2222-3333-4444-555555555555",
        "stage": "ResponseComplete",
        "requestURI": "/api/v1/namespaces/shop/pods/web-0",
        "verb": "create",
        "user": {"username": "alice@example.com"},
        "sourceIPs": ["203.0.113.7"],
        "userAgent": "kubectl/v1.37.2",
        "objectRef": {
            "resource": "pods",
            "apiVersion": "v1",
            "namespace": "shop",
            "name": "web-0",
        },
        "responseStatus": {"code": 200},
        "requestObject": {"apiVersion": "v1", "kind": "Pod", "spec": {}},
        "requestReceivedTimestamp": TIME,
        "stageTimestamp": TIME,
        "annotations": {
            "authorization.k8s.io/decision": "allow",
            "authorization.k8s.io/reason": "",
        },
    }


@pytest.mark.parametrize(
    ("method", "resource", "reference", "uri"),
    [
        (
            "io.k8s.core.v1.pods.exec.create",
            "core/v1/namespaces/shop/pods/web-0/exec",
            {"resource": "pods", "subresource": "exec", "namespace": "shop", "name": "web-0"},
            "/api/v1/namespaces/shop/pods/web-0/exec",
        ),
        (
            "io.k8s.core.v1.pods.list",
            "core/v1/namespaces/shop/pods",
            {"resource": "pods", "namespace": "shop"},
            "/api/v1/namespaces/shop/pods",
        ),
        (
            "io.k8s.core.v1.secrets.list",
            "core/v1/secrets",
            {"resource": "secrets"},
            "/api/v1/secrets",
        ),
        (
            "io.k8s.core.v1.nodes.proxy.get",
            "core/v1/nodes/n1/proxy",
            {"resource": "nodes", "subresource": "proxy", "name": "n1"},
            "/api/v1/nodes/n1/proxy",
        ),
        (
            "io.k8s.core.v1.namespaces.finalize.update",
            "core/v1/namespaces/shop/finalize",
            {
                "resource": "namespaces",
                "subresource": "finalize",
                "namespace": "shop",
                "name": "shop",
            },
            "/api/v1/namespaces/shop/finalize",
        ),
        (
            "io.k8s.core.v1.namespaces.list",
            "core/v1/namespaces",
            {"resource": "namespaces"},
            "/api/v1/namespaces",
        ),
        (
            "io.k8s.authorization.rbac.v1.clusterrolebindings.create",
            "rbac.authorization.k8s.io/v1/clusterrolebindings/admin",
            {
                "resource": "clusterrolebindings",
                "apiGroup": "rbac.authorization.k8s.io",
                "name": "admin",
            },
            "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/admin",
        ),
        (
            "com.example.shop.v1.carts.deletecollection",
            "shop.example.com/v1/namespaces/a/carts",
            {"resource": "carts", "apiGroup": "shop.example.com", "namespace": "a"},
            "/apis/shop.example.com/v1/namespaces/a/carts",
        ),
    ],
)
def test_the_method_says_what_is_resource_and_what_part_of_it(
    method: str, resource: str, reference: dict[str, str], uri: str
) -> None:
    found = body(entry(method, resource))
    assert found["objectRef"] == {"apiVersion": "v1", **reference}
    assert found["requestURI"] == uri
    assert found["verb"] == method.rpartition(".")[2]


@pytest.mark.parametrize("resource", ["readyz", "/readyz"])
def test_a_path_that_is_no_resource_is_the_uri(resource: str) -> None:
    found = body(entry("io.k8s.get", resource))
    assert found["requestURI"] == "/readyz"
    assert found["verb"] == "get"
    assert "objectRef" not in found


def test_without_a_resource_name_the_method_still_says_the_resource() -> None:
    found = body(entry(resource=""))
    assert found["objectRef"] == {"resource": "pods", "apiVersion": "v1"}
    assert "requestURI" not in found


@pytest.mark.parametrize(
    ("info", "users"),
    [
        ({"principalEmail": "a@example.com"}, {"user": {"username": "a@example.com"}}),
        (
            {"principalSubject": "principal://iam/x"},
            {"user": {"username": "principal://iam/x"}},
        ),
        ({"authoritySelector": "bob"}, {"user": {"username": "bob"}}),
        (
            {"principalEmail": "a@example.com", "authoritySelector": "system:admin"},
            {
                "user": {"username": "a@example.com"},
                "impersonatedUser": {"username": "system:admin"},
            },
        ),
        ({}, {}),
    ],
)
def test_who_it_was(info: dict[str, str], users: dict[str, Any]) -> None:
    found = body(entry(payload={"authenticationInfo": info}))
    assert {key: found[key] for key in ("user", "impersonatedUser") if key in found} == users


@pytest.mark.parametrize(
    ("grpc", "http"),
    [(0, 200), (3, 400), (5, 404), (6, 409), (7, 403), (8, 429), (9, 400), (10, 409), (13, 500),
     (14, 503), (16, 401)],
)  # fmt: skip
def test_grpc_codes_become_http_codes(grpc: int, http: int) -> None:
    status = body(entry(payload={"status": {"code": grpc, "message": "why"}}))["responseStatus"]
    assert status["code"] == http
    assert status["message"] == "why"
    assert status.get("status") == (None if grpc == 0 else "Failure")


def test_a_failure_in_the_response_counts_more_than_code_0() -> None:
    response = {"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404}
    found = body(entry(payload={"response": response}))
    assert found["responseStatus"] == {"status": "Failure", "reason": "NotFound", "code": 404}
    response.pop("code")
    assert "code" not in body(entry(payload={"response": response}))["responseStatus"]


def test_without_a_status_a_call_that_was_refused_has_no_code() -> None:
    payload = {"status": None, "authorizationInfo": [{"granted": False}]}
    assert "responseStatus" not in body(entry(payload=payload, labels=None))


@pytest.mark.parametrize(
    ("labels", "granted", "decision"),
    [
        ({"authorization.k8s.io/decision": "allow"}, [False], "allow"),
        (None, [True], "allow"),
        (None, [True, False], "forbid"),
        (None, [None], "forbid"),  # proto3 leaves a false value out
        (None, [], None),
    ],
)
def test_the_decision_is_the_label_else_what_was_granted(
    labels: dict[str, str] | None, granted: list[bool | None], decision: str | None
) -> None:
    infos = [{"permission": "x"} if one is None else {"granted": one} for one in granted]
    found = body(entry(payload={"authorizationInfo": infos}, labels=labels))
    assert found.get("annotations", {}).get("authorization.k8s.io/decision") == decision


@pytest.mark.parametrize(
    ("operation", "stage", "staged"),
    [
        ({"first": True, "last": True}, "ResponseComplete", TIME),
        ({"first": True}, "ResponseStarted", TIME),
        ({"last": True}, "ResponseComplete", None),
        (None, "ResponseComplete", TIME),
    ],
)
def test_stages_of_long_running_calls(
    operation: dict[str, bool] | None, stage: str, staged: str | None
) -> None:
    found = body(entry(operation=operation))
    assert (found["stage"], found.get("stageTimestamp")) == (stage, staged)
    assert found["requestReceivedTimestamp"] == TIME


@pytest.mark.parametrize(
    ("labels", "query"),
    [
        ({"command.gke.io/command": "sh -c id & x"}, "?command=sh%20-c%20id%20%26%20x"),
        ({"command.gke.io/command": '["sh","-c","id"]'}, "?command=sh&command=-c&command=id"),
        ({"command.gke.io/dryRun": "true"}, "?dryRun=All"),
        ({"command.gke.io/dryRun": "false"}, ""),
    ],
)
def test_what_gke_notes_in_labels_is_put_back_into_the_uri(
    labels: dict[str, str], query: str
) -> None:
    found = body(
        entry("io.k8s.core.v1.pods.exec.create", "core/v1/namespaces/a/pods/b/exec", labels=labels)
    )
    assert found["requestURI"] == "/api/v1/namespaces/a/pods/b/exec" + query
    assert "annotations" not in found


def test_the_type_of_a_body_is_its_kind() -> None:
    found = body(entry(payload={"request": {"@type": "core.k8s.io/v1.Pod", "spec": {}}}))
    assert found["requestObject"] == {"kind": "Pod", "spec": {}}
    found = body(entry(payload={"request": {"@type": "k8s.io/Patch", "spec": {}}}))
    assert found["requestObject"] == {"@type": "k8s.io/Patch", "spec": {}}


@pytest.mark.parametrize(
    "wrapped",
    [
        {"data": entry(), "publish_time": 1655278057.0},
        {
            "receivedMessages": [
                {
                    "ackId": "x",
                    "message": {"data": b64encode(json.dumps(entry()).encode()).decode()},
                }
            ]
        },
        {
            "subscription": "projects/acme/subscriptions/audit",
            "message": {
                "data": b64encode(json.dumps(entry()).encode()).decode(),
                "messageId": "1",
            },
        },
        {"entries": [entry()], "nextPageToken": "x"},
        [entry()],
    ],
    ids=["splunk", "pull", "push", "entries.list", "gcloud logging read"],
)
def test_an_entry_is_found_in_what_carries_it(wrapped: object) -> None:
    assert the_event(wrapped) == the_event(entry())


def test_calls_of_other_services_are_skipped() -> None:
    other = entry(payload={"serviceName": "container.googleapis.com"})
    assert skipped(other) == "Cloud Audit Logs entry of another service"


def test_entries_of_other_logs_are_skipped() -> None:
    other = entry(protoPayload=None, textPayload="hello")
    assert skipped(other) == "Cloud Logging entry of another log"


def test_an_event_that_an_agent_sent_to_cloud_logging_is_one() -> None:
    sent = entry(protoPayload=None, jsonPayload=event())
    assert body(sent) == event()
    assert context(sent) == Context("kube-apiserver", "prod-eu", TIME)
