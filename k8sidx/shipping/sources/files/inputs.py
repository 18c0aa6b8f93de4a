"""Inputs as they are named on the command line → the sources to read, each once."""

from __future__ import annotations

import glob
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from k8sidx.errors import UsageError

STDIN = "-"


@dataclass(frozen=True, slots=True)
class Source:
    """Something to read.

    :param name: the path as it was given or found, ``-`` for standard input.
    :param size: bytes on disk, ``None`` for standard input and pipes.
    """

    name: str
    size: int | None = None

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The bytes as they are stored, unbuffered.

        :raises UsageError: when the file cannot be opened (any more).
        """
        if self.name == STDIN:
            yield sys.stdin.buffer
            return
        try:
            stream = Path(self.name).open("rb", buffering=0)  # noqa: SIM115 - closed below
        except OSError as error:
            raise _unreadable(self.name, error) from error
        with stream:
            yield stream


def expand(inputs: Sequence[str]) -> list[Source]:
    """The sources that the inputs name, in their order, the files of a folder sorted.

    A file that is named twice, or under two names, is read once. Folders are read with
    all that is below them; links to other folders are not followed.

    :param inputs: files, globs (``*``, ``?``, ``[…]``, ``**``), folders, ``-``.
    :raises UsageError: when an input is missing, empty of files or cannot be read.
    """
    sources: dict[object, Source] = {}
    for given in inputs:
        for name in _names(given):
            key, source = _source(name)
            sources.setdefault(key, source)
    return list(sources.values())


def refuse_address(given: str) -> None:
    """No input can be an address.

    :raises UsageError: when it is one.
    """
    if "://" in given:
        raise UsageError(
            f"{given} is an address, and only files can be read.",
            remedy="Download it first, or pipe it into k8sidx with the input '-'. Those that "
            "can be read begin with s3, gs, az, cloudwatch, sqs, azqueue or kafka.",
        )


def _names(given: str) -> Iterator[str]:
    if given == STDIN:
        yield given
    elif Path(given).is_dir():
        yield from _folder(given)
    elif Path(given).exists():
        yield given
    elif glob.has_magic(given):
        yield from _matching(given)
    else:
        refuse_address(given)
        raise UsageError(
            f"there is no file {given}.",
            remedy="Check the path; quote a glob so that k8sidx expands it; '-' is standard input.",
        )


def _matching(pattern: str) -> Iterator[str]:
    # Not pathlib: what its "**" matches depends on the version of Python.
    matches = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207
    has_match = False
    for name in matches:
        names = _folder(name, may_be_empty=True) if Path(name).is_dir() else iter((name,))
        for file in names:
            has_match = True
            yield file
    if not has_match:
        raise UsageError(
            f"no file matches {pattern}.",
            remedy="Check the pattern; '**' goes through folders, as in 'logs/**/*.gz'.",
        )


def _folder(folder: str, *, may_be_empty: bool = False) -> Iterator[str]:
    has_file = False
    for path, folders, files in os.walk(folder, onerror=_raise_unreadable):
        folders.sort()
        for file in sorted(files):
            name = str(Path(path, file))
            if Path(name).is_file():
                has_file = True
                yield name
    if not has_file and not may_be_empty:
        raise UsageError(
            f"there is no file to read in the folder {folder}.",
            remedy="Name the folder that holds the audit logs, or the files themselves.",
        )


def _source(name: str) -> tuple[object, Source]:
    """The source, and what tells it from others."""
    if name == STDIN:
        return STDIN, Source(STDIN)
    try:
        known = Path(name).stat()
    except OSError as error:
        raise _unreadable(name, error) from error
    if not os.access(name, os.R_OK):
        raise _unreadable(name, PermissionError(0, "permission denied"))
    size = known.st_size if stat.S_ISREG(known.st_mode) else None
    return (known.st_dev, known.st_ino), Source(name, size)


def _raise_unreadable(error: OSError) -> None:
    raise _unreadable(str(error.filename), error) from error


def _unreadable(name: str, error: OSError) -> UsageError:
    why = (error.strerror or str(error)).lower()
    return UsageError(
        f"{name} cannot be read: {why}.",
        remedy="Run as a user who may read it, or leave it out.",
    )
