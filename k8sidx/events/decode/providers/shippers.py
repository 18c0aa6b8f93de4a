"""Envelope reader for log shippers and search engines: log lines as Fluent Bit, Filebeat,
Vector, Elastic Agent, OpenSearch, Elasticsearch, Datadog and Splunk write them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from k8sidx.events.decode.envelope import (
    EMPTY,
    FORMATS,
    AuditObject,
    Nested,
    NotAnEvent,
    Part,
    Reader,
    at,
    text,
)
from k8sidx.events.decode.providers.apiserver import is_event, is_rancher_api_log
from k8sidx.events.decode.providers.eks import context_of
from k8sidx.events.records import Context, JsonObject

_ACTIONS = frozenset({"index", "create", "update", "delete"})
_LINES = ("message", "log", "MESSAGE", "line", "_raw", "raw", "RawEvent", "body")
"""Keys under which shippers keep the line as it was."""
_OBJECTS = ("_source", "result", "content", "attributes", "structured", "event", "log_processed")
"""Keys under which they keep it parsed."""


def read(record: JsonObject, context: Context) -> Iterable[Part] | None:
    """Read a document of a shipper or a search engine."""
    if _is_bulk_action(record):
        return (NotAnEvent("bulk action"),)
    if "hits" in record and type(hits := at(record, "hits", "hits")) is list:
        return [Nested(hit, context, {"hits": {"hits": [hit]}}) for hit in hits] or [EMPTY]
    if type(record.get("_source")) is dict:
        return (Nested(record["_source"], context),)
    context = context_of_document(record, context)
    if "kubernetes" in record and type(event := at(record, "kubernetes", "audit")) is dict:
        return (Nested(event, context),)
    if _is_datadog(record):
        return (AuditObject(_from_datadog(record), context),)
    return _line(record, context)


def read_other(record: JsonObject, _context: Context) -> Iterable[Part] | None:
    """Well-known JSON that is not an audit event."""
    if "output_fields" in record and "rule" in record and "priority" in record:
        return (NotAnEvent("Falco alert"),)
    if record.get("kind") == "Event" and ("involvedObject" in record or "regarding" in record):
        return (NotAnEvent("Kubernetes Event object"),)
    if is_rancher_api_log(record):
        return (NotAnEvent("Rancher API audit log"),)
    return None


def _is_bulk_action(record: JsonObject) -> bool:
    """Read the line before a document in the body of a bulk request."""
    if len(record) != 1:
        return False
    action, target = next(iter(record.items()))
    return (
        action in _ACTIONS
        and type(target) is dict
        and all(key.startswith("_") or key in ("pipeline", "routing") for key in target)
    )


def _line(record: JsonObject, context: Context) -> Iterable[Part] | None:
    """Return the line itself, as text or parsed."""
    texts = []
    for key in _LINES:
        line = record.get(key)
        if type(line) is str:
            if "{" in line:
                return (Nested(line, context),)
            texts.append(line)
    for key in (*_LINES, *_OBJECTS):
        value = record.get(key)
        if type(value) is dict and (key in ("result", "content", "structured") or is_event(value)):
            return (Nested(value, context),)
    if type(original := at(record, "event", "original")) is str:
        return (Nested(original, context),)
    if type(value := record.get("attributes")) is dict and _is_datadog(value):
        return (Nested(value, context),)
    return (Nested(texts[0], context),) if texts else None


def _is_datadog(record: JsonObject) -> bool:
    """Datadog's pipeline for Kubernetes audit logs moves the verb to http.method."""
    return (
        "verb" not in record
        and ("objectRef" in record or "auditID" in record)
        and type(at(record, "http", "method")) is str
    )


def _from_datadog(record: JsonObject) -> JsonObject:
    body = dict(record)
    http = record["http"]
    body["verb"] = http["method"].lower()
    moved: dict[str, Any] = {
        "responseStatus": {"code": code} if (code := _code(http.get("status_code"))) else None,
        "userAgent": http.get("useragent"),
        "user": {"username": name} if (name := _datadog_user(record)) else None,
        "sourceIPs": [ip] if (ip := text(at(record, "network", "client", "ip"))) else None,
    }
    for key, value in moved.items():
        if value is not None:
            body.setdefault(key, value)
    return body


def _code(value: Any) -> int | None:
    """Datadog keeps the code as a number or, in older pipelines, as text."""
    if type(value) is str and value.isascii() and value.isdigit() and len(value) == 3:
        return int(value)
    return value if type(value) is int else None


def _datadog_user(record: JsonObject) -> str:
    return text(at(record, "usr", "name")) or text(at(record, "usr", "id"))


def context_of_document(record: JsonObject, context: Context) -> Context:
    """Return the cluster and the time that shippers add."""
    group, stream = record.get("log_group"), record.get("log_stream")
    if "aws" in record:
        group = at(record, "aws", "cloudwatch", "log_group") or group
        stream = at(record, "aws", "cloudwatch", "log_stream") or stream
    group = group or record.get("logGroup")
    if group or stream:
        context = context_of(group, stream, context)
    cluster = "orchestrator" in record and text(at(record, "orchestrator", "cluster", "name"))
    time = text(record.get("@timestamp")) or text(record.get("timestamp"))
    return Context(context.provider, cluster or context.cluster, time or context.time)


READER = Reader(
    "shipper",
    ("eks", "gke", "aks", "openshift", "rancher", "shipper"),
    frozenset(),
    arrays=("hits.hits",),
    read=read,
)
LOOKALIKES = Reader(
    "other JSON",
    FORMATS,
    frozenset({"output_fields", "kind", "requestURI"}),
    arrays=(),
    read=read_other,
)
