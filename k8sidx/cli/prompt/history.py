"""Queries that were typed, kept for the next time."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from prompt_toolkit.history import FileHistory, History, InMemoryHistory

FILE_NAME = "query-history"


def state_folder() -> Path:
    """Where k8sidx keeps what is no configuration (XDG Base Directory Specification)."""
    named = os.environ.get("XDG_STATE_HOME", "")
    base = Path(named) if Path(named).is_absolute() else Path.home() / ".local" / "state"
    return base / "k8sidx"


class _PrivateHistory(FileHistory):
    def store_string(self, string: str) -> None:
        # A full disk, or a file that somebody took away, is no reason to end a session.
        with contextlib.suppress(OSError):
            _make_private(Path(os.fsdecode(self.filename)))
            super().store_string(string)


def kept_history() -> History:
    """The history of former sessions, in a file that only its owner can read.

    Where there is no place for it, it lasts as long as the session.
    """
    try:
        path = state_folder() / FILE_NAME
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make_private(path)
    except (OSError, RuntimeError):  # The latter: nobody knows a home folder.
        return InMemoryHistory()
    return _PrivateHistory(str(path))


def _make_private(path: Path) -> None:
    """Make the file when it is missing, and readable by its owner alone.

    :raises OSError: when that cannot be.
    """
    descriptor = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)
