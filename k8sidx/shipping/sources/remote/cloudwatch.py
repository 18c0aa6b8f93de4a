"""CloudWatch Logs: the events of a log group, by stream and time.

FilterLogEvents has the events of all streams in the order of their times, also those that come
late. A reader therefore looks back: a little each time, and by ``lookback`` every five minutes and
when it starts. In one run each event is yielded once, known by its id; what a new run reads once
more, the store counts as duplicates.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from k8sidx.events.records import Chunk, Position
from k8sidx.shipping.sources.remote.address import Address
from k8sidx.shipping.sources.remote.aws import client, source_error
from k8sidx.shipping.sources.remote.source import Piece, Session

POLL = timedelta(seconds=5)
LOOKBACK = timedelta(minutes=10)
_OVERLAP = timedelta(seconds=15)
_FULL_LOOK = timedelta(minutes=5)
_OPTIONS = ("streams", "since", "until", "filter", "lookback", "poll", "region")
_MILLISECOND = timedelta(milliseconds=1)
_EPOCH = datetime.fromtimestamp(0, UTC)
_STREAMS = "kube-apiserver-audit"
"""Start of the names of EKS's audit streams, beside which those of other components lie."""


def open_source(address: Address) -> CloudWatchSource:
    """Return the events of a log group.

    :raises UsageError: when the address is not valid.
    """
    address.check_options(_OPTIONS)
    for name in ("since", "until"):
        address.moment(name)
    address.span("lookback", LOOKBACK)
    return CloudWatchSource(address)


class CloudWatchSource:
    """The events of a log group.

    :param address: ``cloudwatch://GROUP``; a group's own slashes may follow.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self._group = _group(address)
        self._name = f"cloudwatch://{self._group}"
        default = _STREAMS if self._group.startswith("/aws/eks/") else ""
        self._streams = address.options.get("streams", default)
        self._logs = client("logs", self._name, address.options.get("region"))
        self._seen: dict[int, int] = {}
        self._latest = 0
        self._records = 0
        self._looked_back: datetime | None = None

    def pieces(self, session: Session) -> Iterator[Piece]:
        """Yield the events that were not yielded yet."""
        identity = f"{self._name} {self._streams} {self.address.options.get('filter', '')}".rstrip()
        number = session.positions.number(identity, identity)
        delivered = session.positions.delivered(number)
        if not self._latest:
            self._latest, self._records = delivered.offset, delivered.record
        poll = self.address.span("poll", POLL).total_seconds()
        while True:
            yield from self._look(session, number)
            if not session.follow or session.wait(poll):
                return

    def finish(self) -> None:
        """Close the connections."""
        self._logs.close()

    def _look(self, session: Session, number: int) -> Iterator[Piece]:
        """Yield what is new since the last look."""
        now = datetime.now(UTC)
        arguments: dict[str, Any] = {"logGroupName": self._group, "startTime": self._start(now)}
        if self._streams:
            arguments["logStreamNamePrefix"] = self._streams
        if pattern := self.address.options.get("filter"):
            arguments["filterPattern"] = pattern
        if until := self.address.moment("until"):
            arguments["endTime"] = _milliseconds(until)
        while not session.stop.is_set():
            try:
                page = self._logs.filter_log_events(**arguments)
            except (ClientError, BotoCoreError) as error:
                raise source_error(self._name, error) from error
            yield from self._page(page["events"], number)
            token = page.get("nextToken")
            if not token:
                break
            arguments["nextToken"] = token
        oldest = self._latest - _in_milliseconds(self.address.span("lookback", LOOKBACK))
        if len(self._seen) > 10_000:
            self._seen = {key: time for key, time in self._seen.items() if time >= oldest}

    def _start(self, now: datetime) -> int:
        """Return the time to look from, in milliseconds."""
        since = self.address.moment("since")
        first = _milliseconds(since) if since else 0
        if not self._latest:
            return first
        back = _OVERLAP
        if self._looked_back is None or now - self._looked_back >= _FULL_LOOK:
            self._looked_back = now
            back = self.address.span("lookback", LOOKBACK)
        return max(first, self._latest - _in_milliseconds(back))

    def _page(self, events: list[dict[str, Any]], number: int) -> Iterator[Piece]:
        new = []
        for event in events:
            key = hash(event["eventId"])
            is_wanted = event["logStreamName"].startswith(self._streams)
            if is_wanted and key not in self._seen:
                self._seen[key] = event["timestamp"]
                new.append(event)
        streams: dict[str, list[bytes]] = {}
        for event in new:
            stream = str(event["logStreamName"])
            streams.setdefault(stream, []).append(self._line(stream, event))
        before, self._latest = self._latest, self._time_of(new)
        for left, (stream, lines) in zip(
            range(len(streams) - 1, -1, -1), streams.items(), strict=True
        ):
            first = self._records + 1
            self._records += len(lines)
            position = Position(before if left else self._latest, self._records)
            name = f"{self._name}/{stream}"
            yield Chunk(name, first, b"\n".join(lines), file=number, position=position)

    def _time_of(self, events: list[dict[str, Any]]) -> int:
        """Return the time up to which everything was read once; clocks may be ahead."""
        latest = max((event["timestamp"] for event in events), default=0)
        return max(self._latest, min(latest, _milliseconds(datetime.now(UTC))))

    def _line(self, stream: str, event: dict[str, Any]) -> bytes:
        """Return an event in the envelope of subscriptions, which has the group's name."""
        return json.dumps(
            {
                "messageType": "DATA_MESSAGE",
                "logGroup": self._group,
                "logStream": stream,
                "logEvents": [
                    {
                        "id": event["eventId"],
                        "timestamp": event["timestamp"],
                        "message": event["message"],
                    }
                ],
            }
        ).encode("utf-8", "replace")


def _group(address: Address) -> str:
    """Return the name of the group, which begins with a slash for ``cloudwatch:///aws/…``."""
    return f"{address.host}/{address.path}" if address.path else address.host


def _milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND


def _in_milliseconds(span: timedelta) -> int:
    return span // _MILLISECOND
