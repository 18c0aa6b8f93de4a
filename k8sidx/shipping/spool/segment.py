"""Spool segment: one entry as a file of checksummed frames, written once and only appended to.

A frame is its length and the CRC-32 of its content, 4 bytes each, big-endian, and the content.
The first frame contains the entry's attributes as JSON, the following ones its data. The last
frame has length 0 and the CRC-32 of the length of all data in 8 bytes: without it the entry was
never finished, and a tail of zeros, which a power cut may leave, is not taken for it.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from isal import isal_zlib

from k8sidx.backends.durable import FILE_MODE
from k8sidx.compression import DamagedStreamError

FRAME_BYTES = 256 * 1024
"""Longest frame that is written."""
_HEAD = struct.Struct(">II")
_LENGTH = struct.Struct(">Q")
_LONGEST_FRAME = 16 * 1024 * 1024
"""Longest frame that is read: a damaged length must not cost memory."""


class EntryKind(StrEnum):
    """Form of an entry's data."""

    LINES = "lines"
    """Whole records, one a line, as a source has them."""
    BODY = "body"
    """A request's body in any form that an input may have."""


@dataclass(frozen=True, slots=True)
class EntryAttributes:
    """Attributes of an entry.

    :param source: name of the source, for messages and dead letters.
    :param record: number of the first record in the source.
    :param cluster: name of the cluster that the events are stored with.
    """

    kind: EntryKind
    source: str
    record: int = 1
    cluster: str = ""


class SegmentWriter:
    """Writes one segment; a caller that fails must close it.

    :ivar size: bytes written so far.
    :raises OSError: when the file cannot be made, or is there already.
    """

    def __init__(self, path: Path, attributes: EntryAttributes) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        self._file = os.open(path, flags, FILE_MODE)
        self.size = 0
        self._data = 0
        try:
            self._frame(json.dumps(asdict(attributes)).encode())
        except OSError:
            self.close()
            raise

    def write(self, data: bytes) -> None:
        """Append data: all of it, or nothing where a full disk cuts it.

        :raises OSError: when it cannot be written.
        """
        before = self.size
        try:
            for start in range(0, len(data), FRAME_BYTES):
                self._frame(data[start : start + FRAME_BYTES])
        except OSError:
            self._cut(before)
            raise
        self._data += len(data)

    def finish(self) -> None:
        """Append the last frame and sync the file to disk; its folder is the caller's.

        :raises OSError: when it cannot be written.
        """
        self._append(_HEAD.pack(0, isal_zlib.crc32(_LENGTH.pack(self._data))))
        os.fsync(self._file)

    def close(self) -> None:
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _frame(self, content: bytes) -> None:
        self._append(_HEAD.pack(len(content), isal_zlib.crc32(content)) + content)

    def _append(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[os.write(self._file, left) :]
        self.size += len(data)

    def _cut(self, size: int) -> None:
        os.ftruncate(self._file, size)
        os.lseek(self._file, size, os.SEEK_SET)
        self.size = size


class SegmentReader:
    """Reads one segment.

    :ivar attributes: of its entry; ``None`` when the segment has not even these.
    :raises OSError: when the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("rb")
        try:
            self.attributes = _attributes(self._next())
        except DamagedStreamError:
            self.attributes = None
        except OSError:
            self.close()
            raise

    def is_finished(self) -> bool:
        """Whether the entry was finished, judged by the segment's end alone."""
        end = self._file.tell()
        try:
            size = self._file.seek(0, os.SEEK_END)
            if size < _HEAD.size:
                return False
            self._file.seek(size - _HEAD.size)
            length, checksum = _HEAD.unpack(self._file.read(_HEAD.size))
            return bool(length == 0 and checksum)
        finally:
            self._file.seek(end)

    def blocks(self) -> Iterator[bytes]:
        """Yield the data.

        :raises DamagedStreamError: after all data before the damage, or before the tear.
        """
        total = 0
        while frame := self._next():
            total += len(frame)
            yield frame
        if self._checksum != isal_zlib.crc32(_LENGTH.pack(total)):
            raise self._damaged()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _next(self) -> bytes:
        """Return the content of the next frame; empty for the last one."""
        head = self._file.read(_HEAD.size)
        if len(head) < _HEAD.size:
            raise self._damaged()
        length, self._checksum = _HEAD.unpack(head)
        if not length:
            return b""
        if length > _LONGEST_FRAME:
            raise self._damaged()
        content = self._file.read(length)
        if len(content) < length or isal_zlib.crc32(content) != self._checksum:
            raise self._damaged()
        return content

    def _damaged(self) -> DamagedStreamError:
        return DamagedStreamError(
            f"the spool segment {self._path.name} is torn or damaged at byte "
            f"{self._file.tell():,} (what came before was kept)"
        )


def _attributes(frame: bytes) -> EntryAttributes | None:
    try:
        content = json.loads(frame)
        return EntryAttributes(
            EntryKind(content["kind"]),
            str(content["source"]),
            int(content["record"]),
            str(content["cluster"]),
        )
    except (ValueError, KeyError, TypeError):
        return None
