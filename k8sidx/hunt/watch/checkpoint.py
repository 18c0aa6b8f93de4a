"""Checkpoint file of watched hunts: the state of the store that each group has looked at.

One JSON document, replaced in one step and synced to disk::

    {"format": "k8sidx-watch", "version": 1,
     "groups": {"600s": {"store": "8a1f…", "committed": 1795553256158909, "unnumbered": []}}}

What a group has is read by the store's backend alone.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from k8sidx.backends.changes import Checkpoint
from k8sidx.backends.durable import lock_file, make_private_folder, write_durably
from k8sidx.errors import StoreError, UsageError

FORMAT = "k8sidx-watch"
VERSION = 1


class CheckpointFile:
    """The checkpoints of one watching process; a context manager.

    :raises UsageError: when another process uses the file, or it is not such a file.
    :raises StoreError: when it cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            make_private_folder(path.parent)
            self._lock = lock_file(path.with_name(f"{path.name}.lock"))
        except BlockingIOError:
            raise UsageError(
                f"another k8sidx watch is using the checkpoint file {path}.",
                remedy="Wait for it to end, or give another --checkpoint.",
            ) from None
        except OSError as error:
            raise _unusable(path, error) from error
        try:
            self._groups = _read(path)
        except BaseException:
            os.close(self._lock)
            raise

    def __enter__(self) -> CheckpointFile:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._lock)

    def of(self, group: str) -> Checkpoint | None:
        """Return the checkpoint of a group; ``None`` when it has looked at nothing yet."""
        return self._groups.get(group)

    def keep(self, group: str, checkpoint: Checkpoint) -> None:
        """Write the checkpoint of a group.

        :raises StoreError: when it cannot be written.
        """
        if self._groups.get(group) == checkpoint:
            return
        self._groups[group] = dict(checkpoint)
        content = {"format": FORMAT, "version": VERSION, "groups": self._groups}
        try:
            write_durably(self.path, json.dumps(content, indent=1))
        except OSError as error:
            raise _unusable(self.path, error) from error


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _unusable(path, error) from error
    except (ValueError, RecursionError) as error:
        raise _damaged(path, str(error)) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise _damaged(path, "it has another format")
    if content.get("version") != VERSION:
        raise _damaged(path, f"it has version {content.get('version')}, not {VERSION}")
    groups = content.get("groups")
    if not isinstance(groups, dict) or not all(isinstance(each, dict) for each in groups.values()):
        raise _damaged(path, "it has no groups")
    return groups


def _damaged(path: Path, reason: str) -> UsageError:
    return UsageError(
        f"{path} is not a valid checkpoint file: {reason}.",
        remedy="Delete it to look at all events again: no saved finding is reported twice.",
    )


def _unusable(path: Path, error: OSError) -> StoreError:
    return StoreError(f"the checkpoint file {path} cannot be used: {error.strerror or error}.")
