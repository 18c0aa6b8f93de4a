"""Redaction of names: users, groups, objects, reasons. A caller may put a credential into any.

What is replaced is one pseudonym for each name, made of its digest: events of one caller, or about
one object, still belong together.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from k8sidx.events.decode.event_model import NOTHING, ObjectReference
from k8sidx.events.normalize.event_id import canonical_json
from k8sidx.events.normalize.redact import redact_tree
from k8sidx.events.normalize.redact_marks import MARK, pseudonym
from k8sidx.events.normalize.redact_message import redact_message
from k8sidx.events.normalize.redact_text import is_odd, redact_text

_MEMBERS = ("resource", "namespace", "name", "uid", "apiGroup", "resourceVersion", "subresource")


@lru_cache(maxsize=16384)
def redact_name(name: str) -> str:
    """Return a name without credentials; an equal one when there are none."""
    if not is_odd(name):
        return name
    redacted = redact_text(name)
    return name if redacted is name else redacted.replace(MARK, pseudonym(name))


def clean_reference(reference: ObjectReference) -> ObjectReference:
    """Return objectRef without credentials in its members; the same object when there are none."""
    changes = {
        member: clean
        for member in _MEMBERS
        if (value := getattr(reference, member)) and (clean := redact_name(value)) != value
    }
    return msgspec.structs.replace(reference, **changes) if changes else reference


def clean_authentication(raw: msgspec.Raw) -> bytes:
    """Return authenticationMetadata as canonical JSON without credentials; empty when there is
    none."""
    if raw is NOTHING:
        return b""
    value = msgspec.json.decode(raw)
    if type(value) is dict:
        redact_tree(value, "")
    return canonical_json(value) if value else b""


def redact_user(user: Any) -> None:
    """Redact a user in place: its names, and what an authenticator adds."""
    if type(user) is not dict:
        return
    redact_names(user)
    extra = user.get("extra")
    if type(extra) is dict:
        redact_tree(extra, "")
        user["extra"] = {redact_name(key): value for key, value in extra.items()}


def redact_names(node: Any, but: str = "") -> None:
    """Redact the texts of an object and of the lists in it, in place; not of objects below.

    :param but: name of a member that stays as it is.
    """
    for key, value in node.items() if type(node) is dict else ():
        if key == but:
            continue
        if type(value) is str:
            node[key] = redact_name(value)
        elif type(value) is list:
            node[key] = [redact_name(text) if type(text) is str else text for text in value]


def redact_status(status: dict[str, Any], *, quotes_secrets: bool) -> None:
    """Redact a response's status in place: names, and messages, which may quote pieces of the
    object that was refused."""
    details = status.get("details")
    causes = details.get("causes") if type(details) is dict else None
    for node in (status, details, *(causes if type(causes) is list else ())):
        if type(node) is not dict:
            continue
        message = node.get("message")
        redact_names(node, but="message")
        if type(message) is str:
            node["message"] = redact_message(message, quotes_secrets=quotes_secrets)
