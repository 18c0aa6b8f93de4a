"""What controllers make of a workload is told at the person who made it, and once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from k8sidx.errors import InvalidHunt
from tests.building import event
from tests.hunt.run_hunt import results, sigma

BLOCK = (
    "level: high\nk8sidx: {finding_by: [user.effective.name, user.controller, "
    "objectRef.namespace, pod.workload], echoes_of: [objectRef.namespace, pod.workload]}"
)
PRIVILEGED = sigma("{s: {pod.privileged: true}, condition: s}", more=BLOCK)
SPEC = {"containers": [{"name": "c", "securityContext": {"privileged": True}}]}
CONTROLLERS = "system:serviceaccount:kube-system:"


def owned(kind: str, name: str, **labels: str) -> dict[str, Any]:
    return {
        "labels": labels,
        "ownerReferences": [{"kind": kind, "name": name, "controller": True}],
    }


def deployment(user: str = "alice", **more: Any) -> dict[str, Any]:
    body = {"metadata": {"name": "web"}, "spec": {"template": {"spec": SPEC}}}
    return event("create", "deployments", user=user, name="web", requestObject=body, **more)


def replica_set() -> dict[str, Any]:
    body = {"metadata": owned("Deployment", "web"), "spec": {"template": {"spec": SPEC}}}
    user = f"{CONTROLLERS}deployment-controller"
    return event("create", "replicasets", user=user, name="web-5cf", requestObject=body)


def pod(user: str = f"{CONTROLLERS}replicaset-controller", **more: Any) -> dict[str, Any]:
    metadata = owned("ReplicaSet", "web-5cf", **{"pod-template-hash": "5cf"})
    body = {"metadata": metadata, "spec": SPEC}
    return event("create", "pods", user=user, requestObject=body, **more)


def found(folder: Path, *events: dict[str, Any]) -> list[tuple[Any, str]]:
    findings = results(folder, events, PRIVILEGED).findings
    return [(one.key["user.effective.name"], one.level) for one in findings]


def test_the_person_is_found_and_the_controllers_are_not(tmp_path: Path) -> None:
    events = (deployment(), replica_set(), pod(), pod(seconds=3))
    assert found(tmp_path, *events) == [("alice", "high")]
    assert len(results(tmp_path / "again", events, PRIVILEGED).rows) == 1


def test_pods_of_a_workload_that_nobody_is_seen_to_make_are_low(tmp_path: Path) -> None:
    assert found(tmp_path, pod()) == [(f"{CONTROLLERS}replicaset-controller", "low")]


def test_the_same_name_in_another_namespace_is_another_workload(tmp_path: Path) -> None:
    levels = dict(found(tmp_path, deployment(), pod(namespace="pay")))
    assert levels == {"alice": "high", f"{CONTROLLERS}replicaset-controller": "low"}


def test_without_a_name_nothing_is_the_same_workload(tmp_path: Path) -> None:
    nameless = event("create", requestObject={"spec": SPEC})
    made = event("create", user=f"{CONTROLLERS}replicaset-controller", requestObject={"spec": SPEC})
    levels = dict(found(tmp_path, nameless, made))
    assert levels == {"alice": "high", f"{CONTROLLERS}replicaset-controller": "low"}


def test_a_pod_that_merely_claims_an_owner_is_found(tmp_path: Path) -> None:
    events = (deployment(), pod(user="mallory"), pod())
    assert sorted(found(tmp_path, *events)) == [("alice", "high"), ("mallory", "high")]


def test_impersonating_a_controller_hides_nothing(tmp_path: Path) -> None:
    controller = f"{CONTROLLERS}replicaset-controller"
    acting = pod(user="mallory", impersonatedUser={"username": controller})
    assert found(tmp_path, deployment(), acting) == [("alice", "high"), (controller, "high")]


def test_what_tells_the_workload_is_part_of_the_key() -> None:
    with pytest.raises(InvalidHunt, match="echoes_of"):
        sigma("{s: {verb: get}, condition: s}", more="k8sidx: {echoes_of: [pod.workload]}")
