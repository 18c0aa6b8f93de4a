"""Searches of several threads in one request (multi search API).

Hunts are independent of each other, so each can run in a thread of its own. A search waits until
every thread either waits, too, or has ended; then all that wait are sent as one ``_msearch``.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import unquote

import msgspec
import orjson

from k8sidx.backends.cluster.engine.session import UNLIMITED, Requests
from k8sidx.backends.cluster.http.response import Answer
from k8sidx.errors import StoreError

T = TypeVar("T")

MOST_THREADS = 32
"""Largest number of searches in one request: the cluster holds all their results at once."""
_REFUSED = frozenset({400, 401, 403, 404, 405, 413})
"""Status of a cluster that takes single searches only, for example for want of a permission."""


@dataclass(frozen=True, slots=True)
class _Search:
    """A search that waits, with the arguments of its request."""

    path: str
    body: Mapping[str, Any]
    params: Mapping[str, str]
    headers: Mapping[str, str]
    timeout: float
    answer: Future[Answer] = field(default_factory=Future)


class _Response(msgspec.Struct):
    status: int = 200


class _Responses(msgspec.Struct):
    responses: list[msgspec.Raw]


class SharedSearches:
    """A cluster for some threads, whose searches share requests.

    :param cluster: sends the requests.
    :param threads: number of threads; each calls :meth:`leave` at its end.
    """

    def __init__(self, cluster: Requests, threads: int) -> None:
        self.product = cluster.product
        self._cluster = cluster
        self._running = threads
        self._waiting: list[_Search] = []
        self._lock = threading.Lock()
        self._takes_one = False

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
        """Send a request; a search waits for those of the other threads.

        :raises ClusterUnreachable: when there is no complete response.
        """
        searches = method == "POST" and path.endswith("/_search")
        if not searches or not isinstance(body, Mapping) or self._takes_one:
            return self._cluster.request(
                method, path, params=params, body=body, headers=headers, timeout=timeout
            )
        search = _Search(path, body, params or {}, headers or {}, timeout or UNLIMITED)
        with self._lock:
            self._waiting.append(search)
            due = self._due()
        self._send(due)
        return search.answer.result()

    def leave(self) -> None:
        """Note that a thread has ended, for which no search waits any more."""
        with self._lock:
            self._running -= 1
            due = self._due()
        self._send(due)

    def _due(self) -> list[_Search]:
        """Return the searches that wait, if every thread has one."""
        if len(self._waiting) < self._running:
            return []
        due, self._waiting = self._waiting, []
        return due

    def _send(self, searches: Sequence[_Search]) -> None:
        """Send searches, and hand each its answer."""
        if not searches:
            return
        try:
            answers = self._answers(searches)
        except Exception as error:  # noqa: BLE001 - raised in each thread that waits
            for search in searches:
                if not search.answer.done():
                    search.answer.set_exception(error)
            return
        for search, answer in zip(searches, answers, strict=True):
            search.answer.set_result(answer)

    def _answers(self, searches: Sequence[_Search]) -> list[Answer]:
        if len(searches) == 1:
            return [self._alone(searches[0])]
        answer = self._cluster.request(
            "POST",
            "/_msearch",
            body=b"".join(map(_lines, searches)),
            headers={**searches[0].headers, "content-type": "application/x-ndjson"},
            timeout=max(search.timeout for search in searches),
        )
        if answer.status in _REFUSED:
            self._takes_one = True
            return [self._alone(search) for search in searches]
        if answer.status != 200:
            return [answer] * len(searches)
        return _split(answer, len(searches))

    def _alone(self, search: _Search) -> Answer:
        return self._cluster.request(
            "POST",
            search.path,
            params=search.params,
            body=search.body,
            headers=search.headers,
            timeout=search.timeout,
        )


def _lines(search: _Search) -> bytes:
    """Return a search in the form of the multi search API: where, and what."""
    header: dict[str, Any] = {"allow_partial_search_results": False}
    index = unquote(search.path.removesuffix("/_search").removeprefix("/"))
    if index:  # A point in time has its indices.
        header["index"] = index
    newline = orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(header, option=newline) + orjson.dumps(search.body, option=newline)


def _split(answer: Answer, count: int) -> list[Answer]:
    """Return the answers to single searches, as the search API returns them."""
    try:
        responses = msgspec.json.decode(answer.body, type=_Responses).responses
        statuses = [msgspec.json.decode(raw, type=_Response).status for raw in responses]
    except msgspec.DecodeError as error:
        raise StoreError("the cluster's response is not valid JSON.") from error
    if len(responses) != count:
        raise StoreError(f"the cluster returned {len(responses)} responses to {count} searches.")
    return [
        Answer(status, answer.headers, bytes(raw))
        for status, raw in zip(statuses, responses, strict=True)
    ]


@contextmanager
def in_threads(
    cluster: Requests, tasks: Sequence[Callable[[Requests], T]], threads: int
) -> Iterator[list[Future[T]]]:
    """Run tasks in threads, in their order.

    :param tasks: called with the cluster to send their searches to.
    :param threads: number of tasks that run at once.
    """
    outcomes: list[Future[T]] = [Future() for _ in tasks]
    left = deque(zip(tasks, outcomes, strict=True))
    threads = min(threads, len(tasks))
    shared = SharedSearches(cluster, threads)

    def work() -> None:
        try:
            while True:
                try:
                    task, outcome = left.popleft()
                except IndexError:
                    return
                try:
                    outcome.set_result(task(shared))
                except Exception as error:  # noqa: BLE001 - raised again where the result is read.
                    outcome.set_exception(error)
        finally:
            shared.leave()

    # As daemons, they do not keep an interrupted process waiting for a search.
    workers = [threading.Thread(target=work, daemon=True) for _ in range(threads)]
    for worker in workers:
        worker.start()
    try:
        yield outcomes
    finally:
        left.clear()
