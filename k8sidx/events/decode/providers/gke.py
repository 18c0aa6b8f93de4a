"""Google Kubernetes Engine: Cloud Audit Logs entries → audit.k8s.io/v1.

Cloud Logging API reference (LogEntry, AuditLog), GKE "Audit logging" guide, google.rpc.Code.
An entry contains less than an event does. What it does not contain is left out: groups, uid
and extra of the user, the query string, the stages in between. Only entries of the service
``k8s.io`` are Kubernetes API calls.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

import msgspec

from k8sidx.events.decode.envelope import (
    AuditObject,
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

_VERSION = re.compile(r"v\d+(?:(?:alpha|beta)\d+)?")
_TYPE = re.compile(r"[\w.-]+/v\w+\.(?P<kind>\w+)")
_DECISION = "authorization.k8s.io/decision"
_COMMAND = "command.gke.io/command"
_DRY_RUN = "command.gke.io/dryRun"

CODES = {
    0: 200, 1: 499, 2: 500, 3: 400, 4: 504, 5: 404, 6: 409, 7: 403, 8: 429,
    9: 400, 10: 409, 11: 400, 12: 501, 13: 500, 14: 503, 15: 500, 16: 401,
}  # fmt: skip
"""google.rpc.Code → HTTP status; 9 and 10 as the Kubernetes API answers them."""


def read(record: JsonObject, context: Context) -> Iterable[Part] | None:
    """Read a log entry, also as wrapped by Pub/Sub, its Splunk add-on or the Logging API."""
    if type(record.get("protoPayload")) is dict:
        return (_entry(record, context),)
    if "logName" in record and "resource" in record:
        return _other_payload(record, context)
    data = record.get("data")
    if type(data) is dict and type(data.get("protoPayload")) is dict:
        return (Nested(data, context),)
    message = record.get("message")
    if type(message) is dict and ("messageId" in message or "ackId" in record):
        return (Nested(Base64Payload(text(message.get("data"))), context),)
    for key in ("receivedMessages", "entries"):
        if type(record.get(key)) is list:
            return elements(record, key, context)
    return None


def _other_payload(record: JsonObject, context: Context) -> Iterator[Part]:
    """Entries of other logs; agents of self-managed clusters write events as jsonPayload."""
    payload = record.get("jsonPayload")
    if type(payload) is dict:
        cluster = text(at(record, "resource", "labels", "cluster_name"))
        time = text(record.get("timestamp"))
        yield Nested(payload, Context(context.provider, cluster or context.cluster, time))
    else:
        yield NotAnEvent("Cloud Logging entry of another log")


def _entry(record: JsonObject, context: Context) -> Part:
    payload = record["protoPayload"]
    method = text(payload.get("methodName"))
    service = payload.get("serviceName")
    if service != "k8s.io" and not (service is None and method.startswith("io.k8s.")):
        return NotAnEvent("Cloud Audit Logs entry of another service")
    time = text(record.get("timestamp"))
    context = Context(
        provider="gke",
        cluster=text(at(record, "resource", "labels", "cluster_name")) or context.cluster,
        time=time or text(record.get("receiveTimestamp")) or context.time,
    )
    return AuditObject(_event(record, payload, method, time), context)


def _event(record: JsonObject, payload: JsonObject, method: str, time: str) -> JsonObject:
    first, last = (at(record, "operation", key) is True for key in ("first", "last"))
    started = first and not last
    labels = record.get("labels")
    notes = dict(labels) if type(labels) is dict else {}
    command, dry_run = notes.pop(_COMMAND, None), notes.pop(_DRY_RUN, None)
    granted = _decision(payload)
    if granted:
        notes.setdefault(_DECISION, granted)
    resource = text(payload.get("resourceName"))
    reference, path = _target(method, resource)
    metadata = payload.get("requestMetadata")
    bodies = {key: _body(payload.get(key)) for key in ("request", "response")}
    has_bodies = any(body is not None for body in bodies.values())
    event: JsonObject = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "RequestResponse" if has_bodies else "Metadata",
        "auditID": text(record.get("insertId")) or text(at(record, "operation", "id")),
        "stage": "ResponseStarted" if started else "ResponseComplete",
        "requestURI": path + _query(command, dry_run) if path else "",
        "verb": method.rpartition(".")[2],
        **_users(payload.get("authenticationInfo")),
        "sourceIPs": _addresses(metadata),
        "userAgent": at(metadata, "callerSuppliedUserAgent"),
        "objectRef": reference,
        "responseStatus": _status(payload, bodies["response"], started, granted),
        "requestObject": bodies["request"],
        "responseObject": bodies["response"],
        "requestReceivedTimestamp": time,
        # The entry that ends a long-running call does not contain when it began or ended.
        "stageTimestamp": "" if last and not first else time,
        "annotations": notes,
    }
    return {key: value for key, value in event.items() if value not in (None, "", {}, [])}


def _target(method: str, resource_name: str) -> tuple[JsonObject, str]:
    """Return objectRef and path from ``core/v1/namespaces/NS/pods/NAME/SUB`` and the like.

    The method (``io.k8s.core.v1.pods.exec.create``) decides what is the resource and what
    a part of it: by its name alone, ``core/v1/namespaces/X/finalize`` could be a list.
    """
    parts = resource_name.strip("/").split("/")
    words = method.split(".")
    version = next((index for index, word in enumerate(words) if _VERSION.fullmatch(word)), None)
    # io.k8s.get: a path that is not a resource; its name is the path.
    if version is None or len(words) - version < 3:
        return {}, "/" + resource_name.lstrip("/") if resource_name else ""
    resource, subresource = words[version + 1], ".".join(words[version + 2 : -1])
    if len(parts) < 3:
        return {"resource": resource, "apiVersion": words[version]}, ""
    group, api_version, *rest = parts
    reference = {"resource": resource, "subresource": subresource, "apiVersion": api_version}
    if group != "core":
        reference["apiGroup"] = group
    if rest[0] == "namespaces" and resource != "namespaces":
        reference["namespace"] = rest[1] if len(rest) > 1 else ""
        name = rest[3] if len(rest) > 3 else ""
    else:
        name = rest[1] if len(rest) > 1 else ""
        if resource == "namespaces":  # as the API server fills it
            reference["namespace"] = name
    reference["name"] = name
    root = "/api" if group == "core" else f"/apis/{group}"
    path = f"{root}/{api_version}/{'/'.join(rest)}"
    return {key: value for key, value in reference.items() if value}, path


def _query(command: Any, dry_run: Any) -> str:
    """Return the query string of requestURI, which GKE keeps in labels."""
    pairs: list[str] = []
    if type(command) is str and command:
        pairs += [f"command={quote(word, safe='')}" for word in _words(command)]
    if text(dry_run).lower() in ("true", "all"):
        pairs.append("dryRun=All")
    return "?" + "&".join(pairs) if pairs else ""


def _words(command: str) -> list[str]:
    """Return the arguments if the label is a JSON array of them, or the label as one."""
    if command.startswith("["):
        try:
            return msgspec.json.decode(command, type=list[str])
        except msgspec.DecodeError:
            pass
    return [command]


def _users(info: Any) -> JsonObject:
    """Return principalEmail, else principalSubject, else authoritySelector, as the user; beside
    a principal, authoritySelector is the impersonated user."""
    selector = text(at(info, "authoritySelector"))
    name = text(at(info, "principalEmail")) or text(at(info, "principalSubject"))
    users: JsonObject = {"user": {"username": name or selector}} if name or selector else {}
    if name and selector and name != selector:
        users["impersonatedUser"] = {"username": selector}
    return users


def _addresses(metadata: Any) -> list[str]:
    address = text(at(metadata, "callerIp")) or text(at(metadata, "callerIP"))
    return [address] if address else []


def _decision(payload: JsonObject) -> str:
    """Return the decision from authorizationInfo, for entries without the label.

    In JSON of proto3 a false value is left out: an entry without ``granted`` is a denial.
    """
    infos = payload.get("authorizationInfo")
    if type(infos) is not list or not infos:
        return ""
    granted = [at(info, "granted") for info in infos]
    return "allow" if all(flag is True for flag in granted) else "forbid"


def _status(payload: JsonObject, response: Any, started: bool, decision: str) -> JsonObject:
    """Return gRPC's status as HTTP's; a Status in the response takes precedence over code 0."""
    status = payload.get("status")
    if status is None and (started or decision == "forbid"):
        return {}
    code = at(status, "code") if type(status) is dict else None
    code = 0 if code is None else code
    if at(response, "status") == "Failure" and code == 0:
        keys = ("status", "message", "reason", "code")
        return {key: response[key] for key in keys if response.get(key)}
    members: JsonObject = {}
    if type(code) is int and code in CODES:
        members["code"] = CODES[code]
    if code != 0:
        members["status"] = "Failure"
    if message := text(at(status, "message")):
        members["message"] = message
    return members


def _body(value: Any) -> Any:
    """Return a body without ``@type``, which gives the kind where the body does not."""
    if type(value) is not dict or "@type" not in value:
        return value
    match = _TYPE.fullmatch(text(value["@type"]))
    if match is None:
        return value
    body = {key: member for key, member in value.items() if key != "@type"}
    body.setdefault("kind", match["kind"])
    return body


READER = Reader(
    "gke",
    ("gke",),
    frozenset({"protoPayload", "logName", "data", "message", "receivedMessages", "entries"}),
    arrays=("receivedMessages", "entries"),
    read=read,
)
