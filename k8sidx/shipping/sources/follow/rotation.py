"""Where the content of a log file is after it was rotated.

Names that rotation gives, next to the log or to what a link of its name points to::

    audit.log → audit-2026-11-24T10-11-12.345.log      the API server (lumberjack)
              → audit.log.1  audit.log-20261124        logrotate
              → audit-20261124.log  audit.1.log        logrotate with an extension
    0.log     → 0.log.20261124-101112                  kubelet

each also with ``.gz``, ``.zst`` or ``.bz2`` behind it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from k8sidx.compression import is_compressed
from k8sidx.events.records import MARK_BYTES, Position
from k8sidx.shipping.sources.files.blocks import Blocks, plain_blocks
from k8sidx.shipping.sources.follow.position import mark
from k8sidx.shipping.sources.follow.registry import identity

PACKED = (".gz", ".zst", ".bz2")


def rotated(log: str) -> list[tuple[str, os.stat_result]]:
    """Return the files that have names of a rotated log, the one written longest ago first."""
    files: dict[tuple[int, int], tuple[str, os.stat_result]] = {}
    for name in dict.fromkeys((log, os.path.realpath(log))):
        folder, base = os.path.split(name)
        matches = _rotated_name(base).fullmatch
        for entry in _entries(folder or "."):
            if entry != base and matches(entry):
                path = str(Path(folder, entry))
                about = file_status(path)
                if about is not None and not is_being_packed(path):
                    files.setdefault(identity(about), (path, about))
    return sorted(files.values(), key=lambda entry: entry[1].st_mtime_ns)


def file_status(path: str) -> os.stat_result | None:
    """Return the status of the file with a name; ``None`` without one."""
    try:
        return Path(path).stat()
    except OSError:
        return None


def is_being_packed(path: str) -> bool:
    """Whether the file is the unfinished compressed form of another one.

    The API server and gzip write it under its final name, and remove the plain file when
    it is complete.
    """
    name = Path(path)
    return name.suffix in PACKED and name.with_suffix("").exists()


class Content:
    """The content of a file, decompressed.

    :param descriptor: of the open file; its own position is not used.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._first = os.pread(descriptor, MARK_BYTES, 0)
        self.packed = is_compressed(self._first)
        if self.packed:
            blocks, self._first = self._blocks(), b""
            while len(self._first) < MARK_BYTES and (block := blocks.next()):
                self._first += block

    def holds(self, position: Position) -> bool:
        """Whether it is the content that was read up to the position.

        False for a file of which nothing was read.
        """
        if not position.offset or mark(self._first[: position.head.length]) != position.head:
            return False
        return mark(self._before(position)) == position.tail

    def _before(self, position: Position) -> bytes:
        length = position.tail.length
        if not self.packed:
            return os.pread(self._descriptor, length, position.offset - length)
        blocks, left, last = self._blocks(), position.offset, b""
        while left and (block := blocks.next()):
            last = (last + block[:left])[-MARK_BYTES:]
            left -= min(left, len(block))
        return last[-length:] if not left else b""

    def _blocks(self) -> Blocks:
        return plain_blocks(Stored(self._descriptor), None)


class Stored:
    """The bytes of an open file from its start, whatever others do with its position."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._offset = 0

    def read(self, count: int) -> bytes:
        """Return the next bytes; empty at the end."""
        data = os.pread(self._descriptor, count, self._offset)
        self._offset += len(data)
        return data


def _rotated_name(base: str) -> re.Pattern[str]:
    name = Path(base)
    stem, extension = re.escape(name.stem), re.escape(name.suffix)
    packed = "|".join(re.escape(suffix) for suffix in PACKED)
    moment = r"[-._]\d[\dTZ:._+-]*"
    return re.compile(f"{stem}({extension}{moment}|{moment}{extension})({packed})?")


def _entries(folder: str) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            yield from (entry.name for entry in entries)
    except OSError:
        return
