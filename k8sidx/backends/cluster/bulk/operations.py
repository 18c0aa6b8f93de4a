"""Bulk operations on single documents that exist already: rewriting, updating, deleting them.

Events are shipped by :mod:`k8sidx.backends.cluster.bulk.sender`; these are for the few commands
that change what is stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.http.retry import Backoff, Deadline
from k8sidx.backends.cluster.http.retrying import OVERLOADED, expect_success, retrying_request
from k8sidx.errors import StoreError

_PATH = "/_bulk?filter_path=items.*.status,items.*.result,items.*.error.type,items.*.error.reason"
_SECONDS = 120.0
"""Seconds without progress after which a run gives up."""
_REQUEST_BYTES = 5 * 1024 * 1024


class Operation(NamedTuple):
    """One entry of a bulk request; ``written`` is empty for a deletion."""

    action: str
    index_name: str
    id: str
    written: bytes = b""

    def lines(self) -> bytes:
        """Return the lines of the bulk API."""
        head = orjson.dumps({self.action: {"_index": self.index_name, "_id": self.id}})
        return head + b"\n" + (self.written + b"\n" if self.written else b"")


class OperationResult(NamedTuple):
    """Outcome of one operation.

    :param reason: of an error.
    :param result: in the server's words: ``created``, ``updated``, ``noop``, ``deleted``.
    """

    status: int = 0
    reason: str = ""
    result: str = ""


def bulk(
    cluster: Cluster, operations: Sequence[Operation], *, refresh: bool = False
) -> list[OperationResult]:
    """Send operations, in requests of a few megabytes; return each one's outcome.

    :param refresh: searches find the changes when this returns.
    """
    path = f"{_PATH}&refresh=true" if refresh else _PATH
    results: list[OperationResult] = [OperationResult()] * len(operations)
    pending = list(range(len(operations)))
    backoff = Backoff(Deadline(_SECONDS))
    while pending:
        sent, body = _request_of(operations, pending)
        headers = {"content-type": "application/x-ndjson"}
        answer = retrying_request(
            cluster, "POST", path, body=body, headers=headers, seconds=_SECONDS
        )
        items = expect_success(answer, "POST", path).get("items", [])
        if len(items) != len(sent):
            raise StoreError("the cluster's response to a bulk request is not complete.")
        for at, item in zip(sent, items, strict=True):
            results[at] = _result_of(item)
        busy = [at for at in sent if results[at].status in OVERLOADED]
        pending = busy + pending[len(sent) :]
        if len(busy) < len(sent):
            backoff.reset()
        elif not backoff.wait():
            raise StoreError(f"the cluster is busy: {results[busy[0]].reason}.")
    return results


def _request_of(operations: Sequence[Operation], pending: Sequence[int]) -> tuple[list[int], bytes]:
    sent: list[int] = []
    pieces: list[bytes] = []
    size = 0
    for at in pending:
        lines = operations[at].lines()
        size += len(lines)
        if sent and size > _REQUEST_BYTES:
            break
        sent.append(at)
        pieces.append(lines)
    return sent, b"".join(pieces)


def _result_of(item: dict[str, Any]) -> OperationResult:
    [outcome] = item.values()
    error = outcome.get("error") or {}
    reason = f"{error.get('type', '')}: {error.get('reason', '')}"
    return OperationResult(outcome.get("status", 0), reason, outcome.get("result", ""))
