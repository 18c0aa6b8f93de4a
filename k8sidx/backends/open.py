"""Stores by their location."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from k8sidx.backends.cluster.http.address import is_cluster
from k8sidx.backends.embedded.store import EmbeddedStore

if TYPE_CHECKING:
    from k8sidx.backends.cluster.http.settings import ConnectionSettings
    from k8sidx.backends.cluster.store import ClusterStore


Store: TypeAlias = "EmbeddedStore | ClusterStore"


def open_store(
    location: str,
    *,
    create: bool = False,
    index: str = "",
    connection: ConnectionSettings | None = None,
) -> Store:
    """The store at a location: the address of a cluster, or the path of an embedded store.

    :param create: a missing store is no error, it will be made by the first writer.
    :param index: for a cluster: prefix of the indices, or a pattern of existing ones.
    :param connection: for a cluster: how to reach it.
    :raises UsageError: when the location or the index cannot be one.
    :raises StoreError: when there is no embedded store. A cluster is not asked yet.
    """
    if is_cluster(location):
        from k8sidx.backends.cluster.http.settings import ConnectionSettings
        from k8sidx.backends.cluster.index.target import DEFAULT_INDEX, parse_target
        from k8sidx.backends.cluster.store import ClusterStore

        target = parse_target(index or DEFAULT_INDEX)
        return ClusterStore(location, target, connection or ConnectionSettings())
    path = Path(location)
    if not create:
        from k8sidx.backends.embedded.storage.manifest import read_manifest

        read_manifest(path)
    return EmbeddedStore(path)


@contextmanager
def temporary_store(columns: frozenset[str] | None) -> Iterator[EmbeddedStore]:
    """An embedded store that is thrown away.

    :param columns: names of the fields that will be asked for; ``None`` for all, and with them
        the whole events.
    """
    from k8sidx.backends.embedded.storage.columns import ALWAYS_STORED

    kept = None if columns is None else columns | ALWAYS_STORED
    folder = tempfile.mkdtemp(prefix="k8sidx-")
    try:
        yield EmbeddedStore(Path(folder) / "store", columns=kept, temporary=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
