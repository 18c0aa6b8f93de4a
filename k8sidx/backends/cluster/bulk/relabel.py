"""Cluster names of documents that are stored already: bulk updates of one field."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import orjson

from k8sidx.backends.cluster.bulk.operations import Operation, bulk
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.errors import StoreError

CLUSTER = "orchestrator.cluster.name"


def relabel_documents(cluster: Cluster, documents: Sequence[bytes], name: str) -> int:
    """Give documents another cluster name; return how many had another one.

    :param documents: the lines of the bulk API that tried to create them.
    :raises StoreError: when the cluster cannot be reached or refuses an update.
    """
    written = orjson.dumps({"doc": {CLUSTER: name}})
    updates = [_update(lines, written) for lines in documents]
    changed = 0
    for result in bulk(cluster, updates, refresh=True):
        # One that is missing was deleted after it had been found, with its index or by hand.
        if result.status not in (200, 404):
            raise StoreError(
                f"the cluster refuses to update a document: {result.reason}.",
                remedy="Its cluster name was left as it is. Run the command again to continue.",
            )
        changed += result.result == "updated"
    return changed


def _update(lines: bytes, written: bytes) -> Operation:
    action = msgspec.json.decode(lines.partition(b"\n")[0])["create"]
    return Operation("update", action["_index"], action["_id"], written)
