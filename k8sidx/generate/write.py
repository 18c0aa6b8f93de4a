"""Writer of the log, compressed by the file's extension."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import zstandard

from k8sidx.errors import UsageError

BLOCK = 1 << 20
"""Bytes that are written at a time."""

STDOUT = "-"


def write_lines(lines: Iterable[bytes], target: str) -> tuple[int, int]:
    """Write a log; return its number of lines and of bytes, uncompressed.

    :param target: a file, packed when it ends in .gz or .zst; ``-`` for stdout.
    :raises UsageError: when it cannot be written.
    """
    count = size = buffered = 0
    block: list[bytes] = []
    try:
        with _opened(target) as file:
            for line in lines:
                count += 1
                buffered += len(line)
                block.append(line)
                if buffered >= BLOCK:
                    file.write(b"".join(block))
                    size += buffered
                    buffered = 0
                    block.clear()
            file.write(b"".join(block))
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UsageError(
            f"{target} cannot be written: {error.strerror}.",
            remedy="Name a file in a folder that is there and has space.",
        ) from error
    return count, size + buffered


@contextmanager
def _opened(target: str) -> Iterator[BinaryIO]:
    if target == STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with Path(target).open("wb") as file:
        if target.endswith(".gz"):
            # Without name and time: the same log is the same file.
            with gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) as packed:
                yield cast("BinaryIO", packed)
        elif target.endswith(".zst"):
            with zstandard.ZstdCompressor().stream_writer(file) as packed:
                yield cast("BinaryIO", packed)
        else:
            yield file
