"""Detection of missing and damaged parts.

DuckDB does not verify Parquet's page checksums. So the manifest has a checksum of each
file, which is compared whenever the file is not the one that was committed by its size and
modification time: reading every byte for every query would cost more than the query. Merges,
migrations and look-ups of ids verify the page checksums of what they read; ``k8sidx doctor``
verifies every byte.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from k8sidx.backends.durable import checksum_of
from k8sidx.backends.embedded.storage.manifest import Part
from k8sidx.errors import StoreError


def check_parts(store: Path, parts: Iterable[Part]) -> None:
    """Compare files with the manifest; read those that changed since they were committed.

    :raises StoreError: when one is missing or damaged; the message names it.
    """
    for part in parts:
        if fault := _fault_by_state(store, part):
            raise damaged_part(store, part.path, fault)


def _fault_by_state(store: Path, part: Part, *, every_byte: bool = False) -> str:
    try:
        state = (store / part.path).stat()
    except OSError as error:
        return reason_of(error)
    if state.st_size != part.bytes:
        return f"it has {state.st_size:,} bytes instead of {part.bytes:,}"
    if part.checksum and (every_byte or state.st_mtime_ns != part.modified):
        return _fault_by_checksum(store, part)
    return ""


def _fault_by_checksum(store: Path, part: Part) -> str:
    try:
        checksum = checksum_of(store / part.path)
    except OSError as error:
        return reason_of(error)
    return "" if checksum == part.checksum else "its checksum is wrong"


def find_fault(store: Path, part: Part) -> str:
    """Return what is wrong with a part, after reading every byte; empty when it is whole.

    Parts of stores made before there were checksums are decoded.
    """
    fault = _fault_by_state(store, part, every_byte=True)
    if fault or part.checksum:
        return fault
    try:
        with pq.ParquetFile(store / part.path, page_checksum_verification=True) as file:
            rows = sum(len(batch) for batch in file.iter_batches())
    except (OSError, pa.ArrowException) as error:
        return reason_of(error)
    return "" if rows == part.rows else f"it has {rows:,} events instead of {part.rows:,}"


def reason_of(error: Exception) -> str:
    """Return why a file cannot be read, in one line."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return (str(error).splitlines() or [type(error).__name__])[0]


def damaged_part(store: Path, path: str, fault: str) -> StoreError:
    """The error about a part that cannot be trusted."""
    return StoreError(
        f"the store {store} has a damaged part: {path}: {fault}.",
        remedy="Restore the file from a backup, or ship the logs into a new store.",
    )
