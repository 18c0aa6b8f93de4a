"""The configuration file ``k8sidx.toml``.

It is looked for in the working directory, then in the user's configuration folder; the
first one found is used whole. What the command line or the environment says goes before it.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from k8sidx.errors import UsageError, Where

FILE_NAME = "k8sidx.toml"


def _several(value: object) -> object:
    return [value] if isinstance(value, str) else value


class Configuration(BaseModel):
    """What a configuration file can say.

    :param store: where the events live; a relative path starts at the file's folder.
    :param cluster: name stored with the events whose envelope names no cluster.
    :param lists: files with entries of the lists that hunts name, by the list's name; one
        or several, relative paths start at the file's folder.
    :param source: the file it was read from; ``None`` without one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    store: str = ""
    cluster: str = ""
    lists: dict[str, Annotated[list[str], BeforeValidator(_several)]] = Field(default_factory=dict)
    source: Path | None = None


def load_configuration(folders: Iterable[Path]) -> Configuration:
    """Read the first ``k8sidx.toml`` in the folders; without one, the defaults.

    :raises UsageError: when it cannot be read, is no TOML, or says what nobody asked for.
    """
    for folder in folders:
        path = folder / FILE_NAME
        if path.is_file():
            return _read(path)
    return Configuration()


def _read(path: Path) -> Configuration:
    where = Where(str(path))
    try:
        with path.open("rb") as file:
            values = tomllib.load(file)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"not a TOML file: {error}.", where=where) from error
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}.", where=where) from error
    known = [name for name in Configuration.model_fields if name != "source"]
    for key in values:
        if key not in known:
            raise UsageError(
                f"no setting is named {key!r}.", remedy=_nearest(key, known), where=where
            )
    try:
        configuration = Configuration(**values, source=path)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{name}: {first['msg']}.", where=where) from error
    lists = {
        name: [str(path.parent / Path(file).expanduser()) for file in files]
        for name, files in configuration.lists.items()
    }
    store = _from(path.parent, configuration.store)
    return configuration.model_copy(update={"store": store, "lists": lists})


def _from(folder: Path, store: str) -> str:
    if not store or "://" in store:
        return store
    return str(folder / Path(store).expanduser())


def _nearest(key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key, known, n=1)
    return f"Did you mean {near[0]}?" if near else f"There are: {', '.join(known)}."
