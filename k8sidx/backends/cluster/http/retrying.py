"""Requests that a pressed cluster may refuse for a while: asked again, and judged in the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from k8sidx.backends.cluster.http.api_errors import refusal
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.http.response import Answer, ClusterUnreachable, retry_after
from k8sidx.backends.cluster.http.retry import Backoff, Deadline

OVERLOADED = frozenset({429, 502, 503, 504})
"""Statuses that pass: too many requests, and what a cluster or a proxy before it answers while
nodes come and go."""

FORBIDDEN = 403
PATIENCE = 60.0


def retrying_request(
    cluster: Cluster,
    method: str,
    path: str,
    *,
    body: bytes | Mapping[str, Any] | None = None,
    seconds: float = PATIENCE,
) -> Answer:
    """A request that may be made twice, made again while the cluster is pressed or away.

    Waits longer each time, and at least as long as ``Retry-After`` says.

    :param seconds: how long to go on.
    :returns: the answer; one of ``OVERLOADED`` only when patience is over.
    :raises ClusterUnreachable: when nothing answered until then.
    """
    backoff = Backoff(Deadline(seconds))
    while True:
        try:
            answer = cluster.request(method, path, body=body)
        except ClusterUnreachable:
            if not backoff.wait():
                raise
            continue
        if answer.status not in OVERLOADED or not backoff.wait(retry_after(answer)):
            return answer


def expect_success(answer: Answer, method: str, path: str) -> Any:
    """The decoded body of a success.

    :raises ClusterRefused: for an error status; names the permission that is missing.
    """
    if answer.status >= 300:
        raise refusal(answer, f"{method} {path.partition('?')[0]}")
    return answer.json() if answer.body else {}


def create_index(
    cluster: Cluster, path: str, body: Mapping[str, Any], *, seconds: float = PATIENCE
) -> None:
    """Make an index, unless another process was faster.

    :param path: of the index.
    :raises ClusterRefused: for an error status.
    """
    answer = retrying_request(cluster, "PUT", path, body=body, seconds=seconds)
    if b"resource_already_exists_exception" not in answer.body:
        expect_success(answer, "PUT", path)
