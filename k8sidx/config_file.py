"""TOML reader of ``k8sidx.toml``: its tables, and the lines of its settings for messages."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from k8sidx.errors import UsageError, Where

FILE_NAME = "k8sidx.toml"

Name = tuple[str, ...]
"""The keys that lead to a setting, for example ``("profile", "prod", "store")``."""


@dataclass(frozen=True)
class ConfigurationFile:
    """A file's text and tables, not validated.

    :param mode: of the file, as in :func:`os.fstat`.
    """

    path: Path
    text: str
    tables: Mapping[str, Any]
    mode: int

    @cached_property
    def profiles(self) -> Mapping[str, Mapping[str, Any]]:
        """The tables ``[profile.NAME]`` by name.

        :raises UsageError: when one of them is not a table.
        """
        profiles = self.tables.get("profile", {})
        if not isinstance(profiles, dict) or not all(
            isinstance(p, dict) for p in profiles.values()
        ):
            raise UsageError("profiles are tables: [profile.NAME].", where=self.where(("profile",)))
        return profiles

    def profile(self, name: str) -> Mapping[str, Any]:
        """Return the settings of a profile.

        :raises UsageError: when there is no such profile.
        """
        if name not in self.profiles:
            raise UsageError(
                f"there is no profile {name!r}.",
                remedy=nearest(name, list(self.profiles), "Profiles"),
                where=Where(str(self.path)),
            )
        return self.profiles[name]

    def where(self, *names: Name) -> Where:
        """Return the position of the first of these settings that the file has.

        A setting that is not found has the file alone.
        """
        line = next((self.lines[name] for name in names if name in self.lines), 0)
        return Where(str(self.path), line)

    @cached_property
    def lines(self) -> Mapping[Name, int]:
        """The line on which each setting and table begins, counted from 1.

        tomllib has no positions: the lines of a setting are those that the shortest valid
        beginning of the file with the setting has more than the one before it.
        """
        lines: dict[Name, int] = {}
        complete, beginning = 0, ""
        for number, line in enumerate(self.text.splitlines(keepends=True), 1):
            beginning += line
            try:
                tables = tomllib.loads(beginning)
            except tomllib.TOMLDecodeError:
                continue
            for name in _names(tables):
                lines.setdefault(name, complete + 1)
            complete = number
        return lines


def find_file(folders: Iterable[Path]) -> ConfigurationFile | None:
    """Read the first ``k8sidx.toml`` in the folders.

    :raises UsageError: when it cannot be read or is not TOML.
    """
    path = next((path for folder in folders if (path := folder / FILE_NAME).is_file()), None)
    return None if path is None else read_file(path)


def read_file(path: Path) -> ConfigurationFile:
    """Read a configuration file.

    :raises UsageError: when it cannot be read or is not TOML.
    """
    where = Where(str(path))
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read().decode("utf-8")
        return ConfigurationFile(path, text, tomllib.loads(text), mode)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"not a TOML file: {error}.", where=where) from error
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}.", where=where) from error


def nearest(key: str, known: Sequence[str], noun: str = "Settings") -> str:
    """Return a remedy for an unknown name: the nearest known one, or all of them."""
    near = difflib.get_close_matches(key, known, n=1)
    return f"Did you mean {near[0]}?" if near else f"{noun}: {', '.join(known)}."


def _names(table: Mapping[str, Any], above: Name = ()) -> Iterator[Name]:
    for key, value in table.items():
        yield (name := (*above, key))
        if isinstance(value, dict):
            yield from _names(value, name)
