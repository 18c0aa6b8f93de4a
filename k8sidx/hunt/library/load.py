"""Loader of the hunt library and of hunts from files."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from k8sidx.errors import InvalidHunt, UsageError, Where
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.library.compiled import keep_compiled, read_compiled
from k8sidx.hunt.lists import SHIPPED, Lists

if TYPE_CHECKING:
    from k8sidx.hunt.sigma.documents import OnError

_SUFFIXES = (".yml", ".yaml")


def library_ids() -> list[str]:
    """Return the ids of the library's hunts, which are the names of its files."""
    folder = resources.files("k8sidx.hunt.library")
    return sorted(
        Path(file.name).stem for file in folder.iterdir() if file.name.endswith(_SUFFIXES)
    )


def load_library(lists: Lists = SHIPPED) -> list[Hunt]:
    """Return all hunts that are shipped with k8sidx, by id.

    :param lists: values of their placeholders.
    """
    return [_shipped(identifier, lists) for identifier in library_ids()]


def load_hunts(
    selectors: Sequence[str], lists: Lists = SHIPPED, on_error: OnError | None = None
) -> list[Hunt]:
    """Return hunts by id, by file, or all of a folder, in the order of selectors, each once.

    :param lists: values of their placeholders.
    :param on_error: called with the error of each document that is not a valid hunt, while the
        others are read; without it the first error is raised.
    :raises UsageError: for an id that the library does not have.
    :raises InvalidHunt: for a file that cannot be read.
    """
    hunts: dict[tuple[str, str], Hunt] = {}
    for selector in selectors:
        for hunt in _selected(selector, lists, on_error or _raise):
            hunts.setdefault((hunt.source, hunt.id), hunt)
    return list(hunts.values())


def rule_files(selector: str) -> list[Path]:
    """Return a file, or all rule files in a folder.

    :raises UsageError: for a folder without rule files.
    """
    path = Path(selector)
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES)
    if not files:
        raise UsageError(f"{selector} has no Sigma rules (*.yml).")
    return files


def _raise(error: InvalidHunt) -> None:
    raise error


def _selected(selector: str, lists: Lists, on_error: OnError) -> list[Hunt]:
    ids = library_ids()
    if selector in ids:
        return [_shipped(selector, lists)]
    path = Path(selector)
    if path.suffix in _SUFFIXES or path.exists():
        return _read(rule_files(selector), lists, on_error)
    near = difflib.get_close_matches(selector, ids, n=3)
    remedy = f"Did you mean {' or '.join(near)}?" if near else "k8sidx hunts lists the library."
    raise UsageError(f"no hunt is named {selector!r}.", remedy=remedy)


@cache
def _shipped(identifier: str, lists: Lists) -> Hunt:
    name = f"{identifier}.yml"
    text = (resources.files("k8sidx.hunt.library") / name).read_text(encoding="utf-8")
    if (kept := read_compiled(identifier, text, lists)) is not None:
        return kept
    from k8sidx.hunt.sigma.loader import read_hunts

    hunts = read_hunts(text, file=f"hunts/{name}", stem=identifier, lists=lists)
    if len(hunts) != 1 or hunts[0].id != identifier:
        raise InvalidHunt(
            "a library file must contain one hunt, with the name of the file as its id.",
            where=Where(name),
        )
    keep_compiled(hunts[0], text, lists)
    return hunts[0]


def _read(paths: Sequence[Path], lists: Lists, on_error: OnError) -> list[Hunt]:
    from k8sidx.hunt.sigma.documents import RuleFile
    from k8sidx.hunt.sigma.loader import read_files

    files = []
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not valid UTF-8"
            on_error(InvalidHunt(f"cannot be read: {reason}.", where=Where(str(path))))
        else:
            files.append(RuleFile(text, str(path), path.stem, str(path)))
    return read_files(files, lists, on_error)
