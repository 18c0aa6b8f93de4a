"""Requests that a pressed cluster may refuse for a while: asked again, and refusals explained."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from k8sidx.cluster.connection import Answer, Cluster, ClusterUnreachable
from k8sidx.cluster.patience import Patience, Retries
from k8sidx.errors import StoreError

PRESSED = frozenset({429, 502, 503, 504})
"""Statuses that pass: too many requests, and what a cluster or a proxy before it answers while
nodes come and go."""

PATIENCE = 60.0
_OPENSEARCH_LACKS = re.compile(r"no permissions for \[([^\]]+)\]")
_ELASTICSEARCH_LACKS = re.compile(
    r"action \[([^\]]+)\] is unauthorized.*?granted by the (index|cluster) privileges \[([^\],]+)",
    re.DOTALL,
)


class Forbidden(StoreError):
    """The cluster knows us and does not let us.

    :ivar lacks: what a role needs, such as ``indices:admin/index_template/put``.
    """

    def __init__(self, message: str, *, remedy: str, lacks: str) -> None:
        super().__init__(message, remedy=remedy)
        self.lacks = lacks


class Refused(StoreError):
    """The cluster answered a request with an error."""


class Pressed(Refused):
    """The cluster was too busy for as long as we tried."""


def patient_request(
    cluster: Cluster,
    method: str,
    path: str,
    *,
    body: Mapping[str, Any] | None = None,
    seconds: float = PATIENCE,
) -> Answer:
    """A request that may be made twice, made again while the cluster is pressed or away.

    Waits longer each time, and at least as long as ``Retry-After`` says.

    :param seconds: how long to go on.
    :returns: the answer; one of ``PRESSED`` only when patience is over.
    :raises ClusterUnreachable: when nothing answered until then.
    """
    retries = Retries(Patience(seconds))
    while True:
        try:
            answer = cluster.request(method, path, body=body)
        except ClusterUnreachable:
            if not retries.wait():
                raise
            continue
        if answer.status not in PRESSED or not retries.wait(_retry_after(answer)):
            return answer


def expect_success(answer: Answer, method: str, path: str) -> Any:
    """The decoded body of a success.

    :raises Forbidden: when we may not; says which permission is missing.
    :raises Pressed: when it was too busy.
    :raises Refused: for any other error, with the cluster's reason.
    """
    if answer.status < 300:
        return answer.json() if answer.body else {}
    reason = reason_of(answer)
    if answer.status == 403 and "security_exception" in answer.body.decode("utf-8", "replace"):
        lacks, remedy = _permission(reason)
        raise Forbidden(
            f"the cluster does not let this user {method} {path}: {lacks or reason}.",
            remedy=remedy,
            lacks=lacks or reason,
        )
    if answer.status == 401:
        raise Refused(
            "the cluster does not accept the credentials.",
            remedy="Check K8SIDX_USERNAME and K8SIDX_PASSWORD, or the API key.",
        )
    said = f"the cluster answered {method} {path} with {answer.status}: {reason}"
    if answer.status in PRESSED:
        raise Pressed(said, remedy="It is under pressure; try again later.")
    raise Refused(said)


def reason_of(answer: Answer) -> str:
    """What an error answer gives as its reason; its beginning when it is no usual one."""
    try:
        said = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return answer.body[:200].decode("utf-8", "replace").strip() or f"HTTP {answer.status}"
    error = said.get("error") if isinstance(said, dict) else None
    if not isinstance(error, dict):
        return str(error or said.get("message", "") if isinstance(said, dict) else said)[:500]
    reasons = [str(error.get("reason", ""))]
    cause = error.get("caused_by")
    while isinstance(cause, dict):
        reasons.append(str(cause.get("reason", "")))
        cause = cause.get("caused_by")
    return ": ".join(dict.fromkeys(reason for reason in reasons if reason))[:1000]


def _permission(reason: str) -> tuple[str, str]:
    """What is missing, and how it is granted, from the words of either product."""
    if found := _OPENSEARCH_LACKS.search(reason):
        action = found.group(1)
        kind = "cluster" if action.startswith("cluster:") or "template" in action else "index"
        return f"it lacks {action}", f"Give its role the {kind} permission {action}."
    if found := _ELASTICSEARCH_LACKS.search(reason):
        action, kind, privilege = found.groups()
        return f"it lacks {action}", f"Give its role the {kind} privilege {privilege}."
    return "", "Ask an administrator of the cluster for the permission."


def _retry_after(answer: Answer) -> float:
    said = answer.headers.get("retry-after", "")
    return float(said) if said.isdigit() else 0.0
