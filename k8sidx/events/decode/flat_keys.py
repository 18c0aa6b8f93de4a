"""Events whose keys a shipper flattened: ``user.username``, ``user_username``."""

from __future__ import annotations

from typing import Any

from k8sidx.events.records import JsonObject

# Members of an audit.k8s.io/v1 Event that are objects, and their members.
_OBJECTS: dict[str, tuple[str, ...]] = {
    "user": ("username", "uid", "groups", "extra"),
    "impersonatedUser": ("username", "uid", "groups", "extra"),
    "objectRef": (
        "resource", "namespace", "name", "uid", "apiGroup", "apiVersion", "resourceVersion",
        "subresource",
    ),
    "responseStatus": ("metadata", "status", "message", "reason", "details", "code"),
    "annotations": (),
    "requestObject": (),
    "responseObject": (),
    "authenticationMetadata": ("impersonationConstraint",),
}  # fmt: skip
_SEPARATORS = (".", "_")
_FLAT = tuple(f"{name}{separator}" for name in _OBJECTS for separator in _SEPARATORS)
_MARKERS = ("auditID", "audit_id")


def is_flat(record: JsonObject) -> bool:
    """Whether an object has members of an event with the path to them in one key."""
    return any(type(key) is str and _is_flat_key(key) for key in record) and any(
        key == marker or key.endswith(f".{marker}") for key in record for marker in _MARKERS
    )


def _is_flat_key(key: str) -> bool:
    return any(part in key for part in _FLAT) and (
        key.startswith(_FLAT) or any(f".{part}" in key for part in _FLAT)
    )


def unflatten(record: JsonObject) -> JsonObject:
    """Return the object with each flattened key as objects inside one another.

    What stands before the event's own key in all of them (``json.user.username``) becomes
    objects as well. A key that cannot be split without guessing stays as it is.
    """
    nested: JsonObject = {}
    for key, value in record.items():
        path = _path_of(key)
        target = nested
        for name in path[:-1]:
            child = target.setdefault(name, {})
            if type(child) is not dict:
                child = target[name] = {"": child}
            target = child
        if type(value) is dict and type(target.get(path[-1])) is dict:
            target[path[-1]] = {**target[path[-1]], **value}
        else:
            target[path[-1]] = value
    return {key: _with_arrays(value) for key, value in nested.items()}


def _path_of(key: str) -> list[str]:
    head, name, rest, separator = _split(key)
    if not name:
        prefix, dot, last = key.rpartition(".")
        return [*prefix.split("."), last] if dot and prefix else [key]
    path = [*head.split("."), name] if head else [name]
    if name == "annotations":
        return [*path, rest]
    if name in ("requestObject", "responseObject"):
        return [*path, *rest.split(separator)]
    for member in _OBJECTS[name]:
        if rest == member:
            return [*path, member]
        if rest.startswith(f"{member}{separator}"):
            inner = rest[len(member) + 1 :]
            return [*path, member, inner]
    return [*path, rest]


def _split(key: str) -> tuple[str, str, str, str]:
    """Split a key into what is before the event's member, the member, and what follows it."""
    for name in _OBJECTS:
        for separator in _SEPARATORS:
            mark = f"{name}{separator}"
            if key.startswith(mark):
                return "", name, key[len(mark) :], separator
            at = key.find(f".{mark}")
            if at > 0:
                return key[:at], name, key[at + 1 + len(mark) :], separator
    return "", "", "", ""


def _with_arrays(value: Any) -> Any:
    """Turn objects with the keys 0, 1, 2 … into arrays."""
    if type(value) is not dict:
        return value
    made = {key: _with_arrays(child) for key, child in value.items()}
    if made and all(type(key) is str and key.isascii() and key.isdigit() for key in made):
        numbers = sorted(made, key=int)
        if [int(number) for number in numbers] == list(range(len(numbers))):
            return [made[number] for number in numbers]
    return made
