"""Event Grid's notifications of blobs in an Azure queue, on Azurite's queue and blob services."""

from __future__ import annotations

import base64
import json
import time
from typing import Any
from urllib.parse import quote

import obstore
import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.storage.queue import QueueClient

from k8sidx.errors import UsageError
from k8sidx.shipping.sources.remote import azure_queue
from k8sidx.shipping.sources.remote.address import parse_address
from k8sidx.shipping.sources.remote.object_store import azure_store
from k8sidx.shipping.sources.remote.open import open_sources
from tests.servers.emulators import AZURE_KEY
from tests.shipping.sources.remote.conftest import create_container
from tests.shipping.sources.remote.shipper import Shipper, lines

CONTAINER = "notified"


class Queue:
    """A queue, and a container whose blobs it names."""

    def __init__(self, account: str, endpoint: str, name: str) -> None:
        self.url = f"azqueue://{account}/{name}"
        self._account = account
        self.client = QueueClient(endpoint, name, AzureNamedKeyCredential(account, AZURE_KEY))
        self.client.create_queue()
        self._blobs = azure_store(account, CONTAINER)._store

    def put(self, key: str, body: bytes) -> None:
        obstore.put(self._blobs, key, body)

    def created(self, key: str, kind: str = "Microsoft.Storage.BlobCreated") -> dict[str, Any]:
        """An event in Event Grid's own schema."""
        path = quote(key)
        return {
            "topic": "/subscriptions/1/providers/Microsoft.Storage/storageAccounts/a",
            "subject": f"/blobServices/default/containers/{CONTAINER}/blobs/{path}",
            "eventType": kind,
            "data": {"url": f"https://{self._account}.blob.core.windows.net/{CONTAINER}/{path}"},
        }

    def send(self, content: Any) -> None:
        """Send it as Event Grid does: in Base64."""
        self.client.send_message(base64.b64encode(json.dumps(content).encode()).decode())

    def left(self) -> int:
        """Messages that are not acknowledged, hidden ones included."""
        return int(self.client.get_queue_properties().approximate_message_count or 0)


@pytest.fixture
def queue(
    azure: str,
    azurite_blob: str,
    azurite_queue: str,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Queue:
    monkeypatch.setenv(azure_queue.ENDPOINT_VARIABLE, azurite_queue)
    create_container(azurite_blob, CONTAINER)
    name = request.node.name.replace("_", "-").removeprefix("test-")[:60].strip("-")
    return Queue(azure, azurite_queue, name)


def test_blobs_of_notifications_are_stored_and_messages_acknowledged(
    queue: Queue, shipper: Shipper
) -> None:
    queue.put("logs/a b+ü.log", lines(range(3)))
    queue.put("logs/b.log", lines(range(3, 6)))
    queue.send(queue.created("logs/a b+ü.log"))
    event = queue.created("logs/b.log")
    as_cloud_event = {"specversion": "1.0", "type": event.pop("eventType"), **event}
    queue.client.send_message(json.dumps(as_cloud_event))
    report = shipper.ship(queue.url)
    assert (report.read, report.indexed, report.failure) == (6, 6, None)
    assert queue.left() == 0


def test_message_that_is_delivered_twice_is_stored_once(queue: Queue, shipper: Shipper) -> None:
    queue.put("logs/twice.log", lines(range(3)))
    queue.send(queue.created("logs/twice.log"))
    queue.send(queue.created("logs/twice.log"))
    report = shipper.ship(queue.url)
    assert (report.indexed, report.duplicates) == (3, 3)
    assert queue.left() == 0


def test_poison_messages_are_rejected_and_the_next_ones_are_read(
    queue: Queue, shipper: Shipper
) -> None:
    queue.client.send_message("neither JSON nor Base64")
    queue.send("Base64 of no event")
    queue.send(queue.created("logs/removed.log"))
    queue.send(queue.created("logs/good.log", "Microsoft.Storage.BlobDeleted"))
    queue.put("logs/good.log", lines([1]))
    queue.send(queue.created("logs/good.log"))
    report = shipper.ship(queue.url)
    assert (report.indexed, report.rejected) == (1, 3)
    assert report.skipped == {"notification of another event": 1}
    assert report.dead_letter is not None
    assert "neither JSON nor Base64" in report.dead_letter.read_text("utf-8")
    assert queue.left() == 0


def test_message_is_kept_when_the_store_refuses_its_events(
    queue: Queue, shipper: Shipper, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue.put("logs/kept.log", lines(range(3)))
    queue.send(queue.created("logs/kept.log"))
    with monkeypatch.context() as broken:
        broken.setattr("k8sidx.shipping.in_flight.ChunksInFlight.encoded", lambda *_: None)
        shipper.ship(queue.url)
    assert queue.left() == 1


def test_message_that_is_hidden_for_longer_is_acknowledged_with_its_new_receipt(
    queue: Queue,
) -> None:
    queue.send(queue.created("logs/slow.log"))
    reader = azure_queue.AzureQueue(parse_address(queue.url))
    (message,) = reader.receive()
    first = message.handle
    reader.hide([message])
    assert message.handle != first
    assert not reader.receive()
    reader.acknowledge([message])
    assert queue.left() == 0
    reader.acknowledge([message])  # as after a delivery to another reader: not an error


def test_following_reads_what_is_put_later(
    queue: Queue, shipper: Shipper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(azure_queue.AzureQueue, "pause_seconds", 0.1)
    queue.put("logs/later.log", lines(range(4)))

    def meanwhile(shipper: Shipper) -> None:
        time.sleep(0.2)
        queue.send(queue.created("logs/later.log"))
        shipper.wait_until_stored(4)

    report = shipper.follow(queue.url, meanwhile=meanwhile)
    assert (report.indexed, report.failure) == (4, None)
    assert queue.left() == 0


def test_queue_that_does_not_exist_is_an_error(queue: Queue, shipper: Shipper) -> None:
    failure = shipper.ship(f"{queue.url}-not").failure
    assert failure is not None
    assert "does not exist" in failure.message


def test_key_that_is_not_the_account_s_is_an_error(
    queue: Queue, shipper: Shipper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", base64.b64encode(b"wrong").decode())
    failure = shipper.ship(queue.url).failure
    assert failure is not None
    assert "credentials" in failure.message or "denies" in failure.message


@pytest.mark.parametrize("address", ["azqueue://account", "azqueue://account/queue/more"])
def test_address_names_an_account_and_a_queue(address: str) -> None:
    with pytest.raises(UsageError, match="is not a queue") as raised:
        open_sources([address])
    assert "azqueue://ACCOUNT/QUEUE" in raised.value.remedy
