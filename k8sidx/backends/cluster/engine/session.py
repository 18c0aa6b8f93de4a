"""Search session: complete searches of one query over one point in time, within a timeout."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Protocol
from urllib.parse import quote

import msgspec

from k8sidx.backends.cluster.http.api_errors import refusal
from k8sidx.backends.cluster.http.client import Answer, ClusterUnreachable, Product
from k8sidx.backends.cluster.http.response import retry_after
from k8sidx.backends.cluster.http.retry import Backoff, Deadline
from k8sidx.backends.cluster.schema.field_caps import missing_index
from k8sidx.backends.protocol import QueryOptions
from k8sidx.errors import StoreError, UnsupportedQuery

KEEP = "5m"
"""Lifetime of a point in time after each of its searches."""
GRACE = 5.0
"""Seconds for the cluster to report the timeout itself."""
UNLIMITED = 3600.0
"""Seconds for one search without a timeout."""
RETRY_SECONDS = 30.0
"""Seconds to retry a search for which the cluster has no memory or threads at the moment."""


_TOO_COMPLEX = (b"Determinizing ", b"the maximum nested depth")
"""Error texts of clusters for patterns with too many states, and for deeply nested conditions."""


class Requests(Protocol):
    """A cluster that takes requests; see :meth:`Cluster.request`."""

    product: Product

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """Send one request, without retries; a response with an error status is returned."""


class TooManyBuckets(StoreError):
    """The cluster refuses to return so many groups in one response."""


class Session:
    """The searches of one query; a context manager that closes the point in time.

    :param index: the name or pattern that is searched.
    :param answering: its timeout applies to all searches together.
    :param shard: the only shard that a point in time covers; all of them without one.
    """

    def __init__(
        self, cluster: Requests, index: str, answering: QueryOptions, *, shard: int | None = None
    ) -> None:
        self._cluster = cluster
        self._index = index
        self._shard = shard
        self._answering = answering
        timeout = answering.timeout
        self._ends = None if timeout is None else time.monotonic() + timeout
        self._point: str | None = None
        self._name = f"k8sidx-{uuid.uuid4().hex}"

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        if self._point is not None:
            point, self._point = self._point, None
            body = {"id": point} if self._elastic else {"pit_id": [point]}
            path = "/_pit" if self._elastic else "/_search/point_in_time"
            with suppress(ClusterUnreachable):  # It ends by itself, and the answer is known.
                self._cluster.request("DELETE", path, body=body, timeout=GRACE)

    @property
    def path(self) -> str:
        """Path of searches of the index."""
        return f"/{quote(self._index, safe='*,-')}/_search"

    @property
    def pinned(self) -> bool:
        """Whether all searches use one point in time."""
        return self._point is not None

    def pin(self) -> None:
        """Open a point in time: all further searches see the index as it is now."""
        if self._point is not None:
            return
        pattern = quote(self._index, safe="*,-")
        path = f"/{pattern}/_pit" if self._elastic else f"/{pattern}/_search/point_in_time"
        params = {"keep_alive": KEEP}
        if self._shard is not None:
            params["preference"] = f"_shards:{self._shard}"
        if not self._elastic:
            params["allow_partial_pit_creation"] = "false"
        answer = self._request("POST", path, params, None)
        self._check_complete(answer)
        self._point = answer["id" if self._elastic else "pit_id"]

    def search(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Send one search.

        :raises StoreError: when the response does not cover all events, or there is none.
        """
        search = dict(body)
        params = {"allow_partial_search_results": "false"}
        path = self.path
        if self._point is not None:
            path = "/_search"
            search["pit"] = {"id": self._point, "keep_alive": KEEP}
        if self._ends is not None:
            search["timeout"] = f"{max(1, int(self._left() * 1000))}ms"
        answer = self._request("POST", path, params, search)
        # Not every search looks at its time: Elasticsearch's composite over terms does not.
        if answer.get("timed_out") or self._expired():
            raise self._answering.too_slow()
        self._check_complete(answer)
        if self._point is not None:
            self._point = answer.get("pit_id", self._point)
        return answer

    def _request(
        self, method: str, path: str, params: Mapping[str, str], body: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        backoff = Backoff(Deadline(RETRY_SECONDS))
        answer = self._send(method, path, params, body)
        while _expiredloaded(answer) and backoff.wait(retry_after(answer)):
            answer = self._send(method, path, params, body)
        if answer.status != 200:
            if self._ends is not None and _timed_out(answer):
                raise self._answering.too_slow()
            raise _refused(answer, self._index)
        try:  # Unlike orjson it keeps whole numbers beyond 64 bits.
            return msgspec.json.decode(answer.body, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise StoreError("the cluster's response is not valid JSON.") from error

    def _send(
        self, method: str, path: str, params: Mapping[str, str], body: Mapping[str, Any] | None
    ) -> Answer:
        left = self._left()
        try:
            return self._cluster.request(
                method, path, params=params, body=body,
                headers={"x-opaque-id": self._name}, timeout=left + GRACE,
            )  # fmt: skip
        except ClusterUnreachable:
            if self._expired():
                raise self._answering.too_slow() from None
            raise

    def _check_complete(self, answer: Mapping[str, Any]) -> None:
        """Raise for a partial response."""
        shards = answer.get("_shards", {})
        if not shards.get("total"):
            raise missing_index(self._index)
        if shards.get("failed") or shards.get("successful", 0) < shards["total"]:
            reasons = [
                failure.get("reason", {}).get("reason") for failure in shards.get("failures", ())
            ]
            cause = f": {reasons[0]}" if reasons and reasons[0] else ""
            raise StoreError(
                f"{shards.get('failed', 0)} of {shards['total']} shards of {self._index} "
                f"failed{cause}.",
                remedy="Check the cluster's health: k8sidx doctor",
            )

    def _expired(self) -> bool:
        return self._ends is not None and time.monotonic() >= self._ends

    def _left(self) -> float:
        if self._ends is None:
            return UNLIMITED
        left = self._ends - time.monotonic()
        if left <= 0:
            raise self._answering.too_slow()
        return left

    @property
    def _elastic(self) -> bool:
        return self._cluster.product == "elasticsearch"


class DryRunSearch(Exception):
    """Raised instead of sending a search (dry run)."""

    def __init__(self, body: Mapping[str, Any], *, pinned: bool) -> None:
        super().__init__("dry run")
        self.body = dict(body)
        self.pinned = pinned


class DryRunSession(Session):
    """Sends nothing: the first search of a query is raised as :class:`DryRunSearch`."""

    _pinned = False

    @property
    def pinned(self) -> bool:
        return self._pinned

    def pin(self) -> None:
        self._pinned = True

    def search(self, body: Mapping[str, Any]) -> dict[str, Any]:
        raise DryRunSearch(body, pinned=self._pinned)


def _refused(answer: Answer, index: str) -> StoreError:
    """Return the cluster's error, with a remedy.

    :raises UnsupportedQuery: when this query can never run there.
    """
    if (
        b"invalid id: [null]" in answer.body
    ):  # OpenSearch's error for a point in time without indices.
        return missing_index(index)
    error = refusal(answer, f"a search of {index}")
    if error.kind == "index_not_found_exception":
        return missing_index(index)
    if any(text in answer.body for text in _TOO_COMPLEX):
        raise UnsupportedQuery(
            "a pattern or the nesting of conditions is too complex for the cluster.",
            remedy="Write a simpler one.",
        )
    if b'"too_many_buckets_exception"' in answer.body:
        return TooManyBuckets(error.message, remedy=error.remedy)
    return error


def _expiredloaded(answer: Answer) -> bool:
    """Whether the same search may succeed later: not when it is too large by itself."""
    return answer.status == 429 and b'"durability":"PERMANENT"' not in answer.body


def _timed_out(answer: Answer) -> bool:
    """Whether the error is a timeout, which both return where partial results are forbidden."""
    return b'"search_timeout_exception"' in answer.body or b'"Time exceeded"' in answer.body
