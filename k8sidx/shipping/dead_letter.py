"""Dead-letter file: rejected records with the reason, ready to be shipped again.

One JSON object per line::

    {"k8sidx": "dead-letter", "source": "audit.log", "record": 17, "reason": "…", "raw": "…"}

``raw_base64`` replaces ``raw`` when the record is not UTF-8. The file contains records as they
were read, secrets included, so only its owner may read it: an existing file is made private, or
refused where that cannot be done.
"""

from __future__ import annotations

import base64
import errno
import os
import stat
from contextlib import suppress
from io import BufferedWriter
from pathlib import Path
from typing import Any

import orjson

from k8sidx.backends.durable import FILE_MODE, make_private_folder
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
            "reason": rejected.reason.encode("utf-8", "replace").decode(),
        }
        try:
            record["raw"] = rejected.raw.decode("utf-8")
        except UnicodeDecodeError:
            record["raw_base64"] = base64.b64encode(rejected.raw).decode("ascii")
        try:
            if self._file is None:
                self._file = self._open()
            self._is_durable = False
            self._file.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
        except OSError as error:
            raise self._unwritable(error) from error

    def flush(self) -> None:
        """Sync the file to disk.

        :raises StoreError: when it cannot be written.
        """
        if self._file is not None and not self._is_durable:
            try:
                self._file.flush()
                os.fsync(self._file.fileno())
            except OSError as error:
                raise self._unwritable(error) from error
            self._is_durable = True

    def close(self) -> None:
        """Sync the file to disk and close it.

        :raises StoreError: when it cannot be written.
        """
        if self._file is not None:
            file, self._file = self._file, None
            try:
                if not self._is_durable:
                    file.flush()
                    os.fsync(file.fileno())
                file.close()
            except OSError as error:
                with suppress(OSError):
                    file.close()  # it still tries to write what it could not
                raise self._unwritable(error) from error

    def _open(self) -> BufferedWriter:
        """Open the file to append to, readable for its owner only.

        :raises OSError: when it cannot be opened, is a link, or is not our own.
        """
        make_private_folder(self.path.parent)
        # Not through a link: it may lead to where others read, or to what must not be changed.
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK
        handle = os.open(self.path, flags, FILE_MODE)
        try:
            about = os.fstat(handle)
            if not stat.S_ISREG(about.st_mode):
                raise OSError(errno.EINVAL, "it is not a regular file")
            if stat.S_IMODE(about.st_mode) != FILE_MODE:
                os.fchmod(handle, FILE_MODE)
            file = os.fdopen(handle, "wb")
        except BaseException:
            os.close(handle)
            raise
        # Of a run that was killed, the last line may be torn; ours begins on its own.
        if about.st_size and os.pread(handle, 1, about.st_size - 1) != b"\n":
            file.write(b"\n")
        return file

    def _unwritable(self, error: OSError) -> StoreError:
        reason = "it is a symbolic link" if error.errno == errno.ELOOP else error.strerror
        return StoreError(
            f"the dead-letter file {self.path} cannot be written: {reason}.",
            remedy="Make room or give another --dead-letter; nothing was lost, ship again.",
        )
