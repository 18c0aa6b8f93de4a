"""Dots in keys that a shipper replaced by underscores.

Elastic's integrations and Fluent Bit (``Replace_Dots``) do so, since the dots of a key would make
objects of it in an index. The part of a qualified name before the slash is a DNS name, which has
no underscore of its own, so that the original key is known.
"""

from __future__ import annotations

from typing import Any


def with_dots(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event whose annotations, and what authenticators say of users, have the keys that
    the API server wrote; the same object where nothing was replaced."""
    changed: dict[str, Any] = {}
    if (annotations := _restored(event.get("annotations"))) is not None:
        changed["annotations"] = annotations
    for name in ("user", "impersonatedUser"):
        user = event.get(name)
        if type(user) is dict and (extra := _restored(user.get("extra"))) is not None:
            changed[name] = {**user, "extra": extra}
    return {**event, **changed} if changed else event


def _restored(values: Any) -> dict[str, Any] | None:
    """Return an object with the original keys; ``None`` where they are original."""
    if type(values) is not dict or not any("_" in key.partition("/")[0] for key in values):
        return None
    return {_with_dots(key): value for key, value in values.items()}


def _with_dots(key: str) -> str:
    prefix, slash, name = key.partition("/")
    return prefix.replace("_", ".") + slash + name if slash else key
