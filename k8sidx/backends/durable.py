"""Private, durable files: only their owner may read them, and they survive a power cut."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from isal import isal_zlib

FOLDER_MODE = 0o700
FILE_MODE = 0o600
_CHECKSUM_STEP = 1024 * 1024


def user_state_folder() -> Path:
    """Return the folder of the user's state (XDG Base Directory Specification, which requires to
    ignore a relative path).

    :raises RuntimeError: when the user has no home folder.
    """
    named = Path(os.environ.get("XDG_STATE_HOME", ""))
    base = named if named.is_absolute() else Path.home() / ".local" / "state"
    return base / "k8sidx"


def user_cache_folder() -> Path:
    """Return the folder of what can be made again (XDG Base Directory Specification)."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home, "k8sidx")


def make_private_folder(folder: Path) -> None:
    """Make a folder that only its owner may enter, and its missing parents likewise.

    An existing folder is left as it is.

    :raises OSError: when it cannot be made.
    """
    missing = [path for path in (folder, *folder.parents) if not path.is_dir()]
    for path in reversed(missing):
        path.mkdir(mode=FOLDER_MODE, exist_ok=True)


def make_private_file(path: Path) -> None:
    """Make an empty file that only its owner may read, for a library that opens it by path.

    :raises OSError: when it cannot be made, or is there already.
    """
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, FILE_MODE))


def write_durably(path: Path, text: str, *, errors: str = "strict") -> None:
    """Replace a file in one step that survives a power cut.

    :param errors: as for ``str.encode``.
    :raises OSError: when it cannot be written; what was there stays.
    """
    aside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    try:
        handle = os.open(aside, flags, FILE_MODE)
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), FILE_MODE)
            file.write(text.encode("utf-8", errors))
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        error.filename = error.filename or str(path)  # a full disk has no name of its own
        raise
    sync_folder(path.parent)


def lock_file(path: Path) -> int:
    """Lock a file, which is made if it is missing; the system unlocks it when the process ends.

    :returns: a file descriptor; closing it unlocks the file.
    :raises BlockingIOError: when another process has locked it.
    :raises OSError: when it cannot be opened.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    handle = os.open(path, flags, FILE_MODE)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise
    return handle


def sync_folder(folder: Path) -> None:
    """Make new and renamed entries of a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def checksum_of(path: Path) -> str:
    """Return the CRC-32 of a file's bytes, as eight hexadecimal digits.

    :raises OSError: when the file cannot be read.
    """
    value = 0
    with path.open("rb", buffering=0) as file:
        while block := file.read(_CHECKSUM_STEP):
            value = isal_zlib.crc32(block, value)
    return f"{value:08x}"
