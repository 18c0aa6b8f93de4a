"""The requests of one query: searches that are whole, on one state of the index, in time."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import msgspec

from k8sidx.backends.cluster.http.api_errors import refusal
from k8sidx.backends.cluster.http.client import Answer, Cluster, ClusterUnreachable
from k8sidx.backends.cluster.http.response import retry_after
from k8sidx.backends.cluster.http.retry import Backoff, Deadline
from k8sidx.backends.cluster.schema.field_caps import missing_index
from k8sidx.backends.protocol import Answering
from k8sidx.errors import StoreError, UnsupportedQuery

KEEP = "5m"
"""How long a point in time is kept after each of its searches."""
GRACE = 5.0
"""Seconds that the cluster has to say itself that the time is over."""
UNLIMITED = 3600.0
"""Seconds for one search when no limit was asked for."""
RETRY_SECONDS = 30.0
"""Seconds to go on with a search that the cluster has no memory or threads for at the moment."""


_TOO_MUCH = (b"Determinizing ", b"the maximum nested depth")
"""What clusters say of patterns with too many states, and of conditions within conditions."""


class TooManyBuckets(StoreError):
    """The cluster refuses to make so many groups at once."""


class Session:
    """The searches of one query. A context manager: it closes the point in time.

    :param index: the name or pattern that is searched.
    :param answering: its timeout is for all the searches together.
    """

    def __init__(self, cluster: Cluster, index: str, answering: Answering) -> None:
        self._cluster = cluster
        self._index = index
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
        """Where searches of the index go."""
        return f"/{quote(self._index, safe='*,-')}/_search"

    @property
    def held(self) -> bool:
        """Whether all searches see one state of the index."""
        return self._point is not None

    def hold(self) -> None:
        """From now on every search sees the index as it is now."""
        if self._point is not None:
            return
        pattern = quote(self._index, safe="*,-")
        path = f"/{pattern}/_pit" if self._elastic else f"/{pattern}/_search/point_in_time"
        params = {"keep_alive": KEEP}
        if not self._elastic:
            params["allow_partial_pit_creation"] = "false"
        answer = self._request("POST", path, params, None)
        self._whole(answer)
        self._point = answer["id" if self._elastic else "pit_id"]

    def search(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """One search.

        :raises StoreError: when the answer is not of all the events, or none came.
        """
        asked = dict(body)
        params = {"allow_partial_search_results": "false"}
        path = self.path
        if self._point is not None:
            path = "/_search"
            asked["pit"] = {"id": self._point, "keep_alive": KEEP}
        if self._ends is not None:
            asked["timeout"] = f"{max(1, int(self._left() * 1000))}ms"
        answer = self._request("POST", path, params, asked)
        # Not every search looks at its time: Elasticsearch's composite over terms does not.
        if answer.get("timed_out") or self._is_over():
            raise self._answering.too_slow()
        self._whole(answer)
        if self._point is not None:
            self._point = answer.get("pit_id", self._point)
        return answer

    def _request(
        self, method: str, path: str, params: Mapping[str, str], body: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        backoff = Backoff(Deadline(RETRY_SECONDS))
        answer = self._asked(method, path, params, body)
        while _is_pressed(answer) and backoff.wait(retry_after(answer)):
            answer = self._asked(method, path, params, body)
        if answer.status != 200:
            if self._ends is not None and _ran_out_of_time(answer):
                raise self._answering.too_slow()
            raise _refused(answer, self._index)
        try:  # Unlike orjson it keeps whole numbers beyond 64 bits.
            return msgspec.json.decode(answer.body, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise StoreError("the cluster's answer is no JSON.") from error

    def _asked(
        self, method: str, path: str, params: Mapping[str, str], body: Mapping[str, Any] | None
    ) -> Answer:
        left = self._left()
        try:
            return self._cluster.request(
                method, path, params=params, body=body,
                headers={"x-opaque-id": self._name}, timeout=left + GRACE,
            )  # fmt: skip
        except ClusterUnreachable:
            if self._is_over():
                raise self._answering.too_slow() from None
            raise

    def _whole(self, answer: Mapping[str, Any]) -> None:
        """A partial answer is never passed off as whole."""
        shards = answer.get("_shards", {})
        if not shards.get("total"):
            raise missing_index(self._index)
        if shards.get("failed") or shards.get("successful", 0) < shards["total"]:
            reasons = [one.get("reason", {}).get("reason") for one in shards.get("failures", ())]
            told = f": {reasons[0]}" if reasons and reasons[0] else ""
            raise StoreError(
                f"{shards.get('failed', 0)} of {shards['total']} shards of {self._index} did not "
                f"answer{told}.",
                remedy="Look at the cluster's health with: k8sidx doctor",
            )

    def _is_over(self) -> bool:
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


class NotAsked(Exception):
    """A search that was made up only."""

    def __init__(self, body: Mapping[str, Any], *, held: bool) -> None:
        super().__init__("a search is not made")
        self.body = dict(body)
        self.held = held


class UnaskedSession(Session):
    """Asks nothing: the first search of a query is raised as :class:`NotAsked`."""

    _held = False

    @property
    def held(self) -> bool:
        return self._held

    def hold(self) -> None:
        self._held = True

    def search(self, body: Mapping[str, Any]) -> dict[str, Any]:
        raise NotAsked(body, held=self._held)


def _refused(answer: Answer, index: str) -> StoreError:
    """What the cluster refused, and what can be done about it.

    :raises UnsupportedQuery: when this query can never be answered there.
    """
    if b"invalid id: [null]" in answer.body:  # OpenSearch's word for a point in time of nothing.
        return missing_index(index)
    found = refusal(answer, f"a search of {index}")
    if found.kind == "index_not_found_exception":
        return missing_index(index)
    if any(word in answer.body for word in _TOO_MUCH):
        raise UnsupportedQuery(
            "a pattern or the nesting of conditions is too much for the cluster.",
            remedy="Write a simpler one.",
        )
    if b'"too_many_buckets_exception"' in answer.body:
        return TooManyBuckets(found.message, remedy=found.remedy)
    return found


def _is_pressed(answer: Answer) -> bool:
    """Whether the same search may do later: not when it is too large by itself."""
    return answer.status == 429 and b'"durability":"PERMANENT"' not in answer.body


def _ran_out_of_time(answer: Answer) -> bool:
    """Both products say so in an error of their own when they may not answer in part."""
    return b'"search_timeout_exception"' in answer.body or b'"Time exceeded"' in answer.body
