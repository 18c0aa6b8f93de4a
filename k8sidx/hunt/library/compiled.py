"""Cache of the library's hunts as read from their Sigma documents.

Reading a rule takes pySigma, YAML and pydantic: more time than the hunt itself on a warm store.
What was read is kept in the user's cache folder, one file for each hunt. A file is valid for the
same text of the rule, the same lists, and the same code: its key has the time and size of every
module. The content is data, without code: only k8sidx's own data classes are made of it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, timedelta
from enum import Enum
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

from k8sidx.backends.durable import FILE_MODE, make_private_folder, user_cache_folder
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.lists import Lists

_PACKAGE = Path(__file__).parents[2]
_READERS = ("sigma", "pydantic", "yaml")
"""Packages that rules are read with."""
_DIGEST = hashlib.sha256().digest_size
_OTHERS_MAY_WRITE = 0o022


class Unknown(Exception):
    """A value of a type that is not kept."""


def read_compiled(identifier: str, text: str, lists: Lists) -> Hunt | None:
    """Return a hunt of the library as it was read before; ``None`` if it was not.

    :param text: its Sigma document.
    :param lists: values of its placeholders.
    """
    path = _path(identifier, text, lists)
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if status.st_uid != os.geteuid() or status.st_mode & _OTHERS_MAY_WRITE:
                return None
            content = file.read()
    except OSError:
        return None
    digest, packed = content[:_DIGEST], content[_DIGEST:]
    if hashlib.sha256(packed).digest() != digest:
        return None
    try:
        hunt = _unpacked(msgspec.msgpack.decode(packed))
    except (Unknown, msgspec.DecodeError):
        return None
    return hunt if isinstance(hunt, Hunt) and hunt.id == identifier else None


def keep_compiled(hunt: Hunt, text: str, lists: Lists) -> None:
    """Keep a hunt of the library; without a folder to write to, it is read again next time.

    :param text: its Sigma document.
    :param lists: values of its placeholders.
    """
    try:
        packed = msgspec.msgpack.encode(_packed(hunt))
    except Unknown:
        return
    path = _path(hunt.id, text, lists)
    with suppress(OSError):
        make_private_folder(path.parent)
        for former in path.parent.glob(f"{hunt.id}.*"):
            former.unlink()
        written = path.with_name(f"{path.name}.{os.getpid()}")
        descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(hashlib.sha256(packed).digest() + packed)
        written.replace(path)


def _path(identifier: str, text: str, lists: Lists) -> Path:
    key = hashlib.sha256(f"{_code()}\0{lists.digest()}\0{text}".encode()).hexdigest()
    return user_cache_folder() / "hunts" / f"{identifier}.{key[:32]}"


@cache
def _code() -> str:
    """Return a digest that differs when the code that reads rules does."""
    stamps = [sys.version]
    for folder, _, names in sorted(os.walk(_PACKAGE)):
        modules = sorted(name for name in names if name.endswith((".py", ".toml")))
        stamps += [_stamp(Path(folder, name)) for name in modules]
    for name in _READERS:
        spec = find_spec(name)
        stamps.append(_stamp(Path(spec.origin)) if spec and spec.origin else name)
    return hashlib.sha256("\n".join(stamps).encode()).hexdigest()


def _stamp(path: Path) -> str:
    status = path.stat()
    return f"{path} {status.st_mtime_ns} {status.st_size}"


def _packed(value: Any) -> Any:
    """Return a value in the types of MessagePack: others are lists that begin with their type."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    kind = type(value)
    if dataclasses.is_dataclass(kind):
        parts = [getattr(value, name) for name in _field_names(kind)]
        return ["object", _name_of(kind), *map(_packed, parts)]
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        return ["record", _name_of(kind), *map(_packed, value)]
    if isinstance(value, Enum):
        return ["member", _name_of(kind), value.name]
    if kind in (tuple, list, frozenset, set):
        return [kind.__name__, *map(_packed, value)]
    if kind is dict:
        return ["dict", *([_packed(key), _packed(item)] for key, item in value.items())]
    if kind in (datetime, date):
        return [kind.__name__, value.isoformat()]
    if kind is timedelta:
        return ["timedelta", value.days, value.seconds, value.microseconds]
    raise Unknown(kind.__name__)


def _unpacked(value: Any) -> Any:
    """Return the value of its form in MessagePack.

    :raises Unknown: for a type that k8sidx does not have.
    """
    if type(value) is not list:
        return value
    match value:
        case [str(name), *parts] if (unpack := _UNPACK.get(name)) is not None:
            return unpack(parts)
    raise Unknown(str(value)[:100])


def _each(parts: list[Any]) -> list[Any]:
    # Most parts are texts: a call for each of them would take most of the time.
    return [_unpacked(part) if type(part) is list else part for part in parts]


def _object(parts: list[Any]) -> Any:
    """Return an object with the values of its fields, which were checked when they were read."""
    name, *packed = parts
    kind = _class_of(name)
    names = _field_names(kind)
    if len(names) != len(packed):
        raise Unknown(name)
    made = object.__new__(kind)
    for field, part in zip(names, _each(packed), strict=True):
        object.__setattr__(made, field, part)
    return made


@cache
def _field_names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


def _name_of(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


@cache
def _class_of(name: str) -> Any:
    """Return a data class, a named tuple or an enumeration of k8sidx.

    :raises Unknown: for any other name.
    """
    module, _, qualified = name.partition(":")
    if not module.startswith("k8sidx.") or not qualified.isidentifier():
        raise Unknown(name)
    try:
        kind = getattr(import_module(module), qualified)
    except (ImportError, AttributeError) as error:
        raise Unknown(name) from error
    tuples = isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields")
    members = isinstance(kind, type) and issubclass(kind, Enum)
    if not (dataclasses.is_dataclass(kind) or tuples or members):
        raise Unknown(name)
    return kind


_UNPACK: dict[str, Callable[[list[Any]], Any]] = {
    "object": _object,
    "record": lambda parts: _class_of(parts[0])(*_each(parts[1:])),
    "member": lambda parts: _class_of(parts[0])[parts[1]],
    "dict": lambda parts: {_unpacked(key): _unpacked(item) for key, item in parts},
    "datetime": lambda parts: datetime.fromisoformat(parts[0]),
    "date": lambda parts: date.fromisoformat(parts[0]),
    "timedelta": lambda parts: timedelta(*parts),
    "tuple": lambda parts: tuple(_each(parts)),
    "list": _each,
    "frozenset": lambda parts: frozenset(_each(parts)),
    "set": lambda parts: set(_each(parts)),
}
"""Functions that make a value of what follows its type."""
