"""Positions in inputs of clouds, as entries of the register that the state file contains."""

from __future__ import annotations

from k8sidx.events.records import START, Position
from k8sidx.shipping.sources.follow.registry import LogFile, Registry


class Positions:
    """Entries of the register by what they are entries of.

    :param register: shared with the files that are followed.
    """

    def __init__(self, register: Registry) -> None:
        self._register = register
        self._numbers: dict[str, int] = {}
        self._latest: dict[str, int] = {}
        for number, file in reversed(register.items()):
            if "://" in file.log:
                self._numbers[file.log] = number
                if file.path:
                    self._latest[file.path] = number

    def number(self, identity: str, path: str, delivered: Position = START) -> int:
        """Return the number of an entry, which is added where it is missing.

        :param identity: of the content: an address, and the version where there are several.
        :param path: the address alone.
        :param delivered: position of an entry that is added.
        """
        number = self._numbers.get(identity)
        if number is None:
            # ``packed``: no file on disk is ever taken for it by its content.
            number = self._register.add(LogFile(identity, path, packed=True, delivered=delivered))
            self._numbers[identity] = number
        before = self._latest.get(path)
        if before is not None and before != number:
            self._register.lost(before)
        self._latest[path] = number
        return number

    def latest(self, path: str) -> tuple[str, Position]:
        """Return identity and position of the version that was read last; empty without one."""
        number = self._latest.get(path)
        if number is None:
            return "", START
        file = self._register[number]
        return file.log, file.delivered

    def delivered(self, number: int) -> Position:
        """Return the position up to which an entry is delivered, as the state file has it."""
        return self._register[number].delivered

    def forget(self, prefix: str, existing: set[str]) -> None:
        """Let go of entries whose content does not exist any more.

        :param prefix: of the addresses that were looked for.
        """
        gone = [path for path in self._latest if path.startswith(prefix) and path not in existing]
        for path in gone:
            number = self._latest.pop(path)
            self._numbers.pop(self._register[number].log, None)
            self._register.lost(number)
