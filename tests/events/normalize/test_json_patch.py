"""A JSON patch says what it asks for, whatever else stands in it."""

from __future__ import annotations

from typing import Any

import pytest

from k8sidx.events.normalize.json_patch import DEPTH, OPERATIONS_KEPT, patched
from tests.building import event, row


def add(path: str, value: Any = True) -> dict[str, Any]:
    return {"op": "add", "path": path, "value": value}


@pytest.mark.parametrize(
    ("operations", "made"),
    [
        (
            [add("/spec/hostPID"), add("/spec/hostIPC")],
            {"spec": {"hostPID": True, "hostIPC": True}},
        ),
        ([add("/spec/volumes/-", {"name": "v"})], {"spec": {"volumes": [{"name": "v"}]}}),
        (
            [add("/spec/containers/0/image", "a"), add("/spec/containers/0/name", "b")],
            {"spec": {"containers": [{"image": "a", "name": "b"}]}},
        ),
        (
            [add("/spec/containers/0/image", "a"), add("/spec/containers/1/image", "b")],
            {"spec": {"containers": [{"image": "a"}, {"image": "b"}]}},
        ),
        ([add("/metadata/labels/a~1b~0c", "x")], {"metadata": {"labels": {"a/b~c": "x"}}}),
        ([{"op": "remove", "path": "/spec/tls"}], {"spec": {"tls": None}}),
        ([add("", {"spec": {}})], {"spec": {}}),
        ([{"op": "test", "path": "/a", "value": 1}], {}),
    ],
)
def test_operations_are_put_at_their_places(operations: list[Any], made: dict[str, Any]) -> None:
    assert patched(operations) == made


@pytest.mark.parametrize("number", ["/spec/0", "/spec/template/0"])
def test_a_key_that_is_a_number_hides_nothing(number: str) -> None:
    spec = {"/spec/template/spec/hostPID": True}
    operations = [*(add(path, value) for path, value in spec.items()), add(number, 1)]
    for order in (operations, operations[::-1]):
        body = event("patch", "deployments", name="web", requestObject=order)
        assert row(body)["pod.host_pid"] is True


@pytest.mark.parametrize(
    "odd",
    [
        [None, 1, "x", [], {}],
        [{"op": "add"}, {"op": "add", "path": 7}, {"op": 7, "path": "/a"}],
        [add("/" + "/".join("a" * (DEPTH + 1)))],
        [add("/spec/containers/0/x"), add("/spec/containers", "text"), add("/spec/containers/0/y")],
        [add(f"/spec/volumes/{n}", {}) for n in range(OPERATIONS_KEPT * 2)],
    ],
)
def test_what_is_no_json_patch_does_no_harm(odd: list[Any]) -> None:
    made = patched(odd)
    assert len(made.get("spec", {}).get("volumes", [])) <= OPERATIONS_KEPT
    assert row(event("patch", "deployments", name="web", requestObject=odd))["event.id"]


def test_what_a_json_patch_leaves_alone_is_not_asked_for() -> None:
    privileged = {"containers": [{"name": "c", "securityContext": {"privileged": True}}]}
    fields = row(
        event(
            "patch",
            "deployments",
            name="web",
            requestObject=[{"op": "replace", "path": "/spec/replicas", "value": 3}],
            responseObject={"spec": {"template": {"spec": privileged}}},
        )
    )
    assert "pod.privileged" not in fields
    assert fields["request.json_patch"] is True


def test_a_json_patch_of_a_binding_adds_subjects_to_its_role() -> None:
    subject = {"kind": "User", "name": "mallory"}
    fields = row(
        event(
            "patch",
            "clusterrolebindings",
            name="admins",
            requestObject=[add("/subjects/-", subject)],
            responseObject={
                "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
                "subjects": [{"kind": "Group", "name": "sre"}, subject],
            },
        )
    )
    assert fields["rbac.role"] == "cluster-admin"
    assert fields["rbac.subjects"] == ["User//mallory"]


def test_a_json_patch_of_a_role_adds_its_rules() -> None:
    rule = {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"], "verbs": ["bind"]}
    body = event("patch", "clusterroles", name="x", requestObject=[add("/rules/-", rule)])
    assert row(body)["rbac.rules"] == ["bind:rbac.authorization.k8s.io/roles"]
    verb = event("patch", "roles", name="x", requestObject=[add("/rules/0/verbs/-", "escalate")])
    assert row(verb)["rbac.verbs"] == ["escalate"]
