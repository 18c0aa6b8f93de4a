"""Kafka, on a broker."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Sequence
from pathlib import Path
from signal import Signals
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from k8sidx.errors import SourceError, UsageError
from k8sidx.shipping.pipeline import ShipOptions, ship
from k8sidx.shipping.signals import Stop
from k8sidx.shipping.state import State
from tests.building import event
from tests.shipping.sources.remote.shipper import Shipper, line, lines


class Topic:
    """A topic of two partitions.

    :ivar url: its address as an input.
    """

    def __init__(self, broker: str, name: str) -> None:
        self.name = name
        self.url = f"kafka://{broker}/{name}"
        self._producer = Producer({"bootstrap.servers": broker, "linger.ms": 0})
        admin = AdminClient({"bootstrap.servers": broker})
        made = admin.create_topics([NewTopic(name, 2, 1)])
        made[name].result(60)

    def send(self, values: Sequence[bytes | None], partition: int = 0) -> None:
        for value in values:
            self._producer.produce(self.name, value=value, key=b"k", partition=partition)
        assert self._producer.flush(60) == 0


@pytest.fixture
def topic(kafka_broker: str, request: pytest.FixtureRequest) -> Topic:
    return Topic(kafka_broker, request.node.name[:80])


def test_messages_are_read_once_by_the_offsets_of_the_group(
    topic: Topic, shipper: Shipper, tmp_path: Path
) -> None:
    topic.send([line(n) for n in range(10)], 0)
    topic.send([lines(range(10, 15)), gzip.compress(lines(range(15, 20)))], 1)
    log = {"log": json.dumps(event(seconds=20))}
    envelope = {"records": [{"category": "kube-audit", "properties": log}]}
    topic.send([json.dumps(envelope).encode()], 1)
    first = shipper.ship(topic.url)
    assert (first.read, first.indexed, first.rejected, first.failure) == (21, 21, 0, None)
    shipper.state = tmp_path / "another.json"  # the group has them as well
    topic.send([line(30)], 1)
    again = shipper.ship(topic.url)
    assert (again.read, again.indexed) == (1, 1)


def test_state_is_ahead_of_a_group_that_did_not_commit(topic: Topic, shipper: Shipper) -> None:
    topic.send([line(n) for n in range(4)])
    shipper.ship(topic.url)
    assert shipper.ship(f"{topic.url}?group=another-that-has-nothing").read == 0


def test_poison_messages_are_rejected_and_the_next_ones_are_read(
    topic: Topic, shipper: Shipper
) -> None:
    broken = b'{"kind":"Event","auditID":"x","stage":"Resp[Truncated...]'
    topic.send([line(1), broken, None, line(2), gzip.compress(lines([3]))[:-9], line(4)])
    report = shipper.ship(topic.url)
    assert {1, 2, 4} <= set(shipper.seconds())
    assert report.rejected == 2
    assert report.skipped == {"Kafka message without a value": 1}
    assert report.dead_letter is not None
    letters = [json.loads(text) for text in report.dead_letter.read_text("utf-8").splitlines()]
    assert any(f"{topic.url}[0]" in json.dumps(letter) for letter in letters)
    assert shipper.ship(topic.url).read == 0


def test_partition_that_moves_to_another_reader_loses_nothing(
    topic: Topic, shipper: Shipper, tmp_path: Path
) -> None:
    """Two readers share the partitions; one ends, and the other takes over its partition."""
    other = Shipper(tmp_path)
    other.state = tmp_path / "other.json"
    stop = Stop()
    reports: list[Any] = []

    def follow_beside() -> None:
        with State(other.state) as state:
            options = ShipOptions(processes=1, follow=True)
            reports.append(ship([topic.url], other.store, options, state=state, stop=stop))

    thread = threading.Thread(target=follow_beside)

    def share(shipper: Shipper) -> None:
        topic.send([line(n) for n in range(5)], 0)
        topic.send([line(n) for n in range(5, 10)], 1)
        shipper.wait_until_stored(10)
        thread.start()
        for n in range(10, 30):
            topic.send([line(n)], n % 2)
        shipper.wait_until_stored(30)
        stop.signal = Signals.SIGTERM
        thread.join(60)
        topic.send([line(n) for n in range(30, 35)], 0)
        topic.send([line(n) for n in range(35, 40)], 1)
        shipper.wait_until_stored(40)

    report = shipper.follow(topic.url, meanwhile=share)
    assert shipper.seconds() == list(range(40))
    assert report.failure is None
    assert reports[0].failure is None
    assert report.indexed + reports[0].indexed == 40


def test_topic_that_does_not_exist_is_an_error(kafka_broker: str, shipper: Shipper) -> None:
    failure = shipper.ship(f"kafka://{kafka_broker}/no-such-topic").failure
    assert isinstance(failure, SourceError)
    assert "does not exist" in failure.message


def test_settings_are_read_from_a_file_and_the_group_is_not_one_of_them(
    shipper: Shipper, tmp_path: Path
) -> None:
    settings = tmp_path / "kafka.conf"
    settings.write_text("# of the broker\nsecurity.protocol=PLAINTEXT\ngroup.id = mine\n", "utf-8")
    with pytest.raises(UsageError, match=r"kafka\.conf:3: 'group\.id' is not a setting"):
        shipper.ship(f"kafka://127.0.0.1:1/audit?config={settings}")
    settings.write_text("no.such.setting=1\n", "utf-8")
    failure = shipper.ship(f"kafka://127.0.0.1:1/audit?config={settings}").failure
    assert failure is not None
    assert "no.such.setting" in failure.message
