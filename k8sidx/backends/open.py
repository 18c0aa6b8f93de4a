"""Opening a store by its location; the only module that knows the kinds of stores."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from k8sidx.backends.cluster.http.address import is_cluster, parse_location
from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.backends.embedded.temporary import temporary_store
from k8sidx.backends.store import Store
from k8sidx.errors import UsageError

if TYPE_CHECKING:
    from k8sidx.backends.connection import ClusterOptions, ConnectionSettings
    from k8sidx.backends.documents import DocumentShard

__all__ = [
    "check_location",
    "finding_monitors",
    "is_cluster",
    "open_documents",
    "open_store",
    "public_location",
    "temporary_store",
]

_ADDRESS = re.compile(r"(?!https?://)[^/]*[:@](?!//)", re.IGNORECASE)
"""A host with a port, a user or both, and no scheme before it."""


def open_store(
    location: str,
    *,
    create: bool = False,
    cluster: Callable[[], ClusterOptions] | None = None,
) -> Store:
    """Return the store at a location: the address of a cluster, or the path of an embedded store.

    :param create: a missing store is not an error, it will be created by the first writer.
    :param cluster: called for a cluster: returns its options.
    :raises UsageError: when the location or the index is not valid.
    :raises StoreError: when there is no embedded store. A cluster is not contacted yet.
    """
    if is_cluster(location):
        from k8sidx.backends.cluster.index.target import DEFAULT_INDEX, parse_target
        from k8sidx.backends.cluster.store import ClusterStore
        from k8sidx.backends.connection import ClusterOptions

        options = cluster() if cluster else ClusterOptions()
        target = parse_target(options.index or DEFAULT_INDEX)
        return ClusterStore(location, target, options.connection, temporary_store)
    path = Path(location)
    if not create:
        from k8sidx.backends.embedded.storage.manifest import read_manifest

        read_manifest(path)
    return EmbeddedStore(path)


def check_location(location: str) -> None:
    """Check that a location can be that of a store.

    :raises UsageError: when it is the URL of anything but a cluster, or the address of one without
        its scheme. The error does not contain what may be a password.
    """
    if _ADDRESS.match(location) and not Path(location).is_dir():
        raise UsageError(
            "the store is neither a folder nor a URL.",
            remedy="Write the address of a cluster with its scheme, https://host:9200; a folder "
            "whose name has a colon or an @ as ./name.",
        )
    scheme, separator, _ = location.partition("://")
    if separator and not is_cluster(location):
        raise UsageError(
            f"{scheme}:// is not a store.",
            remedy="Give --store the path of a folder, or a cluster's http(s):// address.",
        )


def public_location(location: str) -> str:
    """Return a location without credentials: to print, or to pass to ``--store`` again.

    :raises UsageError: when it is not a valid address of a cluster.
    """
    return str(parse_location(location)) if is_cluster(location) else location


def open_documents(address: str, settings: ConnectionSettings) -> Sequence[DocumentShard]:
    """Return the shards of the indices at ``https://host:9200/filebeat-*``, to ship from.

    :raises UsageError: when the address names no index.
    :raises StoreError: when the cluster cannot be reached, refuses access or has no such index.
    """
    from k8sidx.backends.cluster.documents.source import open_shards

    return open_shards(address, settings)


def finding_monitors(index: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the path and the content of each monitor about the findings of a cluster's indices.

    :param index: prefix or pattern of the indices; empty for the default.
    :raises UsageError: when it is not valid.
    """
    from k8sidx.backends.cluster.index.monitors import monitor_files
    from k8sidx.backends.cluster.index.target import DEFAULT_INDEX, findings_index, parse_target

    yield from monitor_files(findings_index(parse_target(index or DEFAULT_INDEX).name))
