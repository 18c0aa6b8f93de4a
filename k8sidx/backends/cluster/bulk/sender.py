"""Bulk sender: sends, resends and splits a batch until every document has its outcome.

Sending something twice does no harm: a document's id follows from its event, and its
creation is refused as a duplicate when it exists already.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from isal import igzip

from k8sidx.backends.cluster.bulk.batch import Batch, with_json_as_text
from k8sidx.backends.cluster.bulk.response import (
    PARAMETERS,
    BulkResult,
    BulkStatus,
    parse_bulk_response,
)
from k8sidx.backends.cluster.http.client import Cluster, ClusterUnreachable
from k8sidx.backends.cluster.http.retry import Backoff, ConcurrencyLimiter, Deadline
from k8sidx.backends.cluster.index.cache import KnownIndices
from k8sidx.backends.sink import Tally
from k8sidx.errors import NotDelivered

REQUEST_BYTES = 5 * 1024 * 1024
"""Larger batches are sent in several requests."""
SMALLEST_REQUEST_BYTES = 64 * 1024
_PATH = f"/_bulk?{PARAMETERS}"
_HEADERS = {"content-type": "application/x-ndjson"}
_GZIP_HEADERS = {**_HEADERS, "content-encoding": "gzip"}
_GZIP_LEVEL = 1


@dataclass(slots=True)
class Delivered:
    """Outcome of a batch.

    :ivar tally: documents that are stored.
    :ivar rejections: positions of documents that the cluster does not accept, with the reason.
    :ivar existing: positions of documents that were stored before this delivery.
    """

    tally: Tally = field(default_factory=Tally)
    rejections: list[tuple[int, str]] = field(default_factory=list)
    existing: list[int] = field(default_factory=list)


class Sender:
    """Settings and state that the deliveries of a run share.

    :param on_trouble: called, in other threads, with the reason why a delivery waits.
    :param compress: gzip requests.
    """

    def __init__(
        self,
        cluster: Cluster,
        indices: KnownIndices,
        deadline: Deadline,
        limiter: ConcurrencyLimiter,
        on_trouble: Callable[[str], None],
        *,
        compress: bool,
    ) -> None:
        self.cluster = cluster
        self.indices = indices
        self.deadline = deadline
        self.limiter = limiter
        self.on_trouble = on_trouble
        self.compress = compress
        self.request_bytes = REQUEST_BYTES

    def deliver(self, batch: Batch) -> Delivered:
        """Send a batch until each document has its outcome.

        :raises NotDelivered: when some have none by the deadline, or the cluster denies access.
        """
        return _Delivery(self, batch).run()

    def post(self, body: bytes, documents: int) -> BulkResult:
        """Send one bulk request.

        :param documents: number of documents in it.
        """
        sent = igzip.compress(body, _GZIP_LEVEL) if self.compress else body
        headers = _GZIP_HEADERS if self.compress else _HEADERS
        with self.limiter.slot():
            try:
                answer = self.cluster.request("POST", _PATH, body=sent, headers=headers)
            except ClusterUnreachable as error:
                status = BulkStatus.UNKNOWN if error.sent else BulkStatus.BUSY
                result = BulkResult(status, error.message.rstrip("."))
            else:
                result = parse_bulk_response(answer, documents)
        if result.status is BulkStatus.BUSY or result.retry:
            self.limiter.throttle()
        elif result.status is BulkStatus.ANSWERED:
            self.limiter.recover()
        elif result.status is BulkStatus.TOO_LARGE and documents > 1:
            self.request_bytes = max(SMALLEST_REQUEST_BYTES, len(body) // 2)
        return result


class _Delivery:
    """The state of one batch; ``_pending`` has the documents to be sent, an entry per request."""

    def __init__(self, sender: Sender, batch: Batch) -> None:
        self._sender = sender
        self._batch = batch
        self._documents = batch.documents
        self._pending: list[Sequence[int]] = [range(len(batch.documents))]
        self._delivered = Delivered()
        self._busy = Backoff(sender.deadline)
        self._unknown = Backoff(sender.deadline)
        self._rejected_as_json: dict[int, str] = {}
        self._unanswered: set[int] = set()

    def run(self) -> Delivered:
        self._prepare()
        while self._pending:
            positions = self._fitting(self._pending.pop())
            body = b"".join([self._documents[position] for position in positions])
            result = self._sender.post(body, len(positions))
            if result.status is BulkStatus.ANSWERED:
                self._apply(result, positions)
            elif result.status is BulkStatus.DENIED:
                raise NotDelivered(f"the cluster refuses to store events: {result.reason}.")
            elif result.status in (BulkStatus.TOO_LARGE, BulkStatus.MALFORMED):
                self._split(positions, result.reason)
            else:
                self._pending.append(positions)
                busy = result.status is BulkStatus.BUSY
                if not busy:
                    self._unanswered.update(positions)
                self._wait(self._busy if busy else self._unknown, result.reason, result.wait)
        return self._delivered

    def _fitting(self, positions: Sequence[int]) -> Sequence[int]:
        """Return as many of the documents as fit into a request; the others stay pending."""
        size = 0
        for count, position in enumerate(positions):
            size += len(self._documents[position])
            if size > self._sender.request_bytes and count:
                self._pending.append(positions[count:])
                return positions[:count]
        return positions

    def _apply(self, result: BulkResult, positions: Sequence[int]) -> None:
        self._delivered.tally += result.tally
        # A document that an unanswered request of ours contained was most likely stored by it.
        existing = [positions[at] for at in result.existing]
        before = [position for position in existing if position not in self._unanswered]
        ours = len(existing) - len(before)
        self._delivered.tally += Tally(indexed=ours, duplicates=-ours)
        self._delivered.existing += before
        for at, reason in result.rejections:
            self._reject(positions[at], reason)
        if result.tally.read or result.rejections:
            self._busy.reset()
            self._unknown.reset()
        if result.missing:
            self._pending.append([positions[at] for at in result.missing])
            self._sender.indices.forget(self._batch.indices)
            self._wait(self._busy, "an index is missing")
            self._prepare()
        if result.retry:
            self._pending.append([positions[at] for at in result.retry])
            self._wait(self._busy, result.reason)

    def _split(self, positions: Sequence[int], reason: str) -> None:
        """Bisect towards the document that is too large, or invalidates the whole request."""
        if len(positions) == 1:
            self._reject(positions[0], reason)
        else:
            middle = len(positions) // 2
            self._pending += [positions[middle:], positions[:middle]]

    def _reject(self, position: int, reason: str) -> None:
        """Retry once with the event's JSON as text, which a server may accept; then reject."""
        if position in self._rejected_as_json:
            self._delivered.rejections.append((position, self._rejected_as_json[position]))
        else:
            self._rejected_as_json[position] = reason
            self._documents[position] = with_json_as_text(self._documents[position])
            self._pending.append([position])

    def _prepare(self) -> None:
        while True:
            try:
                return self._sender.indices.prepare(self._batch.indices)
            except ClusterUnreachable as error:
                self._wait(self._busy, error.message.rstrip("."))

    def _wait(self, backoff: Backoff, reason: str, at_least: float = 0.0) -> None:
        self._sender.on_trouble(reason)
        if not backoff.wait(at_least):
            raise NotDelivered(f"the cluster has accepted no events for too long: {reason}.")
