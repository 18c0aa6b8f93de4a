"""CPU time of decoding and normalizing the same events, bare and in their envelopes.

One process, forms in turn, the least of several rounds; ratios to the bare lines. Storing is
left out, so that the ratios are those of the envelopes alone.

    python benchmarks/decode_envelopes.py
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from make_log import demo_lines

from k8sidx.backends.sink import NOTHING_ADDED, Added, Refused
from k8sidx.events.core import Rows
from k8sidx.events.normalize.event import Normalized
from k8sidx.events.records import Chunk
from k8sidx.shipping.worker import Worker, WorkerSettings

BATCH = 50
"""Events in an envelope that holds several."""
CLUSTER = "/subscriptions/0/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c"


class Discard:
    """A sink whose encoder keeps nothing."""

    bodies = True
    takes_rows = True

    def open(self) -> Discard:
        return self

    def add(
        self,
        chunk: int,
        events: Sequence[Normalized],
        records: Sequence[int],
        rows: Sequence[Rows] = (),
    ) -> Added:
        return NOTHING_ADDED

    def full(self) -> list[Any]:
        return []

    def finish(self) -> list[Any]:
        return []

    def take_refused(self) -> list[Refused]:
        return []


def cloudwatch(lines: list[str]) -> list[Any]:
    return [
        {
            "messageType": "DATA_MESSAGE",
            "owner": "111122223333",
            "logGroup": "/aws/eks/prod/cluster",
            "logStream": "kube-apiserver-audit-0123456789abcdef",
            "subscriptionFilters": ["audit"],
            "logEvents": [
                {"id": str(number), "timestamp": 1_795_465_650_000, "message": line}
                for number, line in enumerate(batch)
            ],
        }
        for batch in batches(lines)
    ]


def fluent_bit(lines: list[str]) -> list[Any]:
    time = "2026-11-23T20:27:30.061865Z"
    return [{"log": f"{line}\n", "stream": "stdout", "time": time} for line in lines]


def aks(lines: list[str]) -> list[Any]:
    return [
        {
            "category": "kube-audit",
            "operationName": "Microsoft.ContainerService/managedClusters/diagnosticLogs/Read",
            "resourceId": CLUSTER,
            "time": "2026-11-23T20:27:30.0618650Z",
            "properties": {"log": line, "stream": "stdout", "pod": "kube-apiserver-0"},
        }
        for line in lines
    ]


def openshift(lines: list[str]) -> list[Any]:
    return [
        {
            "@timestamp": "2026-11-23T20:27:30.061865Z",
            "log_type": "audit",
            "log_source": "kubeAPI",
            "openshift": {"cluster_id": "c"},
            "structured": json.loads(line),
        }
        for line in lines
    ]


def webhook(lines: list[str]) -> list[Any]:
    return [
        {
            "kind": "EventList",
            "apiVersion": "audit.k8s.io/v1",
            "metadata": {},
            "items": [_without_type(json.loads(line)) for line in batch],
        }
        for batch in batches(lines)
    ]


def vector(lines: list[str]) -> list[Any]:
    """Parsed at the root, with the shipper's own keys beside the event's."""
    more = {"file": "/var/log/kubernetes/audit/audit.log", "host": "cp-1", "source_type": "file"}
    return [{**more, **json.loads(line)} for line in lines]


def gke(lines: list[str]) -> list[Any]:
    return [_entry(json.loads(line)) for line in lines]


def _without_type(event: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key not in ("kind", "apiVersion")}


def _entry(event: dict[str, Any]) -> dict[str, Any]:
    """The event as Cloud Audit Logs would have it."""
    reference = event.get("objectRef", {})
    group, version = reference.get("apiGroup", "core"), reference.get("apiVersion", "v1")
    what = [reference.get(key) for key in ("resource", "subresource")]
    path = (group, version, "namespaces", reference.get("namespace"), *what[:1],
            reference.get("name"), *what[1:])  # fmt: skip
    payload = {
        "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
        "authenticationInfo": {"principalEmail": event["user"].get("username")},
        "methodName": ".".join(filter(None, ("io.k8s", group, version, *what, event["verb"]))),
        "requestMetadata": {
            "callerIp": event["sourceIPs"][0],
            "callerSuppliedUserAgent": event.get("userAgent"),
        },
        "resourceName": "/".join(filter(None, path)),
        "serviceName": "k8s.io",
        "status": {"code": 0},
    }
    for key, name in (("requestObject", "request"), ("responseObject", "response")):
        if key in event:
            payload[name] = event[key]
    return {
        "insertId": event["auditID"],
        "labels": event.get("annotations", {}),
        "logName": "projects/p/logs/cloudaudit.googleapis.com%2Factivity",
        "operation": {"first": True, "id": event["auditID"], "last": True, "producer": "k8s.io"},
        "protoPayload": payload,
        "resource": {"labels": {"cluster_name": "prod"}, "type": "k8s_cluster"},
        "timestamp": event["stageTimestamp"],
    }


def batches(lines: list[str]) -> list[list[str]]:
    return [lines[start : start + BATCH] for start in range(0, len(lines), BATCH)]


FORMS: dict[str, Callable[[list[str]], list[Any]]] = {
    "EKS: CloudWatch subscription, text": cloudwatch,
    "Fluent Bit: `log`, text": fluent_bit,
    "AKS: Event Hub record, text": aks,
    "OpenShift: `structured`, object": openshift,
    "API server's webhook: EventList, objects": webhook,
    "Vector: keys beside the event's, object": vector,
    "GKE: log entry, converted": gke,
}


def cpu_seconds(data: bytes, events: int) -> float:
    worker = Worker(WorkerSettings(Discard()))
    start = time.process_time()
    outcome = worker.take(1, Chunk("log", 1, data))
    took = time.process_time() - start
    assert outcome.events == events, outcome.rejected[:1]
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=6_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    lines = demo_lines()[: arguments.events]
    texts = [line.decode() for line in lines]
    inputs = {"bare line": b"\n".join(lines)}
    for name, form in FORMS.items():
        documents = (json.dumps(one, separators=(",", ":")) for one in form(texts))
        inputs[name] = "\n".join(documents).encode()
    least = dict.fromkeys(inputs, float("inf"))
    for _ in range(arguments.rounds):
        for name, data in inputs.items():
            least[name] = min(least[name], cpu_seconds(data, len(lines)))
    bare = least["bare line"]
    print(f"| {len(lines):,} events | CPU µs/event | ratio |")
    print("| --- | --: | --: |")
    for name, took in least.items():
        print(f"| {name} | {took / len(lines) * 1e6:.1f} | {took / bare:.2f} |")


if __name__ == "__main__":
    main()
