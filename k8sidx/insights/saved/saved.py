"""Saved queries: files that run as ``@name``.

A saved query is a file ``name.cwli``: Logs Insights text whose first line is a comment with
its title. Those of the user's folder take precedence over those that k8sidx ships.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from k8sidx.errors import UsageError, Where

SUFFIX = ".cwli"
SHIPPED = "k8sidx"
"""The source of shipped queries."""
_NAME = re.compile(r"[a-z0-9-]+")
"""A plain word, so that a name cannot lead to another folder."""


@dataclass(frozen=True, slots=True)
class SavedQuery:
    """A query with a name.

    :param text: the whole file, comments too.
    :param source: the file, or ``SHIPPED``.
    """

    name: str
    title: str
    text: str
    source: str


def saved_names(folder: Path | None) -> list[str]:
    """Return the names of all saved queries, without reading them.

    :param folder: the user's own, if any.
    :raises UsageError: when there is no such folder.
    """
    return sorted(_files(folder))


def saved_queries(folder: Path | None) -> list[SavedQuery]:
    """Return all saved queries by name; one that cannot be read has the reason as its title.

    :raises UsageError: when the folder cannot be read.
    """
    return [_listed(name, file) for name, file in sorted(_files(folder).items())]


def _listed(name: str, file: Traversable | Path) -> SavedQuery:
    try:
        return _read(name, file)
    except UsageError as error:
        return SavedQuery(name, f"({error.message.rstrip('.')})", "", str(file))


def saved_query(name: str, folder: Path | None) -> SavedQuery:
    """Return the query of that name, without its ``@``.

    :raises UsageError: when there is none; suggests the nearest.
    """
    files = _files(folder)
    if name in files:
        return _read(name, files[name])
    beginning = [other for other in sorted(files) if name and other.startswith(name)]
    near = difflib.get_close_matches(name, files, n=3) or beginning[:3]
    remedy = f"Did you mean {' or '.join(f'@{other}' for other in near)}?" if near else ""
    raise UsageError(
        f"no query is saved as {name!r}.",
        remedy=remedy or "k8sidx query --saved lists all names.",
    )


def _files(folder: Path | None) -> dict[str, Traversable | Path]:
    files: dict[str, Traversable | Path] = {}
    for shipped in resources.files("k8sidx.insights.saved").iterdir():
        if shipped.name.endswith(SUFFIX):
            files[shipped.name.removesuffix(SUFFIX)] = shipped
    if folder is None:
        return files
    try:
        own = sorted(folder.iterdir())
    except OSError as error:
        raise UsageError(
            f"the folder of saved queries cannot be read: {error.strerror}.",
            where=Where(str(folder)),
        ) from error
    return files | {
        file.stem: file
        for file in own
        if file.suffix == SUFFIX and _NAME.fullmatch(file.stem) and file.is_file()
    }


def _read(name: str, file: Traversable | Path) -> SavedQuery:
    source = str(file) if isinstance(file, Path) and not _is_shipped(file) else SHIPPED
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(f"cannot be read: {reason}.", where=Where(source)) from error
    return SavedQuery(name, _title(text), text, source)


def _is_shipped(file: Path) -> bool:
    return file.parent == Path(__file__).parent


def _title(text: str) -> str:
    first = text.partition("\n")[0].strip()
    return first.removeprefix("#").strip() if first.startswith("#") else ""
