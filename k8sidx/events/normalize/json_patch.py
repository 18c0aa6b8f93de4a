"""A JSON patch (RFC 6902) → the object that it asks for, as far as it says.

A request's body is then a list of operations. Put at their places they make a partial
object, as a merge patch is one, and the fields are promoted from that.
"""

from __future__ import annotations

from typing import Any

OPERATIONS_KEPT = 1000
DEPTH = 64

# Only under these is a number in a path the place in a list. Elsewhere it is a key, which
# any object may have: taken for a place it would hide what else the object holds.
_LISTS = frozenset(
    {
        "add", "args", "command", "containers", "ephemeralContainers", "externalIPs",
        "imagePullSecrets", "initContainers", "loadBalancerSourceRanges", "ownerReferences",
        "ports", "resources", "rules", "subjects", "tls", "tolerations", "verbs", "apiGroups",
        "volumes",
    }
)  # fmt: skip


def patched(operations: list[Any]) -> dict[str, Any]:
    """The partial object that the operations add or replace; what they remove is null.

    Operations on one element of a list are put together, those on different ones are not.
    """
    root: dict[str, Any] = {}
    elements: dict[tuple[str, ...], dict[str, Any]] = {}
    for operation in operations[:OPERATIONS_KEPT]:
        if type(operation) is not dict:
            continue
        path, op = operation.get("path"), operation.get("op")
        if op not in ("add", "replace", "remove") or type(path) is not str:
            continue
        keys = [key.replace("~1", "/").replace("~0", "~") for key in path.split("/")[1:]]
        if 0 < len(keys) <= DEPTH:
            value = operation.get("value") if op != "remove" else None
            _put(root, tuple(keys), value, elements)
        elif not keys and type(operation.get("value")) is dict:
            root = operation["value"]
    return root


def _put(
    root: dict[str, Any],
    keys: tuple[str, ...],
    value: Any,
    elements: dict[tuple[str, ...], dict[str, Any]],
) -> None:
    node, index, last = root, 0, len(keys) - 1
    while index < last:
        key = keys[index]
        if key in _LISTS and (keys[index + 1] == "-" or keys[index + 1].isdecimal()):
            children = node.get(key)
            if type(children) is not list:
                children = node[key] = []
            if index + 1 == last:
                children.append(value)
                return
            node = _element(children, keys[: index + 2], elements)
            index += 2
        else:
            child = node.get(key)
            if type(child) is not dict:
                child = node[key] = {}
            node, index = child, index + 1
    node[keys[last]] = value


def _element(
    children: list[Any], path: tuple[str, ...], elements: dict[tuple[str, ...], dict[str, Any]]
) -> dict[str, Any]:
    """Return the element of the path; create a new one."""
    element = elements.get(path)
    if element is None:
        element = elements[path] = {}
        children.append(element)
    return element
