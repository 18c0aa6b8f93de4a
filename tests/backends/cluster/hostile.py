"""One hundred events of whoever wishes the index ill; true to what an API server would log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.building import event

Body = dict[str, Any]


def _nested(levels: int) -> Any:
    return json.loads('{"a":' * levels + "1" + "}" * levels)


_ONES: tuple[Body, ...] = (
    {"auditID": "i" * 600},
    {"auditID": "repeated", "verb": "get"},
    {"auditID": "repeated", "verb": "delete"},
    {"requestObject": {"metadata": {"managedFields": [{"fieldsV1": {".": {}, "f:a.b": {}}}]}}},
    {"responseObject": {"kind": "Status", "status": "Failure", "reason": "Forbidden"}},
    {"responseObject": {"kind": "Pod", "status": {"reason": "Evicted", "phase": ["x"]}}},
    {"requestObject": [{"op": "add", "path": "/metadata/labels/app", "value": "x"}]},
    {"requestObject": _nested(40)},
    {"requestObject": _nested(900)},
    {"annotations": {"a/b": "v" * 40_960}},
    {"sourceIPs": ["unknown", "::ffff:1.2.3.4", "10.0.0.1"]},
    {"sourceIPs": ["<script>", "10.0.0.0/8", "fe80::1%eth0", ""]},
    {"requestObject": None, "responseObject": None, "objectRef": None},
    {"userAgent": "a" * 1024 + "...TRUNCATED"},
    {"userAgent": "\U0001f600" * 9000},
    {"requestURI": "/api?" + "a" * 100_000},
    {"requestObject": {"nul\u0000key": "nul\u0000value"}},
    {"annotations": {"app": "x", "app.kubernetes.io/name": "y", "": "z", ".": "d", "a..b": "e"}},
    {"annotations": {"authorization.k8s.io": "a text where others have an object"}},
    {"responseStatus": {"code": 2**63, "reason": 5, "details": [1]}},
    {"user": {"username": ["a", "list"], "groups": "no list", "extra": {"x/y.z": ["1"], "x": 2}}},
    {"objectRef": {"name": {"an": "object"}, "resource": 7}},
    {"stageTimestamp": "0001-01-01T00:00:00.000001Z"},
    {"stageTimestamp": "9999-12-31T23:59:59.999999Z", "requestReceivedTimestamp": "never"},
    {"audit": {"x": 1}, "epoch_us": "x", "position": [1], "event.order": "x", "_id": "mine"},
    {"verb": {"a": "b"}, "stage": 1, "level": [], "unknown": {"deep": _nested(30)}},
    {"requestObject": {"n": 10**400, "f": 1e308, "neg": -0.0, "t": True, "k" * 40_000: 1}},
    {"message": {"is": "ours"}, "event": "a text", "user_agent": "a text", "source": ["x"]},
)
_COUNT = 100


def hostile_events() -> Iterator[Body]:
    """The events; each can be told by its name."""
    for number in range(_COUNT):
        yield {**event(name=f"n{number}", seconds=number), **_odd(number)}


def _odd(number: int) -> Body:
    if number < len(_ONES):
        return _ONES[number]
    # The same key with another type in each event, and keys that no event had before.
    values: tuple[Any, ...] = (1, "text", {"an": "object"}, [1, "b"], 1.5, True, None)
    value = values[number % len(values)]
    fresh = {f"key-{number}-{n}.of/many": value for n in range(50)}
    return {
        "requestObject": {"metadata": {"labels": fresh}, "spec": value, "kind": value},
        "annotations": {f"mutation.webhook.admission.k8s.io/round_{number}_index_0": "{}"},
        f"top-{number}": value,
    }
