"""Names of the reference → values of an event as the log has it."""

from __future__ import annotations

from typing import Any

from tests.insights.reference_values import Value, canonical, from_json, read_time

KEYWORDS = frozenset(
    {
        "verb", "stage", "level", "auditID", "requestURI", "userAgent", "user.username",
        "user.uid", "user.groups.0", "user.groups.1", "sourceIPs.0", "sourceIPs.1",
        "objectRef.resource", "objectRef.subresource", "objectRef.namespace", "objectRef.name",
        "responseStatus.reason", "responseStatus.status",
        "annotations.authorization.k8s.io/decision",
        "annotations.authorization.k8s.io/reason",
    }
)  # fmt: skip
"""Fields of text."""
INTEGERS = frozenset({"responseStatus.code"})
TIMES = frozenset({"@timestamp", "requestReceivedTimestamp", "stageTimestamp"})
LISTS = frozenset({"sourceIPs", "user.groups"})
OTHER_NAMES = {"event.action": "verb", "user.name": "user.username", "timestamp": "@timestamp"}
"""Other names of fields that queries may use."""


def field_named(name: str) -> str:
    """The field that a name means; nothing for a path."""
    name = OTHER_NAMES.get(name, name)
    return name if name in KEYWORDS | INTEGERS | LISTS | TIMES else ""


_MAY_BE_EMPTY = frozenset({"verb", "auditID", "requestURI"})
_SMALLEST, _LARGEST = -(2**31), 2**31 - 1


_WRITTEN = {
    "": "kind apiVersion level auditID stage requestURI verb user impersonatedUser "
    "authenticationMetadata sourceIPs userAgent objectRef responseStatus requestObject "
    "responseObject requestReceivedTimestamp stageTimestamp annotations",
    "user": "username uid groups extra",
    "impersonatedUser": "username uid groups extra",
    "objectRef": "resource namespace name uid apiGroup apiVersion resourceVersion subresource",
    "responseStatus": "metadata status message reason details code",
}
"""In which order the API server writes what (a line of its log shows it)."""


def _message(value: dict[str, Any], part: str = "") -> str:
    order = _WRITTEN[part].split()
    members = []
    for key in sorted(value, key=lambda one: (order.index(one) if one in order else 99, one)):
        ordered = not part and key in _WRITTEN and isinstance(value[key], dict)
        text = _message(value[key], key) if ordered else canonical(value[key])
        members.append(canonical(key) + ":" + text)
    return "{" + ",".join(members) + "}"


def field_value(event: dict[str, Any], name: str) -> Any:
    """The value of a field; ``NotImplemented`` for a name that is none."""
    name = OTHER_NAMES.get(name, name)
    if name == "@message":
        return _message(event)
    if name == "@timestamp":
        staged = read_time(event.get("stageTimestamp"))
        return staged or read_time(event.get("requestReceivedTimestamp"))
    if name in TIMES:
        return read_time(event.get(name))
    if name in LISTS:
        return _texts(path_of(event, name))
    if name in INTEGERS:
        code = path_of(event, name)
        return code if type(code) is int and _SMALLEST <= code <= _LARGEST else None
    if name not in KEYWORDS:
        return NotImplemented
    head, _, tail = name.rpartition(".")
    if head in LISTS:
        listed = _texts(path_of(event, head)) or ()
        return listed[int(tail)] if int(tail) < len(listed) else None
    value = path_of(event, name)
    if not isinstance(value, str):
        return None
    return value if value or name in _MAY_BE_EMPTY or name.startswith("annotations") else None


def path_value(event: dict[str, Any], name: str) -> Value:
    """Any other value by its path."""
    return from_json(path_of(event, name))


def path_of(node: Any, path: str) -> Any:
    """What is at a path; keys may have dots themselves."""
    if isinstance(node, list):
        head, _, tail = path.partition(".")
        if not head.isdecimal() or int(head) >= len(node):
            return None
        return path_of(node[int(head)], tail) if tail else node[int(head)]
    if not isinstance(node, dict):
        return None
    if path in node:
        return node[path]
    steps = path.split(".")
    for count in range(1, len(steps)):
        key = ".".join(steps[:count])
        if key in node:
            found = path_of(node[key], ".".join(steps[count:]))
            if found is not None:
                return found
    return None


def _texts(value: Any) -> tuple[str, ...] | None:
    """A list of texts; missing when empty, or when anything else is among them."""
    if not isinstance(value, list) or not value:
        return None
    return tuple(value) if all(isinstance(one, str) for one in value) else None
