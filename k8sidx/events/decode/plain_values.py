"""Values of an event that a shipper delivered in another type with one plain meaning.

Objects as JSON text, lists as text, codes as text, times as numbers: read here into the types
of audit.k8s.io/v1, so that the event is the one that the API server wrote, with its id.
A value that could mean several things stays as it is.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

import msgspec

from k8sidx.events.records import JsonObject

_OBJECTS = (
    "user", "impersonatedUser", "objectRef", "responseStatus", "annotations",
    "authenticationMetadata", "requestObject", "responseObject",
)  # fmt: skip
_TIMES = ("requestReceivedTimestamp", "stageTimestamp")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Seconds, milliseconds, microseconds, nanoseconds between 2001 and 2286: each has its own
# number of digits.
_UNITS = {10: 1_000_000, 13: 1_000, 16: 1}
_GO_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?) ([+-]\d\d)(\d\d) [A-Z+-][A-Z0-9+-]*(?: m=\S+)?"
)
_PORT = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|(\d{1,3}(?:\.\d{1,3}){3})):\d{1,5}")


def with_plain_values(event: JsonObject) -> JsonObject:
    """Return the event with such values read; the same object when it has none."""
    changed: JsonObject = {}
    for key in _OBJECTS:
        value = event.get(key)
        if type(value) is str and (parsed := plain_object(value)) is not None:
            changed[key] = value = parsed
        if key in ("user", "impersonatedUser") and (user := plain_user(value)) is not value:
            changed[key] = user
    if (
        status := plain_status(changed.get("responseStatus", event.get("responseStatus")))
    ) is not None:
        changed["responseStatus"] = status
    if (addresses := plain_addresses(event.get("sourceIPs"))) is not None:
        changed["sourceIPs"] = addresses
    for key in _TIMES:
        if (text := plain_time(event.get(key))) is not None:
            changed[key] = text
    return {**event, **changed} if changed else event


def plain_object(text: str) -> JsonObject | None:
    """Return the object that a text is."""
    value = _json(text)
    return value if type(value) is dict else None


def _json(text: str) -> Any:
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return msgspec.json.decode(text.encode("utf-8", "replace"))
    except (msgspec.DecodeError, RecursionError):
        return None


def plain_user(user: Any) -> Any:
    """Return a user with groups and extra as lists; the same object when it has them so."""
    if type(user) is not dict:
        return user
    changed: JsonObject = {}
    groups = user.get("groups")
    if type(groups) is str and groups:
        parsed = _json(groups)
        names = parsed if type(parsed) is list else [name.strip() for name in groups.split(",")]
        if all(type(name) is str and name for name in names):
            changed["groups"] = names
    extra = user.get("extra")
    if type(extra) is str:
        extra = _json(extra)
    if type(extra) is dict:
        lists = {key: [value] if type(value) is str else value for key, value in extra.items()}
        if lists != user.get("extra"):
            changed["extra"] = lists
    return {**user, **changed} if changed else user


def plain_status(status: Any) -> JsonObject | None:
    """Return the status with its code as a number; ``None`` when it is that already."""
    if type(status) is not dict:
        code = _code(status)
        return None if code is None else {"code": code}
    code = _code(status.get("code"))
    return None if code is None else {**status, "code": code}


def _code(value: Any) -> int | None:
    if type(value) is str and value.isascii() and value.isdigit() and len(value) == 3:
        return int(value)
    if type(value) is float and value.is_integer() and 100 <= value < 600:
        return int(value)
    return None


def plain_addresses(value: Any) -> list[str] | None:
    """Return sourceIPs as a list of addresses; ``None`` when it is that already."""
    addresses: Any = value
    if type(value) is str and value:
        parsed = _json(value)
        addresses = parsed if type(parsed) is list else [text.strip() for text in value.split(",")]
    if type(addresses) is not list or not all(type(text) is str for text in addresses):
        return None
    plain = [_without_port(text) for text in addresses]
    return plain if plain != value and all(map(_is_address, plain)) else None


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _without_port(text: str) -> str:
    match = _PORT.fullmatch(text)
    return (match[1] or match[2]) if match else text


def plain_time(value: Any) -> str | None:
    """Return a time as the API server writes it; ``None`` when it is one, or not a time.

    :param value: seconds, milliseconds, microseconds or nanoseconds since 1970, as a number or
        as text, or a time as Go prints it.
    """
    if type(value) is str:
        if match := _GO_TIME.fullmatch(value.strip()):
            return _written(datetime.fromisoformat(f"{match[1]}T{match[2]}{match[3]}:{match[4]}"))
        whole, point, fraction = value.partition(".")
        if not (whole.isascii() and whole.isdigit() and (not point or fraction.isdigit())):
            return None
        value = float(value) if point else int(value)
    if type(value) is float and 1e9 <= value < 1e10:
        return _written(_EPOCH + timedelta(microseconds=round(value * 1_000_000)))
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int or value < 0:
        return None
    digits = len(str(value))
    if digits == 19:
        return _written(_EPOCH + timedelta(microseconds=value // 1000))
    if digits not in _UNITS:
        return None
    return _written(_EPOCH + timedelta(microseconds=value * _UNITS[digits]))


def _written(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
