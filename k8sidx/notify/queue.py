"""Queue of messages on disk: what was not sent yet is sent first at the next run."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from k8sidx.backends.durable import FOLDER_MODE, write_durably
from k8sidx.errors import StoreError
from k8sidx.notify.message import Message

MAX_MESSAGES = 1_000
"""Messages that wait for one target; then the oldest is given up, which is said."""


class Queue:
    """Messages for one target, one file each (0600, in a folder of 0700).

    A message is written before it is sent and removed when it was taken: a process that is
    killed tells it once or twice, never not at all.

    :param folder: for the queues of all targets.
    :param target: distinguishes the targets; only its digest is written.
    """

    def __init__(self, folder: Path, target: str) -> None:
        self._folder = folder / hashlib.sha256(target.encode()).hexdigest()[:16]

    def add(self, messages: Iterable[Message]) -> None:
        """Write messages.

        :raises StoreError: if they cannot be written.
        """
        for message in messages:
            name = f"{time.time_ns():020}-{message.id}.json"
            text = msgspec.json.encode(msgspec.to_builtins(message)).decode()
            try:
                self._folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
                write_durably(self._folder / name, text)
            except OSError as error:
                raise StoreError(
                    f"{self._folder}: notifications cannot be kept: {error.strerror}."
                ) from error

    def waiting(self) -> Iterator[tuple[Path, Message | None]]:
        """Yield the messages, oldest first; ``None`` for a file that is damaged."""
        for path in sorted(self._folder.glob("*.json")):
            try:
                yield path, _message(msgspec.json.decode(path.read_bytes()))
            except (OSError, msgspec.MsgspecError, TypeError, KeyError, ValueError):
                yield path, None

    def set_aside(self, path: Path) -> Path:
        """Rename a damaged file, so that it is not read again; return its new name."""
        return path.replace(path.with_suffix(".damaged"))

    def remove(self, path: Path) -> None:
        """Remove a message that was taken, or that will never be."""
        path.unlink(missing_ok=True)

    def drop_oldest(self) -> int:
        """Give up what is too much; return how many messages that is."""
        surplus = sorted(self._folder.glob("*.json"))[:-MAX_MESSAGES]
        for path in surplus:
            path.unlink(missing_ok=True)
        return len(surplus)


def _message(values: dict[str, Any]) -> Message:
    began = values["began"]
    return Message(
        **{
            **values,
            "began": datetime.fromisoformat(began) if began else None,
            "steps": tuple(values["steps"]),
            "findings": tuple(values["findings"]),
        }
    )
