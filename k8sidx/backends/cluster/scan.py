"""Scan of a cluster store: every event of it as it is stored, from one point in time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from k8sidx.backends.cluster.engine.session import Session
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.index.document import ORDER, epoch_path, identity_of, stored_fields
from k8sidx.backends.protocol import EXACT
from k8sidx.errors import StoreError
from k8sidx.events.normalize.json_tree import Fields

PAGE = 200
"""Documents of one page, bodies included."""
_SORT = [
    {path: {"order": "asc", "missing": "_last", "unmapped_type": "long"}}
    for path in (epoch_path("@timestamp"), ORDER)
]


class StoredDocument(NamedTuple):
    """A document that k8sidx wrote.

    :param row: its fields, ``event.id`` included.
    """

    index_name: str
    id: str
    row: Fields


def stored_documents(cluster: Cluster, pattern: str) -> Iterator[list[StoredDocument]]:
    """Yield the documents of indices, a page at a time.

    :raises StoreError: when they cannot be read as a whole; at the end, when there are
        documents among them that k8sidx did not write.
    """
    foreign = 0
    body: dict[str, Any] = {"size": PAGE, "sort": _SORT, "track_total_hits": False}
    with Session(cluster, pattern, EXACT) as session:
        session.pin()
        while hits := session.search(body)["hits"]["hits"]:
            page = [document for hit in hits if (document := _document(hit))]
            foreign += len(hits) - len(page)
            yield page
            if len(hits) < PAGE:
                break
            body["search_after"] = hits[-1]["sort"]
    if foreign:
        raise StoreError(
            f"{foreign:,} documents of {pattern} were not written by k8sidx, and were not "
            "looked into.",
            remedy="Give --index the prefix of k8sidx's own indices.",
        )


def _document(hit: dict[str, Any]) -> StoredDocument | None:
    source = hit.get("_source", {})
    try:
        identity = identity_of(hit["_id"])
    except ValueError:
        return None
    if ORDER not in source:
        return None
    return StoredDocument(hit["_index"], hit["_id"], stored_fields(source, identity))
