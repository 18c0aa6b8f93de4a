"""Sentences of requests, from events as the API server writes them."""

from __future__ import annotations

from typing import Any

import pytest

from k8sidx.events.kinds import plural, singular
from k8sidx.events.sentence import sentence
from tests.building import event, row

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "node-debugger-x"},
    "spec": {
        "hostPID": True,
        "containers": [{"name": "a", "image": "a", "securityContext": {"privileged": True}}],
        "volumes": [{"name": "root", "hostPath": {"path": "/"}}],
    },
}
BINDING = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRoleBinding",
    "metadata": {"name": "x"},
    "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
    "subjects": [{"kind": "Group", "name": "system:unauthenticated"}],
}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (event("get", "secrets", name="db"), "read secret shop/db"),
        (event("list", "secrets"), "listed secrets in shop"),
        (event("list", "secrets", namespace=""), "listed secrets in all namespaces"),
        (event("list", "nodes", namespace=""), "listed nodes"),
        (
            event("create", namespace="default", requestObject=POD, code=201, level="Request"),
            "created pod default/node-debugger-x with hostPID, privileged, hostPath /",
        ),
        (
            event("create", subresource="exec", code=403),
            "denied (403): create pods/exec in shop",
        ),
        (
            event(
                "create", "clusterrolebindings", namespace="", requestObject=BINDING, code=201,
                level="Request",
            ),
            "bound ClusterRole cluster-admin to group system:unauthenticated (cluster-wide)",
        ),
        (event("delete", "deployments", name="web"), "deleted deployment shop/web"),
        (event("deletecollection", "pods"), "deleted all pods in shop"),
        (event("create", name="a", subresource="eviction", code=201), "evicted pod shop/a"),
        (event("get", "namespaces", namespace="shop", name="shop"), "read namespace shop"),
        (event("patch", "nodes", namespace="", name="n", subresource="status"),
         "patched the status of node n"),
        (event("get", name="a", code=7), "denied (7): get pods a in shop"),
        (event("get", name="a", responseStatus={"status": "Failure", "reason": "Forbidden"}),
         "denied (Forbidden): get pods a in shop"),
        (event("get", name="a", code=16), "unauthenticated (16): get pods a in shop"),
        (event("get", name="gone", code=404), "failed (404): get pods gone in shop"),
        (event("get", "secrets", name="db", code=401), "unauthenticated (401): "
         "get secrets db in shop"),
        (
            event("get", name="a", stage="RequestReceived", responseStatus=None,
                  annotations=None),
            "requested, no response logged: get pods a in shop",
        ),
    ],
)  # fmt: skip
def test_sentence_states_verb_object_and_outcome(body: dict[str, Any], text: str) -> None:
    assert sentence(row(body)) == text


def test_sentence_of_an_exec_contains_the_command() -> None:
    body = event(
        "create", name="a", subresource="exec", code=101,
        requestURI="/api/v1/namespaces/shop/pods/a/exec?command=ls&command=%2Ftmp",
    )  # fmt: skip
    assert sentence(row(body)) == "ran a command in pod shop/a: ls /tmp"


@pytest.mark.parametrize(
    ("kind", "resource"),
    [
        ("deploy", "deployments"), ("Deployment", "deployments"), ("pods", "pods"),
        ("netpol", "networkpolicies"), ("NetworkPolicy", "networkpolicies"),
        ("ingress", "ingresses"), ("Gizmo", "gizmos"), ("gizmos", "gizmos"),
        ("deployments.apps", "deployments"), ("endpoints", "endpoints"),
        ("storageclass", "storageclasses"), ("certificates", "certificates"),
    ],
)  # fmt: skip
def test_plural_of_kinds_resources_and_short_names(kind: str, resource: str) -> None:
    assert plural(kind) == resource


@pytest.mark.parametrize(
    ("resource", "kind"),
    [("pods", "pod"), ("networkpolicies", "networkpolicy"), ("ingresses", "ingress"),
     ("endpoints", "endpoints"), ("leases", "lease"), ("storageclasses", "storageclass")],
)  # fmt: skip
def test_singular_of_resources(resource: str, kind: str) -> None:
    assert singular(resource) == kind
