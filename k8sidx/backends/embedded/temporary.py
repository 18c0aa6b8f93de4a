"""Temporary embedded stores."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from k8sidx.backends.embedded.store import EmbeddedStore


@contextmanager
def temporary_store(columns: frozenset[str] | None) -> Iterator[EmbeddedStore]:
    """Create an embedded store that is deleted at the end of the block.

    :param columns: names of the fields that queries will read; ``None`` for all, and with them
        the whole events.
    """
    from k8sidx.backends.embedded.storage.columns import ALWAYS_STORED

    kept = None if columns is None else columns | ALWAYS_STORED
    folder = tempfile.mkdtemp(prefix="k8sidx-")
    try:
        yield EmbeddedStore(Path(folder) / "store", columns=kept, temporary=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
