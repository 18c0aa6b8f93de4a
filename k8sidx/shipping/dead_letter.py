"""Dead-letter file: rejected records with the reason, ready to be shipped again.

One JSON object per line::

    {"k8sidx": "dead-letter", "source": "audit.log", "record": 17, "reason": "…", "raw": "…"}

``raw_base64`` replaces ``raw`` when the record is not UTF-8. The file contains records as they
were read, secrets included, so only its owner may read it.
"""

from __future__ import annotations

import base64
import os
from io import BufferedWriter
from pathlib import Path
from typing import Any

import orjson

from k8sidx.errors import StoreError
from k8sidx.events.decode.providers.dead_letter import MARK
from k8sidx.events.records import Rejected


class DeadLetter:
    """Writes rejected records to a file that is created with the first one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: BufferedWriter | None = None
        self._is_durable = True

    def add(self, rejected: Rejected) -> None:
        """Write one record.

        :raises StoreError: when the file cannot be written.
        """
        record: dict[str, Any] = {
            "k8sidx": MARK,
            "source": rejected.where.source.encode("utf-8", "replace").decode(),
            "record": rejected.where.record,
            "reason": rejected.reason,
        }
        try:
            record["raw"] = rejected.raw.decode("utf-8")
        except UnicodeDecodeError:
            record["raw_base64"] = base64.b64encode(rejected.raw).decode("ascii")
        try:
            if self._file is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
                self._file = os.fdopen(handle, "wb")
            self._is_durable = False
            self._file.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
        except OSError as error:
            raise StoreError(
                f"the dead-letter file {self.path} cannot be written: {error.strerror}.",
                remedy="Give another --dead-letter; nothing was lost, ship again.",
            ) from error

    def flush(self) -> None:
        """Sync the file to disk."""
        if self._file is not None and not self._is_durable:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._is_durable = True

    def close(self) -> None:
        """Sync the file to disk and close it."""
        if self._file is not None:
            self.flush()
            self._file.close()
            self._file = None
