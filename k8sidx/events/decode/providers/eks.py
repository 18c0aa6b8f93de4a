"""Amazon EKS: control plane logs through CloudWatch Logs, in the forms they leave it.

Sources: Amazon CloudWatch Logs user guide (subscription filters, exports, Insights), API
reference (FilterLogEvents, GetLogEvents, GetQueryResults), Amazon Data Firehose (HTTP
endpoint requests), AWS Lambda (CloudWatch Logs and Kinesis events).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from k8sidx.events.decode.envelope import (
    EMPTY,
    Base64Payload,
    Nested,
    NotAnEvent,
    Part,
    Reader,
    at,
    elements,
    text,
)
from k8sidx.events.records import Context, JsonObject

_GROUP = re.compile(r"(?:\d+:)?/aws/eks/(?P<cluster>.+)/cluster")
_STREAM = "kube-apiserver-audit-"
_LAST_MILLISECOND = 253_402_300_799_999


def read(record: JsonObject, context: Context) -> Iterable[Part] | None:
    """Anything of CloudWatch Logs, Firehose or a Lambda event."""
    if record.get("messageType") == "CONTROL_MESSAGE":
        return (NotAnEvent("CloudWatch control message"),)
    if type(record.get("logEvents")) is list:
        context = context_of(record.get("logGroup"), record.get("logStream"), context)
        return _messages(record, "logEvents", context)
    if "RawEvent" in record and "AwsAccountId" in record:
        return (_sentinel_row(record, context),)
    if "awslogs" in record and type(packed := at(record, "awslogs", "data")) is str:
        return (Nested(Base64Payload(packed), context),)
    if "@message" in record:
        return (_insights_row(record, context, None),)
    for key, read_list in _LISTS.items():
        if type(record.get(key)) is list and (parts := read_list(record, context)) is not None:
            return parts
    return None


def context_of(group: Any, stream: Any, context: Context) -> Context:
    """Add the cluster from a log group's name, ``/aws/eks/<cluster>/cluster``."""
    if match := _GROUP.fullmatch(text(group)):
        return context._replace(provider="eks", cluster=match["cluster"])
    if text(stream).startswith(_STREAM):
        return context._replace(provider="eks")
    return context


def is_insights_row(value: list[Any]) -> bool:
    """Whether a JSON array is a row of a Logs Insights result."""
    return bool(value) and all(type(column) is dict and "field" in column for column in value)


def read_insights_row(value: list[Any], context: Context) -> Part:
    """Read a row: a list of fields and values, the event under ``@message``."""
    row = {text(column.get("field")): column.get("value") for column in value}
    return _insights_row(row, context, {"results": [value]})


def _sentinel_row(record: JsonObject, context: Context) -> Part:
    """Read a row of Microsoft Sentinel's table AWSEKSLogs, whose other columns repeat the event."""
    cluster, time = text(record.get("ClusterName")), text(record.get("TimeGenerated"))
    context = Context("eks", cluster or context.cluster, time or context.time)
    return Nested(record["RawEvent"], context)


def _insights_row(row: JsonObject, context: Context, alone: JsonObject | None) -> Part:
    if "@message" not in row:
        return NotAnEvent("Logs Insights row without @message")
    context = context_of(row.get("@log"), row.get("@logStream"), context)
    # 2023-12-07 14:44:53.375, in UTC
    time = text(row.get("@timestamp")).replace(" ", "T")
    if time:
        context = context._replace(time=time if time.endswith("Z") else f"{time}Z")
    return Nested(row["@message"], context, alone)


def _messages(record: JsonObject, key: str, context: Context) -> Iterator[Part]:
    if not record[key]:
        yield EMPTY
    for event in record[key]:
        alone = {**record, key: [event]}
        if type(event) is not dict or "message" not in event:
            yield Nested(event, context, alone)
            continue
        own = context
        if "logStreamName" in event or "logGroupName" in event:
            own = context_of(event.get("logGroupName"), event.get("logStreamName"), context)
        time = _time(event.get("timestamp"))
        yield Nested(event["message"], Context(own.provider, own.cluster, time), alone)


def _cli_events(record: JsonObject, context: Context) -> Iterable[Part] | None:
    """Read the output of ``aws logs filter-log-events`` and ``aws logs get-log-events``."""
    events = record["events"]
    named = "nextForwardToken" in record or "searchedLogStreams" in record
    if named or (events and type(events[0]) is dict and "message" in events[0]):
        return _messages(record, "events", context)
    return None


def _insights(record: JsonObject, context: Context) -> Iterable[Part] | None:
    rows = record["results"]
    if not all(type(row) is list and is_insights_row(row) for row in rows):
        return None
    return [read_insights_row(row, context) for row in rows] or [EMPTY]


def _firehose(record: JsonObject, context: Context) -> Iterable[Part] | None:
    if not any(type(at(element, "data")) is str for element in record["records"]):
        return None
    return _packed(record, "records", ("data",), context)


def _kinesis(record: JsonObject, context: Context) -> Iterable[Part]:
    return _packed(record, "Records", ("kinesis", "data"), context)


def _packed(
    record: JsonObject, key: str, path: tuple[str, ...], context: Context
) -> Iterator[Part]:
    for piece in elements(record, key, context):
        packed = at(piece.content, *path) if isinstance(piece, Nested) else None
        if isinstance(piece, Nested) and type(packed) is str:
            yield piece._replace(content=Base64Payload(packed))
        else:
            yield piece


_LISTS = {"events": _cli_events, "results": _insights, "records": _firehose, "Records": _kinesis}


def _time(milliseconds: Any) -> str:
    """Milliseconds since 1970 → ISO-8601."""
    if type(milliseconds) is not int or not 0 <= milliseconds <= _LAST_MILLISECOND:
        return ""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{_second(seconds)}.{rest:03d}Z"


@lru_cache(maxsize=1024)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]


READER = Reader(
    "eks",
    ("eks",),
    frozenset({"messageType", "logEvents", "awslogs", "@message", "RawEvent", *_LISTS}),
    arrays=("logEvents", *_LISTS),
    read=read,
)
