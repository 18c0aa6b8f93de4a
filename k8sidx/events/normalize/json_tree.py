"""Typed access to the values of decoded JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Fields = dict[str, Any]


def put_text(into: Fields, name: str, value: Any) -> None:
    """Keep a value that is text and not empty."""
    if type(value) is str and value:
        into[name] = value


def put_list(into: Fields, name: str, values: list[str]) -> None:
    """Keep a list that is not empty."""
    if values:
        into[name] = values


def distinct(values: Iterable[str]) -> list[str]:
    """Return each text once, without empty ones, in their order."""
    return [value for value in dict.fromkeys(values) if value]


def mapping(node: Fields, key: str) -> Fields:
    """Return the object under a key, or an empty one."""
    value = node.get(key)
    return value if type(value) is dict else {}


def mappings(node: Fields, key: str) -> list[Fields]:
    """Return the objects in the list under a key."""
    value = node.get(key)
    return [member for member in value if type(member) is dict] if type(value) is list else []


def text(node: Fields, key: str) -> str:
    """Return the text under a key, or an empty one."""
    value = node.get(key)
    return value if type(value) is str else ""


def texts(node: Fields, key: str) -> list[str]:
    """Return the texts in the list under a key."""
    value = node.get(key)
    return [member for member in value if type(member) is str] if type(value) is list else []
