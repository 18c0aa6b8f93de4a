"""Notifications of new objects: which objects a message names, in the forms of the providers.

- S3 event notifications (also inside of SNS messages) and EventBridge events.
- Event Grid's ``BlobCreated``, in its own schema and as CloudEvents.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple
from urllib.parse import unquote, unquote_plus, urlsplit


class NewObject(NamedTuple):
    """An object that a message names.

    :param container: a bucket; of Azure an account and a container, with a slash between them.
    """

    scheme: str
    container: str
    key: str


class Notification(NamedTuple):
    """Contents of a message.

    :param objects: that were created.
    :param skipped: kind of what it is instead, for example of a test message; empty otherwise.
    """

    objects: tuple[NewObject, ...] = ()
    skipped: str = ""


class InvalidNotification(Exception):
    """A message is not a notification; the message has the reason."""


def parse_notification(body: bytes) -> Notification:
    """Return what a message states.

    :raises InvalidNotification: when it is in none of the forms.
    """
    try:
        document = json.loads(body)
    except ValueError as error:
        raise InvalidNotification(f"the message is not valid JSON: {error}") from error
    if isinstance(document, dict) and isinstance(document.get("Message"), str):
        if document.get("Type") != "Notification":
            return Notification(skipped="SNS message without a notification")
        return parse_notification(document["Message"].encode())
    try:
        if isinstance(document, dict) and document.get("Event") == "s3:TestEvent":
            return Notification(skipped="test notification of S3")
        documents = _records(document)
        created = [_object(record) for record in documents]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InvalidNotification(f"the message is not a notification: {error!r}") from error
    objects = tuple(item for item in created if item is not None)
    return Notification(objects, "" if objects else "notification of another event")


def _records(document: Any) -> list[dict[str, Any]]:
    is_object = isinstance(document, dict)
    records = document.get("Records", [document]) if is_object else document
    if not isinstance(records, list) or not records:
        raise ValueError("no records")
    return records


def _object(record: dict[str, Any]) -> NewObject | None:
    """Return the object that was created; ``None`` for another event."""
    if "s3" in record:
        if not str(record["eventName"]).removeprefix("s3:").startswith("ObjectCreated:"):
            return None
        entity = record["s3"]
        return NewObject(
            "s3", _text(entity["bucket"]["name"]), unquote_plus(entity["object"]["key"])
        )
    if record.get("source") == "aws.s3":
        if record["detail-type"] != "Object Created":
            return None
        detail = record["detail"]
        return NewObject("s3", _text(detail["bucket"]["name"]), _text(detail["object"]["key"]))
    kind = record.get("eventType", record.get("type"))
    if kind != "Microsoft.Storage.BlobCreated":
        if isinstance(kind, str) and kind.startswith("Microsoft."):
            return None
        raise ValueError("of no known provider")
    return _blob(_text(record["data"]["url"]), _text(record["subject"]))


def _blob(url: str, subject: str) -> NewObject:
    """Return the blob of an event; the subject names it, the address has the account."""
    account = (urlsplit(url).hostname or "").partition(".")[0]
    _, _, rest = subject.partition("/containers/")
    container, separator, key = rest.partition("/blobs/")
    if not (account and container and separator and key):
        raise ValueError(f"subject {subject!r}")
    return NewObject("az", f"{account}/{container}", unquote(key))


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("a name is missing")
    return value
