"""Places of names in an event, and texts with a credential that a caller may put there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from tests.building import event

Event = dict[str, Any]
Plant = Callable[[str], Event]

TEXTS = (
    "https://bob:{}@example.com", "token={}", "x password={} y", "Bearer {}",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.{}", "ghp_{}{}{}", "--token {}", "x api_key={}",
)  # fmt: skip


def called(user: dict[str, Any], key: str = "user") -> Event:
    return {**event(), key: {"username": "alice", **user}}


IDENTITIES: dict[str, Plant] = {
    "a user's name": lambda s: called({"username": s}),
    "a user's uid": lambda s: called({"uid": s}),
    "a group": lambda s: called({"groups": ["a", s]}),
    "an extra value": lambda s: called({"extra": {"x": [s]}}),
    "an extra key": lambda s: called({"extra": {s: ["x"]}}),
    "an impersonated user": lambda s: called({"username": s}, "impersonatedUser"),
    "an impersonated group": lambda s: called({"groups": [s]}, "impersonatedUser"),
    "an impersonated uid": lambda s: called({"uid": s}, "impersonatedUser"),
    "an impersonated extra value": lambda s: called({"extra": {"x": [s]}}, "impersonatedUser"),
    "a user agent": lambda s: event(agent=s),
    "an object's name": lambda s: event(name=s, auditID="a", requestURI="/api/v1/x"),
    "an object's name in the URI": lambda s: event(
        requestURI=f"/api/v1/namespaces/x/pods/{quote(s)}"),
    "a namespace": lambda s: event(namespace=s, auditID="a", requestURI="/api/v1/x"),
    "an address": lambda s: event(source=s),
    "a status reason": lambda s: event(responseStatus={"code": 400, "reason": s}),
    "a status's name": lambda s: event(responseStatus={"code": 404, "details": {"name": s}}),
    "a cause": lambda s: event(responseStatus={"code": 422, "details": {"causes": [
        {"field": "x", "message": s}]}}),
    "a cause's field": lambda s: event(responseStatus={"code": 422, "details": {"causes": [
        {"field": s}]}}),
    "an audit annotation": lambda s: event(annotations={"example.com/x": s}),
    "an authorization reason": lambda s: event(annotations={"authorization.k8s.io/reason": s}),
    "a constraint": lambda s: event(authenticationMetadata={"impersonationConstraint": s}),
    "an object's metadata.name": lambda s: event("create", "pods", requestObject={
        "metadata": {"name": s, "namespace": s}}),
    "a subject of a binding": lambda s: event("create", "rolebindings", requestObject={
        "roleRef": {"kind": "Role", "name": "a"}, "subjects": [{"kind": "User", "name": s}]}),
    "a user in an access review": lambda s: event("create", "subjectaccessreviews",
        requestObject={"spec": {"user": s, "groups": [s]}}),
}  # fmt: skip
"""Where a text of the caller's choice stands in an event; each text of TEXTS may be there."""
