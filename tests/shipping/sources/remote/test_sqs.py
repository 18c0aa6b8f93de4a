"""Notifications of S3 in SQS, on moto's server."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote_plus

import boto3
import pytest

from tests.shipping.sources.remote.shipper import Shipper, lines

BUCKET = "notified"


class Queue:
    """A queue, and a bucket whose objects it names."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.sqs = boto3.client("sqs")
        self.s3 = boto3.client("s3")
        self.url = self.sqs.create_queue(QueueName=name)["QueueUrl"]

    def put(self, key: str, body: bytes) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)

    def notify(self, *keys: str) -> None:
        self.send({"Records": [self.record(key) for key in keys]})

    def record(self, key: str) -> dict[str, Any]:
        place = {"bucket": {"name": BUCKET}, "object": {"key": quote_plus(key)}}
        return {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": place}

    def send(self, body: Any) -> None:
        text = body if isinstance(body, str) else json.dumps(body)
        self.sqs.send_message(QueueUrl=self.url, MessageBody=text)

    def left(self) -> int:
        """Messages that are not acknowledged, hidden ones included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)
        return sum(int(value) for value in answer["Attributes"].values())


@pytest.fixture
def queue(aws: str, request: pytest.FixtureRequest) -> Queue:
    made = Queue(request.node.name[:70])
    location = {"LocationConstraint": "eu-central-1"}
    if BUCKET not in [one["Name"] for one in made.s3.list_buckets()["Buckets"]]:
        made.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=location)
    return made


def test_objects_of_notifications_are_stored_and_messages_acknowledged(
    queue: Queue, shipper: Shipper
) -> None:
    queue.put("logs/a b+ü.log", lines(range(3)))
    queue.put("logs/b.log", lines(range(3, 6)))
    queue.notify("logs/a b+ü.log", "logs/b.log")
    queue.put("logs/c.log", lines(range(6, 8)))
    inside_of_sns = json.dumps({"Records": [queue.record("logs/c.log")]})
    queue.send({"Type": "Notification", "Message": inside_of_sns})
    report = shipper.ship(f"sqs://{queue.name}")
    assert (report.read, report.indexed, report.failure) == (8, 8, None)
    assert queue.left() == 0


def test_message_that_is_delivered_twice_is_stored_once(queue: Queue, shipper: Shipper) -> None:
    queue.put("logs/a.log", lines(range(3)))
    queue.notify("logs/a.log")
    queue.notify("logs/a.log")
    report = shipper.ship(f"sqs://{queue.name}")
    assert (report.indexed, report.duplicates) == (3, 3)
    assert queue.left() == 0


def test_poison_messages_are_rejected_and_the_next_ones_are_read(
    queue: Queue, shipper: Shipper
) -> None:
    queue.send("not JSON")
    queue.send({"Records": [{"eventName": "ObjectCreated:Put", "s3": {}}]})
    queue.notify("logs/removed.log")
    queue.send({"Service": "Amazon S3", "Event": "s3:TestEvent"})
    queue.put("logs/good.log", lines([1]))
    queue.notify("logs/good.log")
    report = shipper.ship(f"sqs://{queue.name}")
    assert (report.indexed, report.rejected) == (1, 3)
    assert report.skipped == {"test notification of S3": 1}
    assert report.dead_letter is not None
    assert "not JSON" in report.dead_letter.read_text("utf-8")
    assert queue.left() == 0


def test_message_is_kept_when_the_store_refuses_its_events(
    queue: Queue, shipper: Shipper, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue.put("logs/a.log", lines(range(3)))
    queue.notify("logs/a.log")
    monkeypatch.setattr("k8sidx.shipping.in_flight.ChunksInFlight.encoded", lambda *_: None)
    shipper.ship(f"sqs://{queue.name}")
    assert queue.left() == 1


def test_queue_that_does_not_exist_is_an_error(aws: str, shipper: Shipper) -> None:
    failure = shipper.ship("sqs://no-such-queue").failure
    assert failure is not None
    assert "no-such-queue" in failure.message
