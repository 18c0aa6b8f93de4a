"""Lists that rules name as Sigma placeholders (``|expand: '%system_namespaces%'``).

What comes with k8sidx stands in ``lists.toml`` beside this module, with its sources; the
files that the configuration names add to it, one entry a line.
"""

from __future__ import annotations

import difflib
import ipaddress
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from k8sidx.errors import UsageError, Where

ADDRESSES = "addresses"
_PLACE = resources.files("k8sidx") / "hunt" / "lists.toml"


@dataclass(frozen=True, slots=True)
class ShippedList:
    """A list as k8sidx ships it.

    :param holds: users, namespaces, addresses, agents, paths, images or nodes.
    :param entries: its own; ``*`` and ``?`` stand for any and for one character.
    :param includes: lists that it takes in.
    :param sources: where the entries are documented.
    :param platform: the platform that they are of; empty for every one.
    :param needed: it means nothing without entries of the user's.
    """

    name: str
    about: str
    holds: str
    entries: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    platform: str = ""
    needed: bool = False


class Lists:
    """The shipped lists together with the user's.

    :param given: entries of the user's, by list; they add to the shipped list of the name.
    """

    def __init__(self, given: Mapping[str, Sequence[str]] | None = None) -> None:
        self._given = {name: tuple(entries) for name, entries in (given or {}).items()}
        self._found: dict[str, tuple[str, ...] | None] = {}

    def entries(self, name: str) -> tuple[str, ...] | None:
        """The list's entries, each once; ``None`` for one that the user has yet to give."""
        if name not in self._found:
            self._found[name] = self._collected(name)
        return self._found[name]

    def _collected(self, name: str) -> tuple[str, ...] | None:
        shipped = shipped_lists().get(name)
        given = self._given.get(name)
        if shipped is None or shipped.needed:
            return given
        parts = [self.entries(one) or () for one in shipped.includes]
        found = dict.fromkeys(
            one for part in (shipped.entries, *parts, given or ()) for one in part
        )
        return tuple(found)


def how_to_give(name: str) -> str:
    """What the user has to do for a list that is missing."""
    shipped = shipped_lists().get(name)
    if shipped is None:
        near = difflib.get_close_matches(name, shipped_lists(), n=1)
        hint = f" Or is {near[0]} meant?" if near else ""
        return f'Name a file with it in k8sidx.toml, under [lists]: {name} = "{name}.txt".{hint}'
    return (
        f"It holds {shipped.holds}, one a line. Name the file in k8sidx.toml, under [lists]: "
        f'{name} = "{name}.txt".'
    )


@cache
def shipped_lists() -> dict[str, ShippedList]:
    """The lists of ``lists.toml``, by name."""
    said: dict[str, dict[str, Any]] = tomllib.loads(_PLACE.read_text(encoding="utf-8"))
    return {name: _shipped(name, **values) for name, values in said.items()}


def _shipped(name: str, *, about: str, holds: str, **more: Any) -> ShippedList:
    frozen: dict[str, Any] = {
        key: tuple(one) if isinstance(one, list) else one for key, one in more.items()
    }
    return ShippedList(name, about, holds, **frozen)


SHIPPED = Lists()


def lists_from(files: Mapping[str, Sequence[Path]]) -> Lists:
    """The shipped lists with the entries of the files.

    :raises UsageError: for a file that cannot be read, or an entry that its list cannot hold.
    """
    given = {
        name: tuple(dict.fromkeys(one for path in paths for one in _entries(name, path)))
        for name, paths in files.items()
    }
    return Lists(given) if given else SHIPPED


def _entries(name: str, path: Path) -> list[str]:
    """The lines of a file that are neither empty nor comments (``#``)."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise UsageError(
            f"the list {name} cannot be read: {reason}.", where=Where(str(path))
        ) from (error)
    shipped = shipped_lists().get(name)
    addresses = shipped is not None and shipped.holds == ADDRESSES
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        entry = line.partition("#")[0].strip()
        if not entry:
            continue
        if addresses and not is_network(entry):
            raise UsageError(
                f"the list {name} holds addresses, and {entry!r} is none.",
                remedy="Write an address or a network such as 192.0.2.0/24.",
                where=Where(str(path), number),
            )
        found.append(entry)
    return found


def is_network(text: str) -> bool:
    """Whether a text is an address or a network of them (CIDR)."""
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True
