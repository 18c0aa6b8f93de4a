"""Indices as other shippers fill them: the documents they write, the mapping they bring."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

from k8sidx.backends.cluster.http.client import Cluster

Event = dict[str, Any]
INGESTED = "2030-01-01T00:00:00.000Z"
"""What such shippers write as ``@timestamp``: when they read the line."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How one shipper writes an event.

    :param document: the event as a document.
    :param mapping: that comes with it; without one the server maps what it sees.
    """

    document: Callable[[Event], Event]
    mapping: dict[str, Any] = field(default_factory=dict)


def _slim(event: Event) -> Event:
    """Without most of the bodies: a server that maps what it sees refuses many of them, so
    that who ships them to one leaves them out."""
    kept = {name: value for name, value in event.items() if not name.endswith("Object")}
    for name in ("requestObject", "responseObject"):
        body = event.get(name)
        if isinstance(body, dict):
            kept[name] = {key: body[key] for key in ("kind", "roleRef", "subjects") if key in body}
    return kept


def _at_root(event: Event) -> Event:
    return {"@timestamp": INGESTED, "stream": "stdout", **_slim(event)}


def _under(*names: str) -> Callable[[Event], Event]:
    def document(event: Event) -> Event:
        made = _slim(event)
        for name in reversed(names):
            made = {name: made}
        return {"@timestamp": INGESTED, "message": "audit", **made}

    return document


def _without_dots(value: Any) -> Any:
    if isinstance(value, dict):
        return {key.replace(".", "_"): _without_dots(one) for key, one in value.items()}
    return value


def _viaq(event: Event) -> Event:
    """OpenShift's logging takes ``level`` for itself."""
    changed = {**_slim(event), "level": "info", "k8s_audit_level": event["level"]}
    return {**changed, "@timestamp": INGESTED, "hostname": "master-0", "viaq_msg_id": "x"}


def _bodies_as_text(event: Event) -> Event:
    """Bodies as JSON in a text, or the word none (elastisys' compliantkubernetes)."""
    bodies = {
        name: orjson.dumps(event[name]).decode() if name in event else "none"
        for name in ("requestObject", "responseObject")
    }
    return {"@timestamp": INGESTED, **event, **bodies}


def _elastic(event: Event) -> Event:
    """Elastic's integration: below ``kubernetes.audit``, ECS copies beside it."""
    audit = copy.deepcopy(event)
    audit["annotations"] = _without_dots(audit.get("annotations", {}))
    return {
        "@timestamp": event["requestReceivedTimestamp"],
        "event": {"dataset": "kubernetes.audit_logs", "action": event["verb"]},
        "kubernetes": {"audit": audit},
        "source": {"ip": event.get("sourceIPs", [])},
        "user": {"name": event.get("user", {}).get("username")},
    }


_KEYWORD = {"type": "keyword", "ignore_above": 1024}


def _elastic_mapping() -> dict[str, Any]:
    """The fields of that package's template that hunts ask for, with its types."""
    keywords = [
        *("auditID", "stage", "level", "verb", "requestURI", "userAgent"),
        *("user.username", "user.uid", "impersonatedUser.username", "impersonatedUser.uid"),
        *(f"objectRef.{name}" for name in ("resource", "subresource", "namespace", "name")),
        *("objectRef.apiGroup", "objectRef.apiVersion"),
        *("responseStatus.status", "responseStatus.reason"),
        *(f"annotations.authorization_k8s_io/{name}" for name in ("decision", "reason")),
    ]
    properties: dict[str, Any] = {f"kubernetes.audit.{name}": _KEYWORD for name in keywords}
    for name in ("user.groups", "impersonatedUser.groups", "sourceIPs", "responseStatus.message"):
        properties[f"kubernetes.audit.{name}"] = {"type": "text"}
    properties["kubernetes.audit.responseStatus.code"] = {"type": "integer"}
    for name in ("@timestamp", "kubernetes.audit.stageTimestamp"):
        properties[name] = {"type": "date"}
    properties["kubernetes.audit.requestReceivedTimestamp"] = {"type": "date"}
    properties |= {"source.ip": {"type": "ip"}, "user.name": _KEYWORD, "event.action": _KEYWORD}
    return {"dynamic": False, "properties": properties}


SHAPES = {
    "filebeat, vector": Shape(_at_root),
    "filebeat under json": Shape(_under("json")),
    "fluent bit, dots replaced": Shape(lambda event: _at_root(_without_dots(event))),
    "vector under structured": Shape(_under("log", "structured")),
    "viaq": Shape(_viaq),
    "bodies as text": Shape(_bodies_as_text),
    "elastic integration": Shape(_elastic, _elastic_mapping()),
}


def fill(cluster: Cluster, index: str, documents: Iterable[Event], shape: Shape) -> None:
    """Index the documents as a shipper does: in bulk, without ids."""
    settings = {
        "number_of_shards": 2,
        "number_of_replicas": 0,
        "mapping.total_fields.limit": 5000,
        "refresh_interval": -1,
    }
    body = {"settings": {"index": settings}, "mappings": shape.mapping}
    assert cluster.request("PUT", f"/{index}", body=body).status == 200
    lines = [line for one in documents for line in (b'{"create":{}}', orjson.dumps(one))]
    for start in range(0, len(lines), 4000):
        answer = cluster.request(
            "POST",
            f"/{index}/_bulk",
            params={"filter_path": "errors,items.*.error"},
            body=b"\n".join(lines[start : start + 4000]) + b"\n",
        )
        assert answer.json() == {"errors": False}, answer.body[:500]
    assert cluster.request("POST", f"/{index}/_refresh").status == 200


def _not_indexed(prefix: str = "", more: dict[str, Any] | None = None) -> dict[str, Any]:
    """The mapping of who stores bodies and does not search them: a server that maps what it sees
    refuses bodies whose members differ in type."""
    properties: dict[str, Any] = {}
    for name in ("requestObject", "responseObject"):
        properties[f"{prefix}{name}"] = {"type": "object", "enabled": False}
    return {"properties": {**properties, **(more or {})}}


def _root(event: Event) -> Event:
    return {"@timestamp": INGESTED, **event}


def _filebeat(event: Event) -> Event:
    """Filebeat's ndjson parser with its default target, which is the root in a filestream."""
    return {
        **_root(event),
        "agent": {"type": "filebeat", "version": "8.15.0", "name": "node-1"},
        "log": {"file": {"path": "/var/log/kubernetes/audit.log"}, "offset": 1},
        "ecs": {"version": "8.0.0"},
        "input": {"type": "filestream"},
    }


def _logstash(event: Event) -> Event:
    """Logstash's json codec on its file input."""
    return {
        **_root(event),
        "@version": "1",
        "host": {"name": "node-1"},
        "log": {"file": {"path": "/var/log/kubernetes/audit.log"}},
        "event": {"original": orjson.dumps(event).decode()},
    }


def _vector(event: Event) -> Event:
    """Vector's file source with ``. = merge(., parse_json!(.message))``."""
    line = {"file": "/var/log/kubernetes/audit.log", "host": "node-1", "source_type": "file"}
    return {**line, "timestamp": INGESTED, **event}


def _fluent_bit_raw(event: Event) -> Event:
    """Fluent Bit's tail input without a parser."""
    return {"@timestamp": INGESTED, "log": orjson.dumps(event).decode()}


def _fluent_bit_merged(event: Event) -> Event:
    """Fluent Bit with its json parser, and Kubernetes' names in dots replaced
    (``Replace_Dots On``)."""
    return {"@timestamp": INGESTED, **_without_dots_of_keys(event)}


def _without_dots_of_keys(event: Event) -> Event:
    annotations = _without_dots(event.get("annotations", {}))
    return {**event, "annotations": annotations} if annotations else event


def _whole_viaq(event: Event) -> Event:
    changed = {**event, "level": "info", "k8s_audit_level": event["level"], "message": None}
    return {**changed, "@timestamp": INGESTED, "hostname": "master-0", "viaq_msg_id": "x"}


def _aws_lambda(event: Event) -> Event:
    """AWS's Lambda function from CloudWatch Logs to OpenSearch: the line, and its JSON at the
    root."""
    return {
        **event,
        "@id": "3",
        "@timestamp": event["stageTimestamp"],
        "@message": orjson.dumps(event).decode(),
        "@owner": "111122223333",
        "@log_group": "/aws/eks/shop/cluster",
        "@log_stream": "kube-apiserver-audit-0123456789abcdef0123456789abcdef",
    }


def _elastic_eks(event: Event) -> Event:
    """Elastic's EKS data stream: below ``aws.eks.audit``, if the package keeps bodies."""
    audit = _without_dots_of_keys(copy.deepcopy(event))
    return {
        "@timestamp": event["requestReceivedTimestamp"],
        "data_stream": {"type": "logs", "dataset": "aws.eks_audit", "namespace": "default"},
        "event": {"dataset": "aws.eks_audit", "action": event["verb"]},
        "aws": {"eks": {"audit": audit}},
    }


def _without_metadata(event: Event) -> Event:
    """Elastic's Kubernetes integration removes the metadata of both bodies."""
    made = _elastic(event)
    for name in ("requestObject", "responseObject"):
        body = made["kubernetes"]["audit"].get(name)
        if isinstance(body, dict):
            body.pop("metadata", None)
    return made


_LINE: dict[str, Any] = {"type": "text", "index": False}
LAYOUTS = {
    "Filebeat, at the root": Shape(_filebeat, _not_indexed()),
    "Filebeat, under json": Shape(
        lambda event: {"@timestamp": INGESTED, "json": event}, _not_indexed("json.")
    ),
    "Elastic Kubernetes integration": Shape(_without_metadata, _elastic_mapping()),
    "Elastic AWS integration, EKS": Shape(_elastic_eks, _not_indexed("aws.eks.audit.")),
    "Vector": Shape(_vector, _not_indexed()),
    "Logstash": Shape(_logstash, _not_indexed(more={"event.original": _LINE})),
    "Fluent Bit, merged": Shape(_fluent_bit_merged, _not_indexed()),
    "Fluent Bit, raw": Shape(_fluent_bit_raw, {"properties": {"log": _LINE}}),
    "OpenShift ViaQ": Shape(_whole_viaq, _not_indexed()),
    "AWS Lambda to OpenSearch": Shape(_aws_lambda, _not_indexed(more={"@message": _LINE})),
}
"""The layouts of docs/hunts-elsewhere.md, by name."""
