"""Azure Queue Storage: notifications of blobs that Event Grid puts into a queue."""

from __future__ import annotations

import base64
import binascii
import logging
import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from azure.core.credentials import AzureNamedKeyCredential, AzureSasCredential
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
)
from azure.identity import DefaultAzureCredential
from azure.storage.queue import QueueClient, QueueMessage

from k8sidx.errors import SourceError, SourceUnavailable, UsageError
from k8sidx.shipping.sources.remote.address import Address
from k8sidx.shipping.sources.remote.notifications import parse_notification
from k8sidx.shipping.sources.remote.queue_reader import HIDDEN_SECONDS, Message, QueueSource

ENDPOINT_VARIABLE = "AZURE_STORAGE_QUEUE_ENDPOINT"
_MOST = 32
"""Messages in one request, by Azure."""
_ALREADY_GONE = ("MessageNotFound", "PopReceiptMismatch")
"""Codes for a message that was delivered once more meanwhile: it is acknowledged there."""
_PASSING = (408, 429)

# Without a handler, Python prints the library's page about each kind of credentials to stderr.
logging.getLogger("azure").addHandler(logging.NullHandler())


def open_source(address: Address) -> QueueSource:
    """Return the blobs that the messages of ``azqueue://ACCOUNT/QUEUE`` name.

    :raises UsageError: when the address is not valid.
    """
    address.check_options(())
    if not address.host or not address.path or "/" in address.path:
        raise UsageError(
            f"{address.text} is not a queue.",
            remedy="Write azqueue://ACCOUNT/QUEUE, the names of the storage account and the queue.",
        )
    return QueueSource(address, AzureQueue(address))


class AzureQueue:
    """A queue of a storage account. Azure answers at once, also without a message."""

    pause_seconds = 1.0

    def __init__(self, address: Address) -> None:
        self.name = address.text
        account = address.host
        endpoint = os.environ.get(ENDPOINT_VARIABLE) or f"https://{account}.queue.core.windows.net"
        self._queue = QueueClient(endpoint, address.path, credential=_credential(account))

    def receive(self) -> Sequence[Message]:
        """Return messages, or none."""
        received = self._request(
            lambda: list(
                self._queue.receive_messages(
                    messages_per_page=_MOST, max_messages=_MOST, visibility_timeout=HIDDEN_SECONDS
                )
            )
        )
        return [_message(each) for each in received]

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Delete messages."""
        for message in messages:
            self._request(partial(self._queue.delete_message, message.id, message.handle))

    def hide(self, messages: Sequence[Message]) -> None:
        """Hide messages for longer: each gets another handle."""
        for message in messages:
            hidden = self._request(
                partial(
                    self._queue.update_message,
                    message.id,
                    message.handle,
                    visibility_timeout=HIDDEN_SECONDS,
                )
            )
            if hidden is not None:
                message.handle = hidden.pop_receipt

    def close(self) -> None:
        """Close the connection."""
        self._queue.close()

    def _request(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except AzureError as error:
            if getattr(error, "error_code", None) in _ALREADY_GONE:
                return None
            raise _source_error(self.name, error) from error


def _credential(account: str) -> Any:
    """Return what obstore uses for blobs, in the same order."""
    if key := os.environ.get("AZURE_STORAGE_ACCOUNT_KEY"):
        return AzureNamedKeyCredential(account, key)
    if token := os.environ.get("AZURE_STORAGE_SAS_TOKEN"):
        return AzureSasCredential(token)
    return DefaultAzureCredential()


def _message(received: QueueMessage) -> Message:
    body = _plain(str(received.content))
    return Message(
        str(received.id),
        str(received.pop_receipt),
        body,
        received.dequeue_count or 1,
        partial(parse_notification, body),
    )


def _plain(text: str) -> bytes:
    """Return a message without the Base64 that Event Grid and some tools put around it."""
    if not text.lstrip().startswith(("{", "[")):
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            pass
    return text.encode("utf-8", "replace")


def _source_error(name: str, error: AzureError) -> SourceError:
    """Return the error for a user, by what Azure answered."""
    reason = (str(error.message or error).splitlines() or [""])[0].rstrip(".")
    status = error.status_code if isinstance(error, HttpResponseError) else None
    if isinstance(error, ResourceNotFoundError):
        return SourceError(f"{name} does not exist.", remedy="Check the account and the queue.")
    if isinstance(error, ClientAuthenticationError):
        return SourceError(
            f"{name} does not accept the credentials: {reason}.",
            remedy="Renew them, and run the command again; docs/clouds.md has their variables.",
        )
    if status is None or status >= 500 or status in _PASSING:
        return SourceUnavailable(f"{name} is not available: {reason}.")
    if status == 403:
        return SourceError(
            f"{name} denies access: {reason}.",
            remedy="Give the role Storage Queue Data Message Processor.",
        )
    return SourceError(
        f"{name} cannot be read: {reason}.", remedy="Check the account and the queue."
    )
