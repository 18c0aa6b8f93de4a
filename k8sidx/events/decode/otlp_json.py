"""Values of OTLP/JSON, in which OpenTelemetry collectors write parsed log lines.

Source: opentelemetry-proto, ``common/v1/common.proto`` (``AnyValue``, ``KeyValue``) and its
JSON encoding, in which a 64-bit integer is a string.
"""

from __future__ import annotations

from typing import Any

from k8sidx.events.records import JsonObject

_SCALARS = ("stringValue", "boolValue", "doubleValue", "bytesValue")
MAX_DEPTH = 64
"""Levels of values in values that are read; what lies deeper stays as it is."""


def object_of_attributes(value: list[Any]) -> JsonObject | None:
    """Return the object that a list of ``KeyValue`` stands for; ``None`` if it is another list."""
    return _object(value, MAX_DEPTH)


def object_of_any_value(value: JsonObject) -> JsonObject | None:
    """Return the object that an ``AnyValue`` with a ``kvlistValue`` stands for."""
    plain = _plain(value, MAX_DEPTH) if "kvlistValue" in value else None
    return plain if type(plain) is dict and plain is not value else None


def _object(pairs: list[Any], depth: int) -> JsonObject | None:
    if not pairs or not all(_is_pair(pair) for pair in pairs):
        return None
    return {pair["key"]: _plain(pair.get("value"), depth) for pair in pairs}


def _is_pair(value: Any) -> bool:
    return (
        type(value) is dict
        and type(value.get("key")) is str
        and value.keys() <= {"key", "value"}
        and type(value.get("value", {})) is dict
    )


def _plain(value: Any, depth: int) -> Any:
    """Return the JSON value that an ``AnyValue`` stands for; anything else as it is."""
    if type(value) is not dict or depth < 0:
        return value
    if not value:
        return None
    if len(value) != 1:
        return value
    ((kind, content),) = value.items()
    if kind in _SCALARS:
        return content
    if kind == "intValue":
        return _integer(content)
    values = content.get("values", []) if type(content) is dict else None
    if type(values) is not list:
        return value
    if kind == "arrayValue":
        return [_plain(element, depth - 1) for element in values]
    if kind == "kvlistValue":
        pairs = _object(values, depth - 1)
        return value if pairs is None and values else pairs or {}
    return value


def _integer(content: Any) -> Any:
    if type(content) is str and content.removeprefix("-").isdecimal() and len(content) < 20:
        return int(content)
    return content
