"""Saved findings of an embedded store: one Parquet file, replaced as a whole."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import filelock
import pyarrow as pa
import pyarrow.parquet as pq

from k8sidx.backends.durable import (
    FILE_MODE,
    make_private_file,
    make_private_folder,
    write_durably,
)
from k8sidx.backends.finding_record import (
    FIELDS,
    Record,
    merged,
    redacted_record,
    secret_fields,
)
from k8sidx.backends.finding_state import StateChange, state_change
from k8sidx.backends.store import SavedFindings
from k8sidx.errors import StoreError
from k8sidx.events.fields.table import Kind

LOCK_SECONDS = 60
_TYPES = {Kind.INTEGER: pa.int64(), Kind.TIME: pa.timestamp("us", tz="UTC")}


def _type(kind: Kind, many: bool) -> pa.DataType:
    element = _TYPES.get(kind, pa.string())
    return pa.list_(element) if many else element


SCHEMA = pa.schema([(field.name, _type(field.kind, field.many)) for field in FIELDS])


def findings_path(store: Path) -> Path:
    """Return the path of the file that contains a store's findings."""
    return store / "findings" / "findings.parquet"


def states_path(store: Path) -> Path:
    """Return the path of the file that contains the state changes of a store's findings."""
    return store / "findings" / "states.jsonl"


class EmbeddedFindings:
    """The saved findings of an embedded store.

    :param store: the store's folder.
    """

    def __init__(self, store: Path) -> None:
        self._store = store

    def save(self, records: Mapping[str, Record]) -> SavedFindings:
        """Add or update findings; see :class:`k8sidx.backends.store.Findings`.

        :raises StoreError: when another process holds the lock, or the file cannot be written.
        """
        path = findings_path(self._store)
        with self._locked(path):
            saved = read_findings(self._store)
            new = len(records.keys() - saved.keys())
            for identifier, record in records.items():
                saved[identifier] = redacted_record(merged(saved.get(identifier), record))
            _replace(path, list(saved.values()))
        return SavedFindings(new, str(path))

    def load(self) -> dict[str, Record]:
        """Return the saved findings; see :class:`k8sidx.backends.store.Findings`.

        :raises StoreError: when the file cannot be read.
        """
        return read_findings(self._store)

    def redact(self) -> int:
        """Replace credentials in saved findings; see :class:`k8sidx.backends.store.Findings`.

        :raises StoreError: when another process holds the lock, or the file cannot be written.
        """
        saved = read_findings(self._store)
        secrets = {key: secret_fields(record) for key, record in saved.items()}
        if any(secrets.values()):
            self.save({key: saved[key] for key, fields in secrets.items() if fields})
        return sum(map(len, secrets.values()))

    def states(self) -> list[StateChange]:
        """Return the state changes; see :class:`k8sidx.backends.store.Findings`.

        :raises StoreError: when the file cannot be read.
        """
        path = states_path(self._store)
        try:
            lines = path.read_text("utf-8").splitlines()
            changes = [state_change(json.loads(line), str(path)) for line in lines]
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            raise StoreError(f"{path} cannot be read: {error}.") from error
        return sorted(changes, key=lambda change: change.at)

    def change(self, changes: Sequence[StateChange]) -> None:
        """Add state changes; see :class:`k8sidx.backends.store.Findings`.

        :raises StoreError: when another process holds the lock, or the file cannot be written.
        """
        path = states_path(self._store)
        with self._locked(path):
            before = [change.document() for change in self.states()]
            lines = [json.dumps(item) for item in before]
            lines += [json.dumps(change.document()) for change in changes]
            write_durably(path, "".join(f"{line}\n" for line in lines))

    @contextmanager
    def _locked(self, path: Path) -> Iterator[None]:
        """Hold the lock of the findings for the block.

        :raises StoreError: when another process holds it, or a file cannot be written.
        """
        try:
            make_private_folder(path.parent)
            lock = findings_path(self._store).with_suffix(".lock")
            with filelock.FileLock(lock, timeout=LOCK_SECONDS, mode=FILE_MODE):
                yield
        except filelock.Timeout as error:
            raise StoreError(
                f"another process has been writing findings to {self._store} for "
                f"{LOCK_SECONDS} seconds.",
                remedy="Retry when it has ended.",
            ) from error
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error.strerror}.") from error


def read_findings(store: Path) -> dict[str, Record]:
    """Return the saved findings of a store by id.

    :raises StoreError: when the file cannot be read.
    """
    path = findings_path(store)
    if not path.exists():
        return {}
    try:
        rows: list[dict[str, Any]] = pq.read_table(path, schema=SCHEMA).to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise StoreError(
            f"the findings in {path} cannot be read: {str(error).splitlines()[0]}.",
            remedy="Move the file away; the next k8sidx hunt --save creates a new one.",
        ) from error
    present = [{name: value for name, value in row.items() if value is not None} for row in rows]
    return {row["event.id"]: row for row in present}


def _replace(path: Path, rows: list[Record]) -> None:
    rows.sort(key=lambda row: (row["@timestamp"], row["event.id"]))
    columns = {name: [row.get(name) for row in rows] for name in SCHEMA.names}
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.unlink(missing_ok=True)  # of a process that was killed
    make_private_file(aside)
    pq.write_table(pa.table(columns, schema=SCHEMA), aside, compression="zstd")
    aside.replace(path)
