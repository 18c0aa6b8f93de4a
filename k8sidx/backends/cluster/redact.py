"""Redaction of stored documents: those that the present rules redact or identify otherwise.

A document whose event has another id now is created under that id first; the old one is
deleted once the cluster has confirmed it. What is killed in between leaves both, and the next
run deletes the old one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import quote

from k8sidx.backends.cluster.bulk.operations import Operation, bulk
from k8sidx.backends.cluster.http.api_errors import ClusterRefused
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.http.retrying import expect_success, retrying_request
from k8sidx.backends.cluster.index.companions import forget_summaries
from k8sidx.backends.cluster.index.document import as_text, document, document_id
from k8sidx.backends.cluster.scan import StoredDocument, stored_documents
from k8sidx.backends.store import Renewed
from k8sidx.errors import StoreError
from k8sidx.events.normalize.event import Normalizer
from k8sidx.events.normalize.stored import renormalize


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
    writes: list[Operation] = []
    old: list[StoredDocument] = []
    for stored in page:
        again = renormalize(stored.row, normalizer)
        if not again.changed:
            continue
        new = document_id(again.event.values.id).decode()
        action = "index" if new == stored.id else "create"
        writes.append(Operation(action, stored.index_name, new, document(again.event)))
        old.append(stored)
        renewed.values += len(again.replaced)
    renewed.events += len(page)
    renewed.changed += len(writes)
    renewed.duplicates += _write(cluster, writes)
    _delete(
        cluster,
        [
            Operation("delete", stored.index_name, stored.id)
            for stored, write in zip(old, writes, strict=True)
            if write.action == "create"
        ],
    )
    return {stored.index_name for stored in old}


def _write(cluster: Cluster, writes: list[Operation]) -> int:
    """Store documents; return how many existed already.

    :raises StoreError: when one is refused.
    """
    results = bulk(cluster, writes)
    refused = [at for at, result in enumerate(results) if result.status == 400]
    if refused:
        # JSON that the server does not accept as such was stored as text.
        again = [writes[at]._replace(written=as_text(writes[at].written)) for at in refused]
        for at, result in zip(refused, bulk(cluster, again), strict=True):
            results[at] = result
    for status, reason, _ in results:
        if status not in (200, 201, 409):
            raise StoreError(
                f"the cluster refuses a redacted document: {reason}.",
                remedy="The stored document was left as it is. Run the command again to continue.",
            )
    return sum(result.status == 409 for result in results)


def _delete(cluster: Cluster, deletions: list[Operation]) -> None:
    for status, reason, _ in bulk(cluster, deletions):
        if status not in (200, 404):
            raise StoreError(
                f"the cluster refuses to delete a document: {reason}.",
                remedy="Its redacted copy is stored as well. Run the command again to continue.",
            )


def _forget(cluster: Cluster, prefix: str, indices: set[str]) -> None:
    """Delete the summaries, which have values of the events, and what deleted documents left.

    :raises ClusterRefused: when the summaries cannot be deleted.
    """
    forget_summaries(cluster, prefix)
    for index in sorted(indices):
        name = quote(index, safe="")
        expect_success(retrying_request(cluster, "POST", f"/{name}/_refresh"), "POST", index)
        merge = f"/{name}/_forcemerge?only_expunge_deletes=true"
        try:
            expect_success(retrying_request(cluster, "POST", merge), "POST", merge)
        except ClusterRefused:
            continue  # A service without it merges by itself.
