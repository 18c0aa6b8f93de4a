"""Builders of audit events for tests, in the format of the API server."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from k8sidx.events.decode.event_model import from_object
from k8sidx.events.normalize.event import Normalized, Normalizer
from k8sidx.events.records import Context
from k8sidx.hunt.lists import SHIPPED

SHARED = Path(__file__).parents[2] / "shared"
"""Material that lies beside the checkout on some machines; tests skip without it."""

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def at(seconds: float = 0) -> str:
    """Return a timestamp in the API server's format, that long after ``START``."""
    return f"{START + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S.%f}Z"


def event(
    verb: str = "get",
    resource: str = "pods",
    *,
    user: str = "alice",
    seconds: float = 0,
    namespace: str = "shop",
    name: str = "",
    subresource: str = "",
    code: int = 200,
    decision: str = "",
    source: str | list[str] = "10.0.0.7",
    agent: str | None = None,
    stage: str = "ResponseComplete",
    **more: Any,
) -> dict[str, Any]:
    """Return an audit.k8s.io/v1 Event; keyword arguments set or replace top-level keys.

    :param agent: the user agent; by default kubectl's, and its own for a component.
    """
    reference = {
        "resource": resource,
        "namespace": namespace,
        "name": name,
        "apiVersion": "v1",
        "subresource": subresource,
    }
    uri = f"/api/v1/namespaces/{namespace}/{resource}"
    for part in (name, subresource):
        uri += f"/{part}" if part else ""
    made: dict[str, Any] = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "auditID": f"{user}-{verb}-{resource}-{name}-{seconds}",
        "stage": stage,
        "requestURI": uri,
        "verb": verb,
        "user": {"username": user, "groups": ["system:authenticated"]},
        "sourceIPs": [source] if isinstance(source, str) else source,
        "userAgent": own_agent(user) if agent is None else agent,
        "objectRef": {key: value for key, value in reference.items() if value},
        "responseStatus": {"metadata": {}, "code": code},
        "requestReceivedTimestamp": at(seconds),
        "stageTimestamp": at(seconds + 0.002),
        "annotations": {
            "authorization.k8s.io/decision": decision or ("forbid" if code == 403 else "allow"),
            "authorization.k8s.io/reason": "",
        },
    }
    made.update(more)
    return {key: value for key, value in made.items() if value is not None}


def own_agent(user: str) -> str:
    """Return the user agent that an identity has where it acts itself."""
    product = "kubectl"
    if user.startswith("system:node:"):
        product = "kubelet"
    elif user.startswith("system:serviceaccount:kube-system:"):
        product = "kube-controller-manager"
    elif user in (SHIPPED.entries("platform_identities") or ()):
        product = user.removeprefix("system:").replace(":", "-")
    elif user in (SHIPPED.entries("operators_reading_secrets") or ()):
        product = user.rpartition(":")[2]
    return f"{product}/v1.37.2 (linux/amd64) kubernetes/0000000"


def normalized(body: dict[str, Any], **options: Any) -> Normalized:
    """Decode and normalize an event."""
    plain, rest, _ = from_object(json.loads(json.dumps(body)))
    size = len(json.dumps(body, separators=(",", ":")))
    return Normalizer(**options).normalize(plain, rest, Context(), size)


def row(body: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Return the stored fields of an event."""
    return normalized(body, **options).row


def write_log(path: Path, events: list[dict[str, Any]]) -> Path:
    """Write a log file in the API server's format."""
    path.write_text("".join(json.dumps(one) + "\n" for one in events), "utf-8")
    return path
