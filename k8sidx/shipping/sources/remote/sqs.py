"""SQS: notifications of S3 objects in a queue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from k8sidx.errors import SourceUnavailable, UsageError
from k8sidx.shipping.sources.remote.address import Address
from k8sidx.shipping.sources.remote.aws import client, source_error
from k8sidx.shipping.sources.remote.notifications import parse_notification
from k8sidx.shipping.sources.remote.queue_reader import HIDDEN_SECONDS, Message, QueueSource

_LONG_POLL_SECONDS = 2
_MOST = 10
"""Messages in one request, by SQS."""
_OPTIONS = ("region", "account")


def open_source(address: Address) -> QueueSource:
    """Return the objects that the messages of ``sqs://QUEUE`` name.

    :raises UsageError: when the address is not valid.
    """
    address.check_options(_OPTIONS)
    if address.path:
        raise UsageError(f"{address.text} is not a queue.", remedy="Write sqs://QUEUE, its name.")
    return QueueSource(address, SqsQueue(address))


class SqsQueue:
    """A queue of SQS."""

    pause_seconds = 0.0

    def __init__(self, address: Address) -> None:
        self.name = address.text
        self._address = address
        self._sqs = client("sqs", self.name, address.options.get("region"))
        self._url = ""

    def receive(self) -> Sequence[Message]:
        """Return messages, after two seconds without any none."""
        if not self._url:
            more = {}
            if account := self._address.options.get("account"):
                more["QueueOwnerAWSAccountId"] = account
            answer = self._request(self._sqs.get_queue_url, QueueName=self._address.host, **more)
            self._url = answer["QueueUrl"]
        answer = self._request(
            self._sqs.receive_message,
            QueueUrl=self._url,
            MaxNumberOfMessages=_MOST,
            WaitTimeSeconds=_LONG_POLL_SECONDS,
            VisibilityTimeout=HIDDEN_SECONDS,
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
        )
        return [_message(received) for received in answer.get("Messages", ())]

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Delete messages."""
        self._in_batches(self._sqs.delete_message_batch, messages, {})

    def hide(self, messages: Sequence[Message]) -> None:
        """Hide messages for longer."""
        more = {"VisibilityTimeout": HIDDEN_SECONDS}
        self._in_batches(self._sqs.change_message_visibility_batch, messages, more)

    def close(self) -> None:
        """Close the connection."""
        self._sqs.close()

    def _in_batches(
        self, call: Callable[..., Any], messages: Sequence[Message], more: dict[str, Any]
    ) -> None:
        for start in range(0, len(messages), _MOST):
            entries = [
                {"Id": str(number), "ReceiptHandle": message.handle} | more
                for number, message in enumerate(messages[start : start + _MOST])
            ]
            answer = self._request(call, QueueUrl=self._url, Entries=entries)
            # Of a message that was delivered once more meanwhile the handle is old.
            for failed in answer.get("Failed", ()):
                if not failed.get("SenderFault"):
                    raise SourceUnavailable(f"{self.name} is not available: {failed['Code']}.")

    def _request(self, call: Callable[..., Any], **arguments: Any) -> Any:
        try:
            return call(**arguments)
        except (ClientError, BotoCoreError) as error:
            raise source_error(self.name, error) from error


def _message(received: dict[str, Any]) -> Message:
    body = received["Body"].encode("utf-8", "replace")
    deliveries = int(received.get("Attributes", {}).get("ApproximateReceiveCount", 1))
    return Message(
        received["MessageId"],
        received["ReceiptHandle"],
        body,
        deliveries,
        partial(parse_notification, body),
    )
