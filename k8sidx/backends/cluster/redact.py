"""Redaction of stored documents: those that the present rules redact or identify otherwise.

A document whose event has another id now is created under that id first; the old one is
deleted once the cluster has confirmed it. What is killed in between leaves both, and the next
run deletes the old one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

import orjson

from k8sidx.backends.cluster.http.api_errors import ClusterRefused
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.http.retry import Backoff, Deadline
from k8sidx.backends.cluster.http.retrying import OVERLOADED, expect_success, retrying_request
from k8sidx.backends.cluster.index.companions import summaries_index
from k8sidx.backends.cluster.index.document import as_text, document, document_id
from k8sidx.backends.cluster.scan import StoredDocument, stored_documents
from k8sidx.backends.store import Renewed
from k8sidx.errors import StoreError
from k8sidx.events.normalize.event import Normalizer
from k8sidx.events.normalize.stored import renormalize

_PATH = "/_bulk?filter_path=items.*.status,items.*.error.type,items.*.error.reason"
_SECONDS = 120.0
"""Seconds without progress after which a run gives up."""
_REQUEST_BYTES = 5 * 1024 * 1024


class _Operation(NamedTuple):
    """One entry of a bulk request; ``written`` is empty for a deletion."""

    action: str
    index_name: str
    id: str
    written: bytes = b""

    def lines(self) -> bytes:
        head = orjson.dumps({self.action: {"_index": self.index_name, "_id": self.id}})
        return head + b"\n" + (self.written + b"\n" if self.written else b"")


def redact_documents(
    cluster: Cluster, pattern: str, prefix: str, on_progress: Callable[[Renewed], None]
) -> Renewed:
    """Store the documents again that the present rules would change.

    :param on_progress: called with the counts after each page.
    :raises StoreError: when the cluster cannot be read, or refuses a document; everything that
        was read is stored in one form or the other.
    """
    renewed = Renewed()
    normalizer = Normalizer()
    indices: set[str] = set()
    try:
        for page in stored_documents(cluster, pattern):
            indices |= _redact_page(cluster, page, normalizer, renewed)
            on_progress(renewed)
    finally:
        if indices:
            _forget(cluster, prefix, indices)
    return renewed


def _redact_page(
    cluster: Cluster, page: Sequence[StoredDocument], normalizer: Normalizer, renewed: Renewed
) -> set[str]:
    """Return the indices of the documents that were changed."""
    writes: list[_Operation] = []
    old: list[StoredDocument] = []
    for stored in page:
        again = renormalize(stored.row, normalizer)
        if not again.changed:
            continue
        new = document_id(again.event.values.id).decode()
        action = "index" if new == stored.id else "create"
        writes.append(_Operation(action, stored.index_name, new, document(again.event)))
        old.append(stored)
        renewed.values += len(again.replaced)
    renewed.events += len(page)
    renewed.changed += len(writes)
    renewed.duplicates += _write(cluster, writes)
    _delete(
        cluster,
        [
            _Operation("delete", stored.index_name, stored.id)
            for stored, write in zip(old, writes, strict=True)
            if write.action == "create"
        ],
    )
    return {stored.index_name for stored in old}


def _write(cluster: Cluster, writes: list[_Operation]) -> int:
    """Store documents; return how many existed already.

    :raises StoreError: when one is refused.
    """
    results = _bulk(cluster, writes)
    refused = [at for at, (status, _) in enumerate(results) if status == 400]
    if refused:
        # JSON that the server does not accept as such was stored as text.
        again = [writes[at]._replace(written=as_text(writes[at].written)) for at in refused]
        for at, result in zip(refused, _bulk(cluster, again), strict=True):
            results[at] = result
    for status, reason in results:
        if status not in (200, 201, 409):
            raise StoreError(
                f"the cluster refuses a redacted document: {reason}.",
                remedy="The stored document was left as it is. Run the command again to continue.",
            )
    return sum(status == 409 for status, _ in results)


def _delete(cluster: Cluster, deletions: list[_Operation]) -> None:
    for status, reason in _bulk(cluster, deletions):
        if status not in (200, 404):
            raise StoreError(
                f"the cluster refuses to delete a document: {reason}.",
                remedy="Its redacted copy is stored as well. Run the command again to continue.",
            )


def _bulk(cluster: Cluster, operations: Sequence[_Operation]) -> list[tuple[int, str]]:
    """Send operations, in requests of a few megabytes; return each status with its reason."""
    results: list[tuple[int, str]] = [(0, "")] * len(operations)
    pending = list(range(len(operations)))
    backoff = Backoff(Deadline(_SECONDS))
    while pending:
        sent, body = _request_of(operations, pending)
        headers = {"content-type": "application/x-ndjson"}
        answer = retrying_request(
            cluster, "POST", _PATH, body=body, headers=headers, seconds=_SECONDS
        )
        items = expect_success(answer, "POST", _PATH).get("items", [])
        if len(items) != len(sent):
            raise StoreError("the cluster's response to a bulk request is not complete.")
        for at, item in zip(sent, items, strict=True):
            results[at] = _result_of(item)
        busy = [at for at in sent if results[at][0] in OVERLOADED]
        pending = busy + pending[len(sent) :]
        if len(busy) < len(sent):
            backoff.reset()
        elif not backoff.wait():
            raise StoreError(f"the cluster is busy: {results[busy[0]][1]}.")
    return results


def _request_of(
    operations: Sequence[_Operation], pending: Sequence[int]
) -> tuple[list[int], bytes]:
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


def _result_of(item: dict[str, Any]) -> tuple[int, str]:
    [outcome] = item.values()
    error = outcome.get("error") or {}
    return outcome.get("status", 0), f"{error.get('type', '')}: {error.get('reason', '')}"


def _forget(cluster: Cluster, prefix: str, indices: set[str]) -> None:
    """Delete the summaries, which have values of the events, and what deleted documents left.

    :raises ClusterRefused: when the summaries cannot be deleted.
    """
    path = f"/{quote(summaries_index(prefix), safe='')}"
    answer = retrying_request(cluster, "DELETE", path)
    if answer.status != 404:
        expect_success(answer, "DELETE", path)
    for index in sorted(indices):
        name = quote(index, safe="")
        expect_success(retrying_request(cluster, "POST", f"/{name}/_refresh"), "POST", index)
        merge = f"/{name}/_forcemerge?only_expunge_deletes=true"
        try:
            expect_success(retrying_request(cluster, "POST", merge), "POST", merge)
        except ClusterRefused:
            continue  # A service without it merges by itself.
