"""Queues of notifications: the objects that their messages name, acknowledged after delivery.

A message is acknowledged once every event of every object that it names is stored, a duplicate
or in the dead-letter file. Until then the queue hides it, and it is hidden for longer while it is
worked on. A message that cannot be read, or whose object does not exist any more, is rejected and
acknowledged; one whose object may not be read is left to the queue, and rejected at its
last delivery but one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from k8sidx.errors import Where
from k8sidx.events.records import Chunk, Rejected, Skipped
from k8sidx.shipping.sources.remote.address import Address
from k8sidx.shipping.sources.remote.notifications import (
    InvalidNotification,
    NewObject,
    Notification,
)
from k8sidx.shipping.sources.remote.object_store import (
    ObjectDenied,
    ObjectGone,
    ObjectStore,
    azure_store,
    s3_store,
)
from k8sidx.shipping.sources.remote.objects import object_pieces
from k8sidx.shipping.sources.remote.source import Piece, Session

HIDDEN_SECONDS = 300
"""A message is hidden for so long from others; twice as often it is prolonged."""
DELIVERIES = 3
"""A message whose object may not be read is rejected when it was delivered so often."""


@dataclass(slots=True)
class Message:
    """A message that was received.

    :param id: of the message.
    :param handle: to acknowledge this delivery.
    :param deliveries: how often it was delivered, this time included.
    """

    id: str
    handle: str
    body: bytes
    deliveries: int
    notification: Callable[[], Notification]
    receipt: int = 0
    hidden_until: float = 0.0


class MessageQueue(Protocol):
    """A queue of a provider.

    :ivar pause_seconds: wait before it is read again when it was empty; 0 when it waits itself.
    """

    name: str
    pause_seconds: float

    def receive(self) -> Sequence[Message]:
        """Return messages, or none.

        :raises SourceError: when the queue cannot be read.
        """

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Remove messages from the queue."""

    def hide(self, messages: Sequence[Message]) -> None:
        """Hide messages from others for :data:`HIDDEN_SECONDS` from now on."""

    def close(self) -> None:
        """Close the connection."""


class QueueSource:
    """The objects that the messages of a queue name."""

    def __init__(self, address: Address, queue: MessageQueue) -> None:
        self.address = address
        self._queue = queue
        self._session: Session | None = None
        self._open: list[Message] = []
        self._stores: dict[tuple[str, str], ObjectStore] = {}

    def pieces(self, session: Session) -> Iterator[Piece]:
        """Yield the records of the objects, until the queue is empty, or stopped."""
        self._session = session
        while not session.stop.is_set():
            self._settle()
            messages = self._queue.receive()
            if not messages:
                if not session.follow:
                    return
                session.wait(self._queue.pause_seconds)
            until = time.monotonic() + HIDDEN_SECONDS
            for message in messages:
                message.hidden_until = until
            self._open += messages
            for message in messages:
                if session.stop.is_set():
                    return
                for piece in self._message(message, session):
                    yield piece
                    self._prolong()

    def finish(self) -> None:
        """Acknowledge what is delivered."""
        try:
            self._settle()
        finally:
            self._queue.close()

    def _message(self, message: Message, session: Session) -> Iterator[Piece]:
        """Yield what a message leads to; its receipt is issued unless it shall come once more."""
        where = Where(self._queue.name)
        receipt = session.receipts.issue()
        try:
            notification = message.notification()
        except InvalidNotification as error:
            yield Rejected(str(error), where, message.body)
            notification = Notification()
        if notification.skipped:
            yield Skipped(notification.skipped, where)
        for item in notification.objects:
            try:
                yield from self._object(item, session, receipt)
            except ObjectGone:
                reason = f"the object {item.key} of {item.container} does not exist any more"
                yield Rejected(reason, where, message.body)
            except ObjectDenied as error:
                if message.deliveries < DELIVERIES:
                    session.on_message(
                        f"{item.scheme}://{item.container}/{item.key} cannot be read: {error}; "
                        f"its message is left to {self._queue.name}"
                    )
                    self._open.remove(message)
                    return
                yield Rejected(f"the object cannot be read: {error}", where, message.body)
        message.receipt = receipt
        yield Chunk(self._queue.name, 1, b"", receipt=receipt)

    def _object(self, item: NewObject, session: Session, receipt: int) -> Iterator[Piece]:
        store = self._stores.get(item[:2])
        if store is None:
            store = self._stores[item[:2]] = _store(item)
        for piece in object_pieces(store, item.key, session.record_limit, receipt=receipt):
            if not isinstance(piece, Chunk) or piece.data:  # the message ends with the last one
                yield piece

    def _settle(self) -> None:
        """Acknowledge the messages that are delivered."""
        session = self._session
        if session is None:
            return
        done = [
            message
            for message in self._open
            if message.receipt and session.receipts.take(message.receipt)
        ]
        if done:
            self._open = [message for message in self._open if message not in done]
            self._queue.acknowledge(done)
        self._prolong()

    def _prolong(self) -> None:
        """Hide messages for longer whose time is half over."""
        now = time.monotonic()
        due = [message for message in self._open if message.hidden_until - now < HIDDEN_SECONDS / 2]
        if due:
            self._queue.hide(due)
            for message in due:
                message.hidden_until = now + HIDDEN_SECONDS


def _store(item: NewObject) -> ObjectStore:
    if item.scheme == "s3":
        return s3_store(item.container)
    return azure_store(*item.container.split("/", 1))
