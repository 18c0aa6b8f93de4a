"""Archive reader: the members of tar and zip archives, recognised by content.

Nothing is extracted to disk. A tar archive is read as it streams by; a zip archive has its
directory at the end, so one that cannot be sought in is spooled to a temporary file without
a name first. Tar headers are decoded by :meth:`tarfile.TarInfo.frombuf`, but walked here:
:class:`tarfile.TarFile` keeps every member, reads extended headers of any size into memory
and takes a damaged header for the end of the archive.

Formats: POSIX.1-2017 pax Interchange Format, "Basic Tar Format" of GNU tar's manual, and
.ZIP File Format Specification 6.3.10 (APPNOTE).
"""

from __future__ import annotations

import lzma
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile, gettempdir
from typing import IO, NamedTuple

from k8sidx.compression import DamagedStreamError
from k8sidx.errors import Where
from k8sidx.events.records import Rejected, Skipped
from k8sidx.shipping.sources.files.blocks import Blocks

MAX_NESTED = 3
"""Archives inside one another."""
SPOOL_LIMIT = 8 * 1024**3
"""Longest zip archive that is spooled, in bytes."""
_BLOCK = tarfile.BLOCKSIZE
_READ_BYTES = 64 * 1024
_EXPANDING_READ_BYTES = 4 * 1024
"""Of bzip2 and LZMA, zipfile inflates all that it reads at once."""
_HEADER_LIMIT = 1024 * 1024
"""Longest extended header, in bytes; the longest path of Linux has 4 KiB."""
_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08PK\x03\x04", b"PK00PK\x03\x04")
_ZIP_MAGIC_BYTES = max(map(len, _ZIP_MAGIC))
_EXTENDED = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)
_LINKS = (tarfile.SYMTYPE, tarfile.LNKTYPE)
_DEVICES = (tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE)
_SPARSE_CONTINUES, _SPARSE_CONTINUES_AGAIN = 482, 504
"""Where old GNU sparse headers mark that another block of their map follows."""
_DAMAGED = (
    "the tar archive is damaged: the header of a member is not valid (what came before was kept)"
)
_UNREADABLE_ZIP = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, struct.error,
)  # fmt: skip


_PAX_LENGTH = re.compile(rb"(\d{1,9}) ")
_SPARSE_COUNT = re.compile(rb"(\d{1,9})\n")
_ENCRYPTED = 0x1


class Member(NamedTuple):
    """A file in an archive.

    :param name: of the archive and the file, ``archive.tar:path/to/file``.
    :param content: as stored in the archive; to be read before the next member is requested.
    """

    name: str
    content: Iterator[bytes]


def is_tar(head: bytes) -> bool:
    """Whether a stream that starts so is a tar archive, of any of its dialects.

    :param head: at least 512 bytes of it.
    """
    block = head[:_BLOCK]
    if b"\0" not in block:  # as in all text
        return False
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "replace")
    except (tarfile.HeaderError, ValueError):
        return False
    return True


def is_zip(head: bytes) -> bool:
    """Whether a stream that starts so is a zip archive."""
    return head.startswith(_ZIP_MAGIC)


def is_zip_file(stream: IO[bytes]) -> bool:
    """Whether a file, of which nothing has been read, is a zip archive."""
    try:
        magic = stream.read(_ZIP_MAGIC_BYTES)
        stream.seek(0)
    except OSError:  # reported by whoever reads all of it
        return False
    return is_zip(magic)


def is_archive(head: bytes) -> bool:
    """Whether a stream that starts so is an archive."""
    return is_zip(head) or is_tar(head)


def _member_name(archive: str, name: str) -> str:
    # A name is whatever the archive's author wrote, terminal escapes included.
    path = name.removeprefix("./")
    return f"{archive}:" + "".join(c if c.isprintable() else "\ufffd" for c in path)


# tar


def tar_members(archive: str, blocks: Blocks) -> Iterator[Member | Skipped | Rejected]:
    """Return the members of a tar archive, and what else it contains.

    What cannot be read is the last thing returned, unless the content of a member raised it.

    :param archive: its name.
    """
    tar = _Tar(archive, blocks)
    try:
        yield from tar.members()
    except DamagedStreamError as damage:
        yield Rejected(str(damage), Where(archive), b"")
    blocks.damage = ""


class _Tar:
    """A tar archive that is read from its start to its end."""

    def __init__(self, archive: str, blocks: Blocks) -> None:
        self._archive = archive
        self._blocks = blocks
        self._is_cut = False

    def members(self) -> Iterator[Member | Skipped | Rejected]:
        """Read header by header.

        :raises DamagedStreamError: when the rest cannot be read, after all before it.
        """
        extended: dict[str, str] = {}
        ended = False
        while block := self._take(_BLOCK):
            if not block.strip(b"\0"):
                # The end; but archives are also written one after the other (tar -A, cat).
                ended = True
                continue
            info = self._header(block)
            ended = False
            if info.type in _EXTENDED:
                extended |= _pax_fields(self._extended(info))
            elif info.type == tarfile.GNUTYPE_LONGNAME:
                text = self._extended(info).partition(b"\0")[0]
                extended["path"] = text.decode("utf-8", "replace")
            elif info.type in (tarfile.GNUTYPE_LONGLINK, tarfile.XGLTYPE):
                self._extended(info)
            else:
                yield from self._entry(info, block, extended)
                extended = {}
                if self._is_cut:  # the reader of the member's content reports it
                    return
        if not ended:
            raise self._cut()

    def _header(self, block: bytes) -> tarfile.TarInfo:
        if len(block) < _BLOCK:
            raise self._cut()
        try:
            info = tarfile.TarInfo.frombuf(block, "utf-8", "replace")
        except (tarfile.HeaderError, ValueError):
            raise DamagedStreamError(_DAMAGED) from None
        if info.size < 0:
            raise DamagedStreamError(_DAMAGED)
        return info

    def _entry(
        self, info: tarfile.TarInfo, block: bytes, extended: dict[str, str]
    ) -> Iterator[Member | Skipped | Rejected]:
        name = extended.get("GNU.sparse.name") or extended.get("path") or info.name
        name = _member_name(self._archive, name)
        size = info.size
        if (given := extended.get("size", "")).isascii() and given.isdigit():
            size = int(given)
        if info.type == tarfile.DIRTYPE:
            return
        if info.type in _LINKS:
            # The size of a hard link is that of the member which has the data.
            yield Skipped("link in an archive", Where(name))
        elif info.type in _DEVICES:
            yield Skipped("device in an archive", Where(name))
        else:
            # Holes are left out: they are zeros, and no part of any record.
            if info.type == tarfile.GNUTYPE_SPARSE and block[_SPARSE_CONTINUES]:
                self._pass_sparse_map()
            content = self._content(size)
            if extended.get("GNU.sparse.major") == "1":
                content = _without_sparse_map(content)
            yield Member(name, content)
            for _rest in content:
                pass

    def _pass_sparse_map(self) -> None:
        while len(block := self._take(_BLOCK)) == _BLOCK and block[_SPARSE_CONTINUES_AGAIN]:
            pass

    def _content(self, size: int) -> Iterator[bytes]:
        left = size
        while left:
            block = self._next()
            if not block:
                self._is_cut = True
                raise self._cut()
            self._blocks.put_back(block[left:])
            block = block[:left]
            left -= len(block)
            yield block
        self._take(-size % _BLOCK)

    def _extended(self, info: tarfile.TarInfo) -> bytes:
        if info.size > _HEADER_LIMIT:
            raise DamagedStreamError(
                f"the tar archive has a header of {info.size} bytes, and is not read further"
            )
        data = self._take(info.size)
        if len(data) < info.size:
            raise self._cut()
        self._take(-info.size % _BLOCK)
        return data

    def _take(self, count: int) -> bytes:
        """Return so many bytes, fewer at the end."""
        taken = b""
        while len(taken) < count and (block := self._next()):
            missing = count - len(taken)
            taken += block[:missing]
            self._blocks.put_back(block[missing:])
        return taken

    def _next(self) -> bytes:
        """Return a block that is small enough to be put back for every header in it."""
        block = self._blocks.next()
        self._blocks.put_back(block[_READ_BYTES:])
        return block[:_READ_BYTES]

    def _cut(self) -> DamagedStreamError:
        return DamagedStreamError(
            self._blocks.damage or "the tar archive ends early (what came before was kept)"
        )


def _pax_fields(data: bytes) -> dict[str, str]:
    """Return the records of an extended header, ``LENGTH KEY=VALUE\\n`` each."""
    fields: dict[str, str] = {}
    start = 0
    while match := _PAX_LENGTH.match(data, start):
        end = max(start + int(match[1]), match.end())
        key, _equals, value = data[match.end() : end].partition(b"=")
        fields[key.decode("utf-8", "replace")] = value[:-1].decode("utf-8", "replace")
        start = end
    return fields


def _without_sparse_map(content: Iterator[bytes]) -> Iterator[bytes]:
    """Leave out the map that sparse files of pax format 1.0 start with: decimal numbers, one a
    line, how many entries of two numbers each there are being the first."""
    start = b""
    for block in content:
        start += block
        count = _SPARSE_COUNT.match(start)
        lines = 1 + 2 * int(count[1]) if count else 1
        if start.count(b"\n") >= lines or len(start) > _HEADER_LIMIT:
            break
    else:
        lines = 0
    end = len(start) - len(start.split(b"\n", lines)[-1])
    yield start[end + -end % _BLOCK :]
    yield from content


# zip


def zip_members(archive: str, file: IO[bytes]) -> Iterator[Member | Skipped | Rejected]:
    """Return the members of a zip archive, and what else it contains.

    :param archive: its name.
    :param file: can be sought in.
    """
    try:
        directory = zipfile.ZipFile(file)
    except _UNREADABLE_ZIP as error:
        reason = f"the zip archive is damaged: its directory cannot be read ({_text(error)})"
        yield Rejected(reason, Where(archive), b"")
        return
    with directory:
        # Overlapping members are how a small archive unpacks to any size; without them it is
        # what DEFLATE can do, a thousandfold.
        if sum(info.compress_size for info in directory.filelist) > file.seek(0, 2):
            reason = "the members of the zip archive overlap, and none is read"
            yield Rejected(reason, Where(archive), b"")
            return
        for info in directory.filelist:
            yield from _zip_entry(archive, directory, info)


def _zip_entry(
    archive: str, directory: zipfile.ZipFile, info: zipfile.ZipInfo
) -> Iterator[Member | Skipped | Rejected]:
    name = _member_name(archive, info.filename)
    if info.is_dir():
        return
    if stat.S_ISLNK(info.external_attr >> 16):
        yield Skipped("link in an archive", Where(name))
    elif info.flag_bits & _ENCRYPTED:
        yield Rejected("the member is encrypted; unpack the archive first", Where(name), b"")
    else:
        yield Member(name, _zip_content(directory, info))


def _zip_content(directory: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    expands = info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    try:
        with directory.open(info) as stream:
            while block := stream.read(_EXPANDING_READ_BYTES if expands else _READ_BYTES):
                yield block
    except NotImplementedError as error:
        method = _text(error)
        raise DamagedStreamError(f"the member cannot be unpacked: {method}") from error
    except _UNREADABLE_ZIP as error:
        raise DamagedStreamError(
            f"the member of the zip archive is damaged: {_text(error)} (what came before was kept)"
        ) from error


@contextmanager
def spooled(blocks: Blocks) -> Iterator[IO[bytes]]:
    """Copy a stream to a temporary file, which has no name and ends with the block.

    :raises DamagedStreamError: when it is too long or there is no room for it.
    """
    with TemporaryFile(prefix="k8sidx-") as file:
        try:
            while block := blocks.next():
                file.write(block)
                if file.tell() > SPOOL_LIMIT:
                    raise DamagedStreamError(
                        f"the zip archive is longer than {SPOOL_LIMIT // 1024**3} GiB and not a "
                        "file; unpack it first"
                    )
            file.flush()
        except OSError as error:
            raise DamagedStreamError(
                f"the zip archive cannot be spooled to {gettempdir()}: {_text(error)}"
            ) from error
        yield file


def _text(error: Exception) -> str:
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return (why or type(error).__name__).lower()
