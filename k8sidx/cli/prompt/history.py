"""Persistent history of the queries typed at the prompt."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from k8sidx.backends.durable import make_private_folder, user_state_folder

FILE_NAME = "query-history"


class _PrivateHistory(FileHistory):
    def store_string(self, string: str) -> None:
        # A full disk or a deleted file must not end the session.
        with contextlib.suppress(OSError):
            _make_private(Path(os.fsdecode(self.filename)))
            super().store_string(string)


def kept_history() -> History:
    """Return the history of former sessions, in a file that only its owner can read.

    Where the file cannot be created, the history lasts as long as the session.
    """
    try:
        path = user_state_folder() / FILE_NAME
        make_private_folder(path.parent)
        _make_private(path)
    except (OSError, RuntimeError):  # The latter: no home folder.
        return InMemoryHistory()
    return _PrivateHistory(str(path))


def _make_private(path: Path) -> None:
    """Create the file if missing, and restrict it to its owner.

    :raises OSError: when that fails.
    """
    descriptor = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)
