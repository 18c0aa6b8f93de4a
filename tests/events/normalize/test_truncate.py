"""Values too long for an index are cut, and nothing of them is lost."""

from __future__ import annotations

from typing import Any

import pytest

from k8sidx.events.fields.lookup import BY_NAME
from k8sidx.events.normalize.reconstruct import whole_event
from tests.building import event, row
from tests.events.normalize.test_reconstruct import without_empty

LONG = "é" * 10_000


def set_at(body: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    for key in path[:-1]:
        body = body.setdefault(key, {})
    body[path[-1]] = value
    return body


MOVED: dict[tuple[str, ...], str] = {
    ("auditID",): "auditID",
    ("requestURI",): "requestURI",
    ("stage",): "stage",
    ("level",): "level",
    ("verb",): "verb",
    ("userAgent",): "userAgent",
    ("user", "username"): "user.username",
    ("user", "uid"): "user.uid",
    ("impersonatedUser", "username"): "impersonatedUser.username",
    ("objectRef", "resource"): "objectRef.resource",
    ("objectRef", "subresource"): "objectRef.subresource",
    ("objectRef", "namespace"): "objectRef.namespace",
    ("objectRef", "name"): "objectRef.name",
    ("objectRef", "uid"): "objectRef.uid",
    ("objectRef", "apiGroup"): "objectRef.apiGroup",
    ("objectRef", "apiVersion"): "objectRef.apiVersion",
    ("objectRef", "resourceVersion"): "objectRef.resourceVersion",
    ("responseStatus", "status"): "responseStatus.status",
    ("responseStatus", "reason"): "responseStatus.reason",
    ("responseStatus", "message"): "responseStatus.message",
    ("annotations", "authorization.k8s.io/reason"): "annotations.authorization.k8s.io/reason",
}


@pytest.mark.parametrize(("path", "name"), MOVED.items(), ids=MOVED.values())
@pytest.mark.parametrize("over", [0, 1])
def test_a_long_value_is_cut_and_the_event_stays_whole(
    path: tuple[str, ...], name: str, over: int
) -> None:
    length = BY_NAME[name].length
    value = LONG[: length + over]
    body = event("create", odd=1)
    set_at(body, path, value)
    stored = row(body)
    assert stored[name] == LONG[:length]
    assert (b"\xc3\xa9" in stored["rest"]) is bool(over)
    assert whole_event(stored)[path[0]] == without_empty(body)[path[0]]


def test_a_long_name_alone_in_its_event_is_found_too() -> None:
    body = {"kind": "Event", "apiVersion": "audit.k8s.io/v1", "objectRef": {"uid": "u" * 257}}
    stored = row(body)
    assert stored["objectRef.uid"] == "u" * 256
    assert whole_event(stored)["objectRef"] == {"uid": "u" * 257}


def test_long_elements_of_lists_are_cut_where_they_stand() -> None:
    body = event(source=["x" * 300, "10.0.0.7"])
    body["user"]["groups"] = ["a", LONG]
    stored = row(body)
    assert stored["user.groups"] == ["a", LONG[:1024]]
    assert stored["user.effective.groups"] == ["a", LONG[:1024]]
    assert stored["sourceIPs"] == ["x" * 256, "10.0.0.7"]
    assert whole_event(stored)["user"]["groups"] == ["a", LONG]
    assert whole_event(stored)["sourceIPs"] == ["x" * 300, "10.0.0.7"]


def test_derived_and_promoted_values_are_cut_and_whole_where_they_came_from() -> None:
    pod = {"kind": "Pod", "metadata": {"name": LONG}, "spec": {"containers": [{"image": LONG}]}}
    body = event("create", "pods", user=LONG, requestObject=pod, responseObject=pod)
    stored = row(body)
    assert stored["pod.images"] == [LONG[:1024]]
    assert stored["requestObject.metadata.name"] == LONG[:1024]
    assert stored["target.name"] == LONG[:1024]
    assert stored["user.effective.name"] == LONG[:1024]
    assert stored["message"].startswith(LONG[:8191])
    assert len(stored["message"]) == 8191
    assert whole_event(stored)["requestObject"] == pod
    assert "requestObject" not in str(stored["rest"])


def test_odd_members_beside_a_long_one_stay_too() -> None:
    body = event()
    body["objectRef"].update(name="n" * 2000, odd=["x"])
    body["user"].update(username=LONG, odd={"y": 1})
    stored = row(body)
    assert whole_event(stored)["objectRef"] == body["objectRef"]
    assert whole_event(stored)["user"] == body["user"]
