"""Kafka topics, and Azure Event Hubs by its Kafka endpoint; offsets are committed after delivery.

Readers of one group share the partitions of a topic. The group is named after the store, unless
``group`` is given: two stores each get everything. A partition starts behind what was delivered of
it, by the group's offset or by the state file, whichever is later.

The library's own settings are read from the file that ``config`` names, one ``name=value`` a line
as in the files of Kafka's own tools: passwords stand in no address.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka import (
    OFFSET_INVALID,
    Consumer,
    KafkaError,
    KafkaException,
    TopicPartition,
)

from k8sidx.compression import is_compressed
from k8sidx.errors import SourceError, SourceUnavailable, UsageError, Where
from k8sidx.events.records import Chunk, Position, Rejected, Skipped
from k8sidx.shipping.sources.files.chunks import read_body
from k8sidx.shipping.sources.remote.address import Address
from k8sidx.shipping.sources.remote.source import CHUNK_BYTES, Piece, Session

_OPTIONS = ("group", "start", "config")
_FIXED = {"enable.auto.commit", "enable.auto.offset.store", "group.id", "auto.offset.reset"}
_MESSAGES = 2000
_POLL_SECONDS = 0.3
_UNAVAILABLE_SECONDS = 30.0
"""Without ``--follow``, brokers that do not answer for so long end the run."""
_COMMIT_SECONDS = 1.0
_DENIED = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.SASL_AUTHENTICATION_FAILED, KafkaError._AUTHENTICATION,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
}  # fmt: skip
_MISSING = {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC}


def open_source(address: Address) -> KafkaSource:
    """Return the messages of ``kafka://BROKER[,BROKER…]/TOPIC``.

    :raises UsageError: when the address or the file of settings is not valid.
    """
    address.check_options(_OPTIONS)
    if not address.path or "/" in address.path or not address.host:
        raise UsageError(
            f"{address.text} is not complete.", remedy="Write kafka://BROKER:9092/TOPIC."
        )
    start = address.options.get("start", "earliest")
    if start not in ("earliest", "latest"):
        raise UsageError(f"start={start} is not valid.", remedy="Write earliest or latest.")
    settings = _settings(Path(address.options["config"])) if "config" in address.options else {}
    return KafkaSource(address, settings)


def _settings(path: Path) -> dict[str, str]:
    """Return the settings of a file.

    :raises UsageError: when it cannot be read, or has a setting that is not the user's.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}.") from error
    settings = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, separator, value = (part.strip() for part in line.partition("="))
        if not separator or name in _FIXED:
            raise UsageError(
                f"{name!r} is not a setting that can be given.",
                remedy="Write name=value, for example security.protocol=SASL_SSL; the group and "
                "the first offset are options of the address.",
                where=Where(str(path), number),
            )
        settings[name] = value
    return settings


@dataclass(slots=True)
class _Partition:
    """A partition that is assigned to this reader.

    :param number: of its entry in the register.
    :param position: before the next message to read.
    :ivar ended: its end was reached.
    :ivar receipts: offsets that can be committed once what was read before them is delivered.
    """

    number: int
    position: Position
    ended: bool = False
    receipts: deque[tuple[int, int]] = field(default_factory=deque)


class KafkaSource:
    """The messages of a topic."""

    def __init__(self, address: Address, settings: dict[str, str]) -> None:
        self.address = address
        self._topic = address.path
        self._settings = settings
        self._consumer: Consumer | None = None
        self._session: Session | None = None
        self._partitions: dict[int, _Partition] = {}
        self._committed_at = 0.0
        self._answered = 0.0
        self._error = ""
        self._failure: SourceError | None = None

    def pieces(self, session: Session) -> Iterator[Piece]:
        """Yield the messages that are not delivered yet."""
        self._session = session
        if self._consumer is None:
            self._consumer = self._connect(session)
        consumer = self._consumer
        self._answered = time.monotonic()
        while not session.stop.is_set():
            try:
                messages = consumer.consume(_MESSAGES, _POLL_SECONDS)
            except KafkaException as error:
                raise self._raised(error.args[0]) from error
            yield from self._read(messages, session)
            if self._failure is not None:
                raise self._failure
            self._settle(consumer)
            if not session.follow and self._is_read(consumer):
                return

    def finish(self) -> None:
        """Commit the offsets of what is delivered, and leave the group."""
        if self._consumer is None:
            return
        try:
            self._settle(self._consumer, at_once=True)
        finally:
            self._consumer.close()
            self._consumer = None

    def _connect(self, session: Session) -> Consumer:
        try:
            consumer = Consumer(
                self._settings
                | {
                    "bootstrap.servers": self.address.host,
                    "group.id": self.address.options.get("group", session.group),
                    "auto.offset.reset": self.address.options.get("start", "earliest"),
                    "enable.auto.commit": False,
                    "enable.auto.offset.store": False,
                    "enable.partition.eof": True,
                    "error_cb": self._on_error,
                    "log_level": 0,
                }
            )
        except (KafkaException, ValueError) as error:
            raise SourceError(
                f"{self.address.text}: a setting is not valid: {error}.",
                remedy="Check the file that ?config= names.",
            ) from error
        consumer.subscribe([self._topic], on_assign=self._assigned, on_revoke=self._revoked,
                           on_lost=self._lost)  # fmt: skip
        return consumer

    def _on_error(self, error: KafkaError) -> None:
        """Note an error of the library's threads; it continues by itself unless it is denied."""
        self._error = error.str()
        if error.code() in _DENIED:
            self._failure = self._raised(error)

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Start each partition behind what is delivered of it."""
        if self._session is None:
            return
        positions = self._session.positions
        committed = {
            partition.partition: partition.offset
            for partition in consumer.committed(partitions, 30)
        }
        for partition in partitions:
            identity = f"{self.address.text}[{partition.partition}]"
            number = positions.number(identity, identity)
            saved = positions.delivered(number)
            offset = max(committed.get(partition.partition, OFFSET_INVALID), saved.offset)
            if offset > 0:
                partition.offset = offset
            self._partitions[partition.partition] = _Partition(number, saved)
        consumer.assign(partitions)

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Commit what is delivered before another reader starts there."""
        self._settle(consumer, at_once=True)
        self._lost(consumer, partitions)

    def _lost(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        for partition in partitions:
            self._partitions.pop(partition.partition, None)

    def _read(self, messages: list[Any], session: Session) -> Iterator[Piece]:
        """Yield the records of messages, those of a partition that follow each other together."""
        runs: dict[int, list[Any]] = {}
        failure: SourceError | None = None
        for message in messages:
            error = message.error()
            if error is not None and error.code() != KafkaError._PARTITION_EOF:
                failure = self._raised(error)
                continue
            self._answered, self._error = time.monotonic(), ""
            if error is not None:
                if (partition := self._partitions.get(message.partition())) is not None:
                    partition.ended = True
                continue
            runs.setdefault(message.partition(), []).append(message)
        for number, run in runs.items():
            # A partition that was moved meanwhile is read by its new reader.
            if (partition := self._partitions.get(number)) is not None:
                yield from self._run(partition, run, session)
        if failure is not None:
            raise failure

    def _run(self, partition: _Partition, messages: list[Any], session: Session) -> Iterator[Piece]:
        receipt = session.receipts.issue()
        name = f"{self.address.text}[{messages[0].partition()}]"
        # The state passes none of these chunks before all of them are delivered.
        blank = Chunk(
            name, 0, b"", file=partition.number, position=partition.position, receipt=receipt
        )
        lines: list[bytes] = []
        first = size = 0
        for message in messages:
            value, offset = message.value(), message.offset()
            is_line = value is not None and b"\n" not in value and not is_compressed(value[:8])
            if lines and (not is_line or offset != first + len(lines) or size > CHUNK_BYTES):
                yield blank._replace(first=first, data=b"\n".join(lines))
                lines, size = [], 0
            if is_line:
                first = first if lines else offset
                lines.append(value)
                size += len(value)
            elif value is None:
                yield Skipped("Kafka message without a value", Where(name, offset))
            else:
                yield from self._body(f"{name}:{offset}", value, session.record_limit, blank)
        if lines:
            yield blank._replace(first=first, data=b"\n".join(lines))
        end = messages[-1].offset() + 1
        partition.receipts.append((receipt, end))
        partition.position = Position(end, partition.position.record + len(messages))
        yield blank._replace(first=end, position=partition.position)

    @staticmethod
    def _body(name: str, value: bytes, record_limit: int, blank: Chunk) -> Iterator[Piece]:
        """Yield the records of a message with several, or a compressed one."""
        for piece in read_body(name, iter((value,)), CHUNK_BYTES, record_limit):
            if isinstance(piece, Chunk):
                yield piece._replace(
                    file=blank.file, position=blank.position, receipt=blank.receipt
                )
            elif isinstance(piece, Rejected):
                yield piece._replace(raw=piece.raw or value)
            else:
                yield piece

    def _settle(self, consumer: Consumer, *, at_once: bool = False) -> None:
        """Commit the offsets before which everything is delivered."""
        if self._session is None:
            return
        now = time.monotonic()
        if not at_once and now - self._committed_at < _COMMIT_SECONDS:
            return
        self._committed_at = now
        offsets = []
        for number, partition in self._partitions.items():
            while partition.receipts and self._session.receipts.take(partition.receipts[0][0]):
                end = partition.receipts.popleft()[1]
                offsets.append(TopicPartition(self._topic, number, end))
        latest = {offset.partition: offset for offset in offsets}
        if latest:
            try:
                consumer.commit(offsets=list(latest.values()), asynchronous=False)
            except KafkaException as error:
                # The state file has it too, and what is read once more is a duplicate.
                self._session.on_message(
                    f"{self.address.text}: an offset cannot be committed: {error.args[0].str()}"
                )

    def _is_read(self, consumer: Consumer) -> bool:
        """Whether the end of each partition was reached."""
        waited = time.monotonic() - self._answered
        if not self._partitions and waited > _UNAVAILABLE_SECONDS:
            self._raise_unanswered(consumer)
        if self._error and waited > _UNAVAILABLE_SECONDS:
            raise SourceUnavailable(f"{self.address.text} does not answer: {self._error}.")
        return bool(self._partitions) and all(
            partition.ended for partition in self._partitions.values()
        )

    def _raise_unanswered(self, consumer: Consumer) -> None:
        try:
            topics = consumer.list_topics(self._topic, timeout=5).topics
        except KafkaException as error:
            raise self._raised(error.args[0]) from error
        topic = topics.get(self._topic)
        if topic is not None and topic.error is not None:
            raise self._raised(topic.error)
        raise SourceUnavailable(
            f"{self.address.text} assigns no partition: other readers of the group have them all."
            if not self._error
            else f"{self.address.text} does not answer: {self._error}.",
            remedy="Check the addresses of the brokers, also those that they advertise.",
        )

    def _raised(self, error: KafkaError) -> SourceError:
        if error.code() in _DENIED:
            return SourceError(
                f"{self.address.text} does not accept the credentials: {error.str()}.",
                remedy="Check the file that ?config= names, and the access rules of the topic.",
            )
        if error.code() in _MISSING:
            return SourceError(
                f"{self.address.text} does not exist.", remedy="Check the name of the topic."
            )
        return SourceUnavailable(f"{self.address.text} is not available: {error.str()}.")
