"""Requests that are retried while a cluster is overloaded or unreachable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from k8sidx.backends.cluster.http.api_errors import refusal
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.http.response import Answer, ClusterUnreachable, retry_after
from k8sidx.backends.cluster.http.retry import Backoff, Deadline

OVERLOADED = frozenset({429, 502, 503, 504})
"""Transient statuses: too many requests, and those that a cluster or a proxy in front of it returns
while nodes join and leave."""

FORBIDDEN = 403
RETRY_SECONDS = 60.0


def retrying_request(
    cluster: Cluster,
    method: str,
    path: str,
    *,
    body: bytes | Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    seconds: float = RETRY_SECONDS,
) -> Answer:
    """Send an idempotent request, and retry it while the cluster is overloaded or unreachable.

    Waits longer each time, and at least as long as ``Retry-After`` requests.

    :param seconds: time limit of retries.
    :returns: the response; with a status of ``OVERLOADED`` only after the time limit.
    :raises ClusterUnreachable: when there was no response until then.
    """
    backoff = Backoff(Deadline(seconds))
    while True:
        try:
            answer = cluster.request(method, path, body=body, headers=headers)
        except ClusterUnreachable:
            if not backoff.wait():
                raise
            continue
        if answer.status not in OVERLOADED or not backoff.wait(retry_after(answer)):
            return answer


def expect_success(answer: Answer, method: str, path: str) -> Any:
    """Return the decoded body of a success.

    :raises ClusterRefused: for an error status; names the missing permission.
    """
    if answer.status >= 300:
        raise refusal(answer, f"{method} {path.partition('?')[0]}")
    return answer.json() if answer.body else {}


def create_index(
    cluster: Cluster, path: str, body: Mapping[str, Any], *, seconds: float = RETRY_SECONDS
) -> None:
    """Create an index, unless another process was faster.

    :param path: of the index.
    :raises ClusterRefused: for an error status.
    """
    answer = retrying_request(cluster, "PUT", path, body=body, seconds=seconds)
    if b"resource_already_exists_exception" not in answer.body:
        expect_success(answer, "PUT", path)
