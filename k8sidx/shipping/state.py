"""State file: the position up to which each file was shipped, to resume from in another run.

One JSON document::

    {"format": "k8sidx-ship-state", "version": 1,
     "store": {"id": "8a1f…", "events": 5210}, "files": [
      {"log": "/var/log/audit.log", "path": "/var/log/audit.log", "device": 2049,
       "inode": 131, "size": 4158, "modified": 1795553256158909769, "seen": 1795553266.1,
       "packed": false, "offset": 4158, "record": 22, "head": [1024, "7f3c…"],
       "tail": [1024, "3cb8…"], "ended": false}]}

The fields are those of :class:`~k8sidx.shipping.sources.follow.registry.LogFile` and of the
position up to which it is delivered. Everything before that position is stored; what follows may
be. That holds for one store only, which is named: by its identity, and by the least number of
events that it contains, so that a copy restored from a backup is not taken for it. State files of
earlier versions lack ``store``.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from k8sidx.backends.durable import lock_file, make_private_folder, write_durably
from k8sidx.backends.store import Store, StoreIdentity
from k8sidx.errors import StoreError, UsageError
from k8sidx.events.records import Chunk, Mark, Position
from k8sidx.shipping.sources.files.inputs import STDIN
from k8sidx.shipping.sources.follow.registry import LogFile, Registry

FORMAT = "k8sidx-ship-state"
VERSION = 1
SAVE_SECONDS = 0.5
"""Shortest interval between two writes of the file."""
_AGAIN = "Delete it to ship everything again: events are never stored twice."


@dataclass(slots=True)
class _Begun:
    first: int
    position: Position
    delivered: bool = False


class State:
    """The state file of one run; a context manager.

    :ivar register: the known files.
    :raises UsageError: when another process uses the file, or it cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._begun: dict[int, deque[_Begun]] = {}
        self._saved = 0.0
        self._changed = False
        self._changes = 0
        try:
            make_private_folder(path.parent)
            self._lock = lock_file(self.lock)
        except BlockingIOError:
            raise UsageError(
                f"another k8sidx ship is using the state file {path}.",
                remedy="Wait for it to end, or give another --state.",
            ) from None
        except OSError as error:
            raise _unusable(path, error) from error
        try:
            self._store, files = _read(path)
            self.register = Registry(files)
        except BaseException:
            os.close(self._lock)
            raise

    @property
    def lock(self) -> Path:
        """The file that is locked, as the state file itself is replaced with each change."""
        return self.path.with_name(f"{self.path.name}.lock")

    def __enter__(self) -> State:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.save()
        finally:
            os.close(self._lock)

    def check_store(self, store: Store) -> None:
        """Raise unless everything that was shipped, as this file has it, is in the store.

        :raises UsageError: when it was shipped to another store, or to a later copy of this one.
        :raises StoreError: when the store cannot be read.
        """
        shipped = any(
            file.delivered.offset or file.delivered.ended for file in self.register.copies()
        )
        if self._store is None or not shipped:
            return
        identity = store.identity()
        if identity is None:
            difference = "does not exist any more"
        elif identity.id != self._store.id:
            difference = "is another one"
        elif (identity.events or 0) < (self._store.events or 0):
            difference = (
                f"has {identity.events:,} events, fewer than the {self._store.events:,} of before"
            )
        else:
            return
        raise UsageError(
            f"the state file {self.path} records what was shipped to a store; the store given "
            f"{difference}.",
            remedy=f"Give --store the one that it was used with, or another --state. {_AGAIN}",
        )

    def use_store(self, identity: StoreIdentity | None) -> None:
        """Record the store that is shipped to."""
        if identity is not None:
            self._changed |= identity != self._store
            self._store = identity

    def indexed(self, events: int) -> None:
        """Record that the store contains more events."""
        if self._store is not None and self._store.events is not None:
            self._store = self._store._replace(events=self._store.events + events)

    def begun(self, chunk: Chunk) -> None:
        """Record that a chunk was read and will be processed."""
        if chunk.position is not None:
            begun = self._begun.setdefault(chunk.file, deque())
            begun.append(_Begun(chunk.first, chunk.position))

    def delivered(self, chunk: Chunk) -> None:
        """Record that a chunk is stored: the position advances, unless an earlier chunk is not."""
        if chunk.position is None:
            return
        begun = self._begun[chunk.file]
        for entry in begun:
            if not entry.delivered and (entry.first, entry.position) == (
                chunk.first,
                chunk.position,
            ):
                entry.delivered = True
                break
        while begun and begun[0].delivered:
            self.register[chunk.file].delivered = begun.popleft().position
            self._changed = True

    def keep(self) -> None:
        """Write the file if it changed, and was not written just before.

        :raises StoreError: when it cannot be written.
        """
        changed = self._changed or self.register.changes != self._changes
        if changed and time.monotonic() - self._saved >= SAVE_SECONDS:
            self.save()

    def save(self) -> None:
        """Write the file, in one step that survives a power cut.

        :raises StoreError: when it cannot be written.
        """
        self._changes = self.register.changes
        files = [_to_json(file) for file in self.register.copies()]
        content: dict[str, Any] = {"format": FORMAT, "version": VERSION}
        if self._store is not None:
            content["store"] = self._store._asdict()
        text = json.dumps(content | {"files": files}, indent=1)
        try:
            write_durably(self.path, text, errors="surrogateescape")
        except OSError as error:
            raise StoreError(
                f"the state file {self.path} cannot be written: {error.strerror or error}.",
                remedy="Make room or give another --state; nothing is lost.",
            ) from error
        self._saved, self._changed = time.monotonic(), False


def default_state(inputs: Sequence[str], store: Store) -> Path:
    """Return the state file for these inputs and this store when none is given."""
    names = sorted(
        name if name == STDIN or "://" in name else str(Path(name).absolute()) for name in inputs
    )
    key = "\n".join([*store.state_key, *names])
    digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
    return store.state_folder / f"follow-{digest[:16]}.json"


def _read(path: Path) -> tuple[StoreIdentity | None, list[LogFile]]:
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None, []
    except OSError as error:
        raise _unusable(path, error) from error
    except ValueError as error:
        raise UsageError(f"the state file {path} is damaged: {error}.", remedy=_AGAIN) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise UsageError(
            f"{path} is not a state file of k8sidx ship.", remedy="Give --state another name."
        )
    version = content.get("version")
    if type(version) is int and version > VERSION:
        raise UsageError(
            f"the state file {path} has version {version}, newer than this k8sidx "
            f"supports ({VERSION}).",
            remedy="Upgrade k8sidx, or give another --state.",
        )
    try:
        files = [_from_json(file) for file in content["files"]]
        return _identity(content.get("store")), files
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"the state file {path} is damaged.", remedy=_AGAIN) from error


def _unusable(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"the state file {path} cannot be used: {(error.strerror or str(error)).lower()}.",
        remedy="Give another --state.",
    )


_PLAIN: dict[str, type] = {
    "log": str, "path": str, "device": int, "inode": int, "size": int, "modified": int,
    "seen": float, "packed": bool,
}  # fmt: skip


def _to_json(file: LogFile) -> dict[str, Any]:
    position = file.delivered
    return {name: getattr(file, name) for name in _PLAIN} | position._asdict()


def _from_json(entry: dict[str, Any]) -> LogFile:
    """Return the file of an entry.

    :raises ValueError: when a member has another type.
    """
    plain = {name: entry[name] for name in _PLAIN}
    for name, kind in _PLAIN.items():
        if not isinstance(plain[name], (kind, int) if kind is float else kind):
            raise ValueError(name)
    offset, record, ended = entry["offset"], entry["record"], entry["ended"]
    if type(offset) is not int or type(record) is not int or type(ended) is not bool:
        raise ValueError("offset")
    position = Position(offset, record, _mark(entry["head"]), _mark(entry["tail"]), ended)
    return LogFile(**plain, delivered=position)


def _identity(entry: Any) -> StoreIdentity | None:
    if entry is None:
        return None
    identity, events = entry["id"], entry["events"]
    if type(identity) is not str or type(events) not in (int, type(None)):
        raise ValueError("store")
    return StoreIdentity(identity, events)


def _mark(entry: Any) -> Mark:
    length, digest = entry
    if type(length) is not int or type(digest) is not str:
        raise ValueError("mark")
    return Mark(length, digest)
