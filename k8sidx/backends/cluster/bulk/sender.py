"""One batch → delivered: sent, sent again, split, until every document has its outcome.

Sending something twice does no harm: a document's id follows from its event, and its
creation is refused as a duplicate when it is there already.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from isal import igzip

from k8sidx.backends.cluster.bulk.batch import Batch, with_json_as_text
from k8sidx.backends.cluster.bulk.response import PARAMETERS, Fate, Verdict, judge
from k8sidx.backends.cluster.http.client import Cluster, ClusterUnreachable
from k8sidx.backends.cluster.http.retry import Gate, Patience, Retries
from k8sidx.backends.cluster.index.cache import KnownIndices
from k8sidx.errors import NotDelivered

REQUEST_BYTES = 5 * 1024 * 1024
"""Larger batches are sent in several requests."""
SMALLEST_REQUEST_BYTES = 64 * 1024
_PATH = f"/_bulk?{PARAMETERS}"
_HEADERS = {"content-type": "application/x-ndjson"}
_PACKED = {**_HEADERS, "content-encoding": "gzip"}
_GZIP_LEVEL = 1


@dataclass(slots=True)
class Delivered:
    """The outcome of a batch.

    :ivar refused: places of documents that the cluster does not take, and why.
    """

    created: int = 0
    duplicates: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)


class Sender:
    """What the deliveries of a run share.

    :param on_trouble: told, in other threads, why a delivery waits.
    :param compress: gzip requests.
    """

    def __init__(
        self,
        cluster: Cluster,
        indices: KnownIndices,
        patience: Patience,
        gate: Gate,
        on_trouble: Callable[[str], None],
        *,
        compress: bool,
    ) -> None:
        self.cluster = cluster
        self.indices = indices
        self.patience = patience
        self.gate = gate
        self.on_trouble = on_trouble
        self.compress = compress
        self.request_bytes = REQUEST_BYTES

    def deliver(self, batch: Batch) -> Delivered:
        """Send a batch until each document has its outcome.

        :raises NotDelivered: when some have none after all patience, or the cluster
            does not let us.
        """
        return _Delivery(self, batch).run()

    def post(self, body: bytes, documents: int) -> Verdict:
        """One bulk request.

        :param documents: how many are in it.
        """
        packed = igzip.compress(body, _GZIP_LEVEL) if self.compress else body
        headers = _PACKED if self.compress else _HEADERS
        with self.gate.passed():
            try:
                answer = self.cluster.request("POST", _PATH, body=packed, headers=headers)
            except ClusterUnreachable as error:
                fate = Fate.UNKNOWN if error.sent else Fate.BUSY
                verdict = Verdict(fate, error.message.rstrip("."))
            else:
                verdict = judge(answer, documents)
        if verdict.fate is Fate.BUSY or verdict.again:
            self.gate.pressed()
        elif verdict.fate is Fate.ANSWERED:
            self.gate.went_well()
        elif verdict.fate is Fate.TOO_LARGE and documents > 1:
            self.request_bytes = max(SMALLEST_REQUEST_BYTES, len(body) // 2)
        return verdict


class _Delivery:
    """The state of one batch; ``_left`` are the documents to be sent, a request each."""

    def __init__(self, sender: Sender, batch: Batch) -> None:
        self._sender = sender
        self._batch = batch
        self._documents = batch.documents
        self._left: list[Sequence[int]] = [range(len(batch.documents))]
        self._result = Delivered()
        self._busy = Retries(sender.patience)
        self._unknown = Retries(sender.patience)
        self._refused_as_json: dict[int, str] = {}

    def run(self) -> Delivered:
        self._prepare()
        while self._left:
            places = self._fitting(self._left.pop())
            body = b"".join([self._documents[place] for place in places])
            verdict = self._sender.post(body, len(places))
            if verdict.fate is Fate.ANSWERED:
                self._take(verdict, places)
            elif verdict.fate is Fate.DENIED:
                raise NotDelivered(f"the cluster refuses to store events: {verdict.why}.")
            elif verdict.fate in (Fate.TOO_LARGE, Fate.MALFORMED):
                self._split(places, verdict.why)
            else:
                self._left.append(places)
                retries = self._busy if verdict.fate is Fate.BUSY else self._unknown
                self._wait(retries, verdict.why, verdict.wait)
        return self._result

    def _fitting(self, places: Sequence[int]) -> Sequence[int]:
        """As many of the documents as one request may have; the others stay left."""
        size = 0
        for count, place in enumerate(places):
            size += len(self._documents[place])
            if size > self._sender.request_bytes and count:
                self._left.append(places[count:])
                return places[:count]
        return places

    def _take(self, verdict: Verdict, places: Sequence[int]) -> None:
        result = self._result
        result.created += verdict.created
        result.duplicates += verdict.duplicates
        for at, why in verdict.refused:
            self._refuse(places[at], why)
        if verdict.created or verdict.duplicates or verdict.refused:
            self._busy.succeeded()
            self._unknown.succeeded()
        if verdict.missing:
            self._left.append([places[at] for at in verdict.missing])
            self._sender.indices.forget(self._batch.indices)
            self._wait(self._busy, "an index is missing")
            self._prepare()
        if verdict.again:
            self._left.append([places[at] for at in verdict.again])
            self._wait(self._busy, verdict.why)

    def _split(self, places: Sequence[int], why: str) -> None:
        """Find the document that is too much, or spoils the request for the others."""
        if len(places) == 1:
            self._refuse(places[0], why)
        else:
            middle = len(places) // 2
            self._left += [places[middle:], places[:middle]]

    def _refuse(self, place: int, why: str) -> None:
        """A server may not take the event's JSON as such: its second try is text."""
        if place in self._refused_as_json:
            self._result.refused.append((place, self._refused_as_json[place]))
        else:
            self._refused_as_json[place] = why
            self._documents[place] = with_json_as_text(self._documents[place])
            self._left.append([place])

    def _prepare(self) -> None:
        while True:
            try:
                return self._sender.indices.prepare(self._batch.indices)
            except ClusterUnreachable as error:
                self._wait(self._busy, error.message.rstrip("."))

    def _wait(self, retries: Retries, why: str, at_least: float = 0.0) -> None:
        self._sender.on_trouble(why)
        if not retries.wait(at_least):
            raise NotDelivered(f"the cluster has taken nothing for too long: {why}.")
